// Counterexamples: the words of each transition, and the path rebuilt step by step.
//
// The search knows sorted rows and parents. PathBuilder starts at the initial row and takes, for
// each parent edge, a successor that sorts to the stored row. Two things complicate this. Lazy
// identities: another member may have come next, so the identities of both are swapped in the whole
// path. Local actions: the search may have resolved a step that no real order shows, so its row is
// taken over as a step without a transition.
#include "checker/story.h"

#include "base/check.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace drydock::checker {

namespace {

using run::Status;

// True if the index of a transition of this kind is an action.
bool is_about_action(Kind kind) {
    return kind <= Kind::approved || kind == Kind::halted;
}

// The name of each kind in traces, and its sentence in stories. {} is the title of the action, or
// the name of the member or host. A kind without a sentence shows nothing that people would tell.
struct Words {
    std::string_view name;
    const char* text;
};

constexpr std::array<Words, 27> k_words = {{
    {"judged_yes", ""},
    {"judged_no", "what \"{}\" requires does not hold"},
    {"skipped", ""},
    {"begun", ""},
    {"done", "{}: done"},
    {"died_after", "{}: done, and the member dies right after"},
    {"failed", "\"{}\" fails"},
    {"failed_late", "\"{}\" is told as failed, but it has had its effect"},
    {"no_answer", "nobody answers what became of \"{}\""},
    {"never_begun", "\"{}\" had never begun: it is begun again"},
    {"torn", "the host cannot tell what became of \"{}\": it did not happen"},
    {"torn_late", "the host cannot tell what became of \"{}\": it did happen"},
    {"kept", ""},
    {"broken", "what \"{}\" promises is not seen in time"},
    {"happened", ""},
    {"not_happened", "a probe says that \"{}\" did not happen: it is begun again"},
    {"nobody_knows", "nothing tells whether \"{}\" happened"},
    {"approved", "a person approves: {}"},
    {"finished", "the run is finished"},
    {"halted", "the run halts"},
    {"conductor_dies", "the conductor dies while {} is under way; another one takes over"},
    {"member_dies", "{} dies"},
    {"host_lost", "host {} does not answer any more"},
    {"host_back", "host {} answers again"},
    {"law_fires", "{}"},
    {"resumed", "a person resumes the run"},
    {"member_started", "a person starts {}"},
}};

const Words& words_of(Kind kind) {
    return k_words.at(static_cast<std::size_t>(kind));
}

std::string under_way(const Site& site, const Byte* row) {
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (site.status(row, i) == static_cast<Byte>(Status::intended)) {
            titles.push_back(fmt::format("\"{}\"", site.plan.actions[i].title));
        }
    }
    return join(titles, " and ");
}

// The sentence names the condition, because no action causes the step.
std::string text_of_law(const Site& site, const Rise& rise) {
    const Store& store = site.stores[static_cast<std::size_t>(rise.store)];
    return fmt::format("every member runs the new release: {} rises to {} by itself",
                       store.name,
                       store.formats[rise.becomes]);
}

// Returns the words for {}.
std::string subject_of(const Site& site, const Byte* previous_row, Choice choice) {
    if (is_about_action(choice.kind)) {
        return site.plan.actions[choice.index].title;
    }
    if (choice.kind == Kind::conductor_dies) {
        return under_way(site, previous_row);
    }
    if (choice.kind == Kind::law_fires) {
        return text_of_law(site, site.rises[choice.index]);
    }
    if (choice.kind == Kind::host_lost || choice.kind == Kind::host_back) {
        return site.hosts[choice.index];
    }
    const bool member = choice.kind == Kind::member_dies || choice.kind == Kind::member_started;
    return member ? site.members[choice.index].name : "";
}

std::string text_of(const Site& site, const Byte* previous_row, Choice choice) {
    return fmt::format(fmt::runtime(words_of(choice.kind).text),
                       subject_of(site, previous_row, choice));
}

// A replay reads these keys (sim/replay.h).
Json trace_of(const Site& site, Choice choice) {
    Json trace;
    trace.set("what", std::string(words_of(choice.kind).name));
    if (is_about_action(choice.kind)) {
        trace.set("action", site.plan.actions[choice.index].id);
    } else if (choice.kind == Kind::member_dies || choice.kind == Kind::member_started) {
        trace.set("member", site.members[choice.index].name);
    } else if (choice.kind == Kind::host_lost || choice.kind == Kind::host_back) {
        trace.set("host", site.hosts[choice.index]);
    } else if (choice.kind == Kind::law_fires) {
        trace.set("store",
                  site.stores[static_cast<std::size_t>(site.rises[choice.index].store)].name);
    }
    return trace;
}

std::vector<std::string> running_now(const Site& site, const Byte* row) {
    std::vector<std::string> texts;
    for (const Member& member : site.members) {
        if (member.running != k_nowhere) {
            const auto& value = site.values.at(row[member.running]);
            texts.push_back(fmt::format(
                "{} {}",
                member.name,
                value.status == model::Known::known ? "runs " + value.value.show() : "is down"));
        }
    }
    return texts;
}

// Instances of one store mostly have one format, so equal texts are merged.
std::string stores_now(const Site& site, const Byte* row) {
    std::vector<std::string> texts;
    for (const Store& store : site.stores) {
        for (const Place offset : store.at) {
            if (row[offset] < store.formats.size()) {
                texts.push_back(fmt::format("{} is {}", store.name, store.formats[row[offset]]));
            }
        }
    }
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return join(texts, ", ");
}

// Returns the cause in one sentence. Sentences about a state list the releases that run; sentences
// about a step name its action.
std::string because_of(const Site& site, Property property, const Walk& walk) {
    const std::string title = is_about_action(walk.last.kind)
                                  ? site.plan.actions[walk.last.index].title
                                  : turn_of(site, walk.before.data(), walk.last).text;
    const std::string now = join(running_now(site, walk.row.data()), ", ");
    switch (property) {
    case Property::unreadable_start:
        return fmt::format("\"{}\" starts a release on a store that it cannot read ({})",
                           title,
                           stores_now(site, walk.before.data()));
    case Property::quorum:
        return fmt::format("\"{}\" takes the group below its minimum: before it, {}", title, now);
    case Property::skew:
        return fmt::format("after \"{}\" releases serve together that may not: {}", title, now);
    case Property::twice:
        return fmt::format("\"{}\" may not be repeated, and happens twice", title);
    case Property::unverified_destroy:
        return fmt::format("\"{}\" comes without a verified copy of what cannot be had back",
                           title);
    case Property::unasked_return_point:
        return fmt::format("after \"{}\" the way back is closed, or may close at any moment ({}), "
                           "and nobody was asked",
                           title,
                           now);
    case Property::lost_writes:
        return fmt::format("\"{}\" loses what was written since", title);
    case Property::stuck:
        return fmt::format("the run can never come to an end from here ({})", now);
    case Property::no_way_back:
        return fmt::format("from here the downgrade does not end well ({})", now);
    }
    return {};
}

std::string hint_of(Property property) {
    switch (property) {
    case Property::unreadable_start:
        return "let a guard see the store's level before this start, or keep an older release";
    case Property::quorum:
        return "add `quorum_without: this` to its guards, or take fewer members at a time";
    case Property::skew:
        return "stop the older (or newer) ones first, or change the order of the roles";
    case Property::twice:
        return "give it a `happened` probe that tells the truth, or make it repeatable";
    case Property::unverified_destroy:
        return "put a backup with a `then` that proves it before this step";
    case Property::unasked_return_point:
        return "put a gate before this step; the planner does it when the pack's laws are right";
    case Property::lost_writes:
        return "call it a restore, or bring the newer writes back first";
    case Property::stuck:
        return "see which condition can never hold, and say what a person can do about it";
    case Property::no_way_back:
        return "let the `downgrade` procedure take the cluster as it is then";
    }
    return {};
}

// Rebuilds a path. The full generator is tried first, then the reduced one of the search. Its
// steps may be about another member of an orbit. If neither has a successor that fits, the row of
// the search is taken over. Such a path has no events, because no run could record it.
class Walker {
public:
    Walker(const Site& site, const Options& options, const Search& search)
        : site_(site)
        , search_(search)
        , explorer_(site, options.faults, options.persons, static_cast<bool>(options.back))
        , hasty_(site,
                 options.faults,
                 options.persons,
                 static_cast<bool>(options.back),
                 options.shortcuts)
        , shortcuts_(options.shortcuts)
        , symmetry_(search.symmetry())
        , rows_{site.first} {}

    // Goes from the initial row to the row `id`, along the parents.
    void walk_to(std::uint32_t id) {
        std::vector<std::uint32_t> path;
        for (std::uint32_t ancestor = id; ancestor != k_nobody;
             ancestor = search_.parent(ancestor)) {
            path.push_back(ancestor);
        }
        for (std::size_t i = path.size() - 1; i > 0; --i) {
            const Byte* target_row = search_.row(path[i - 1]);
            const bool walked = step([&](const Batch& batch, std::size_t index) {
                return leads_to(batch.row(index), target_row);
            });
            if (!walked) {
                CHECK(shortcuts_);
                choices_.emplace_back(std::nullopt);
                rows_.emplace_back(target_row, target_row + site_.size);
            }
        }
    }

    // Takes the first transition that passes the test. Returns false if none does.
    template <class Test>
    bool step(const Test& is_it) {
        return step_of(explorer_, is_it) || (shortcuts_ && step_of(hasty_, is_it));
    }

    [[nodiscard]] Walk walk() const {
        Walk walk;
        for (std::size_t i = 0; i < choices_.size(); ++i) {
            walk.turns.push_back(
                choices_[i] ? turn_of(site_, rows_[i].data(), *choices_[i])
                            : Turn{"what was lost is settled", Json::Object{{"what", "settled"}}});
        }
        walk.row = rows_.back();
        walk.before = rows_.size() > 1 ? rows_[rows_.size() - 2] : rows_.back();
        walk.last = choices_.empty() ? Choice() : choices_.back().value_or(Choice());
        const bool is_whole = std::all_of(choices_.begin(), choices_.end(), [](const auto& choice) {
            return choice.has_value();
        });
        walk.events = is_whole ? events_of(site_, events_) : std::vector<run::Move>();
        return walk;
    }

private:
    // Expands the last row. next_ is the successor under test: leads_to() may swap members in it.
    template <class Test>
    bool step_of(Explorer& explorer, const Test& is_it) {
        Batch batch(site_.size);
        recorded_.clear();
        explorer.record_into(recorded_);
        explorer.expand(rows_.back().data(), batch);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            next_.assign(batch.row(i), batch.row(i) + site_.size);
            if (is_it(batch, i)) {
                choices_.emplace_back(batch.choice(i));
                rows_.push_back(next_);
                keep_events(i);
                return true;
            }
        }
        return false;
    }

    void keep_events(std::size_t row) {
        for (const RecordedEvent& entry : recorded_) {
            if (entry.row == row) {
                events_.push_back(entry.event);
            }
        }
    }

    // True if `row` sorts to the target, perhaps after a swap of two members in the whole path.
    bool leads_to(const Byte* row, const Byte* target_row) {
        if (is_sorted_as(target_row)) {
            return true;
        }
        const auto& naming = symmetry_.naming();
        const auto exchanges = naming ? naming->exchanges(rows_.back().data(), row)
                                      : std::vector<std::pair<int, int>>();
        for (const auto& [first, second] : exchanges) {
            naming->exchange(first, second, next_.data());
            if (is_sorted_as(target_row)) {
                rename(first, second);
                return true;
            }
            naming->exchange(first, second, next_.data());
        }
        return false;
    }

    // Sorts a copy: next_ keeps the true names.
    bool is_sorted_as(const Byte* target_row) {
        sorted_ = next_;
        symmetry_.sort(sorted_.data());
        return std::memcmp(sorted_.data(), target_row, site_.size) == 0;
    }

    // Swaps two members in the path so far: rows, deaths, starts and hosts. No action of either has
    // begun, so transitions of actions stay.
    void rename(int first, int second) {
        for (auto& row : rows_) {
            symmetry_.naming()->exchange(first, second, row.data());
        }
        const auto host = [&](int member) {
            return site_.members[static_cast<std::size_t>(member)].host;
        };
        for (auto& choice : choices_) {
            const Kind kind = choice ? choice->kind : Kind::begun;
            if (kind == Kind::member_dies || kind == Kind::member_started) {
                choice->index = exchanged(choice->index, first, second);
            } else if (kind == Kind::host_lost || kind == Kind::host_back) {
                choice->index = exchanged(choice->index, host(first), host(second));
            }
        }
    }

    static std::uint32_t exchanged(std::uint32_t index, int first, int second) {
        const auto old_index = static_cast<int>(index);
        return static_cast<std::uint32_t>(old_index == first    ? second
                                          : old_index == second ? first
                                                                : old_index);
    }

    const Site& site_;
    const Search& search_;
    Explorer explorer_;
    Explorer hasty_;  // as in the search
    bool shortcuts_;
    Symmetry symmetry_;
    std::vector<std::vector<Byte>> rows_;
    std::vector<std::optional<Choice>> choices_;  // nothing: a row of the search was taken over
    std::vector<RecordedEvent> recorded_;         // of the last expansion
    std::vector<run::Move> events_;
    std::vector<Byte> next_;
    std::vector<Byte> sorted_;
};

}  // namespace

// The model drops attempt numbers, so they are counted here. An operator resumes with a new
// conductor.
std::vector<run::Move> events_of(const Site& site, const std::vector<run::Move>& walked) {
    using run::EventType;
    std::vector<int> attempts(site.acts.size(), 0);
    std::vector<run::Move> events = {{EventType::run_created}, {EventType::conductor_started}};
    for (run::Move event : walked) {
        if (event.type == EventType::run_resumed) {
            events.push_back({EventType::conductor_started});
        }
        attempts[event.action] += event.type == EventType::action_intended ? 1 : 0;
        event.attempt = event.attempt == 0 ? 0 : attempts[event.action];
        events.push_back(event);
    }
    return events;
}

Turn turn_of(const Site& site, const Byte* previous_row, Choice choice) {
    return {text_of(site, previous_row, choice), trace_of(site, choice)};
}

Walk walk_to(const Site& site, const Options& options, const Search& search, std::uint32_t id) {
    Walker walker(site, options, search);
    walker.walk_to(id);
    return walker.walk();
}

Walk walk_to(const Site& site,
             const Options& options,
             const Search& search,
             const Breach& breach,
             Property property) {
    Walker walker(site, options, search);
    walker.walk_to(breach.from);
    const bool walked = walker.step([&](const Batch& batch, std::size_t index) {
        return (batch.broken(index) & bit_of(property)) != 0
               && batch.choice(index).kind == breach.choice.kind;
    });
    CHECK(walked || options.shortcuts);
    return walker.walk();
}

Violation tell(const Site& site, Property property, Walk walk) {
    Violation violation;
    violation.property = property;
    violation.because = because_of(site, property, walk);
    violation.hint = hint_of(property);
    if (is_about_action(walk.last.kind)) {
        violation.action = site.plan.actions[walk.last.index].id;
        violation.source = site.plan.actions[walk.last.index].source;
    }
    violation.story = std::move(walk.turns);
    violation.events = std::move(walk.events);
    return violation;
}

}  // namespace drydock::checker
