// Counterexamples: the words of each transition, and the path rebuilt step by step.
//
// The search knows sorted rows and parents. PathBuilder starts at the initial row and takes, for
// each parent edge, a successor that sorts to the stored row. Two things complicate this. Lazy
// identities: another member may have come next, so the identities of both are swapped in the whole
// path. Local actions: the search may have resolved a step that no real order shows, so its row is
// taken over as a step without a transition.
#include "checker/counterexample.h"

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
bool is_about_action(TransitionKind kind) {
    return kind <= TransitionKind::approved || kind == TransitionKind::halted;
}

// The sentence of each kind in stories, in the order of the enum. {} is the title of the action, or
// the name of the member or host. A kind without a sentence shows nothing that people would tell.
constexpr std::array<const char*, run::k_trace_steps.k_count> k_sentences = {{
    "",
    "what \"{}\" requires does not hold",
    "",
    "",
    "{}: done",
    "{}: done, and the member dies right after",
    "\"{}\" fails",
    "\"{}\" is told as failed, but it has had its effect",
    "nobody answers what became of \"{}\"",
    "\"{}\" had never begun: it is begun again",
    "the host cannot tell what became of \"{}\": it did not happen",
    "the host cannot tell what became of \"{}\": it did happen",
    "",
    "what \"{}\" promises is not seen in time",
    "",
    "a probe says that \"{}\" did not happen: it is begun again",
    "nothing tells whether \"{}\" happened",
    "a person approves: {}",
    "the run is finished",
    "the run halts",
    "the conductor dies while {} is under way; another one takes over",
    "{} dies",
    "host {} does not answer any more",
    "host {} answers again",
    "{}",
    "a person resumes the run",
    "a person starts {}",
    "{} starts by itself",
    "{} comes to lead",
    "what was lost is settled",
}};

const char* sentence_of(TransitionKind kind) {
    return k_sentences.at(ordinal(kind));
}

std::string under_way(const Model& model, const Byte* row) {
    std::vector<std::string> titles;
    for (std::size_t i = 0; i < model.acts.size(); ++i) {
        if (model.status(row, i) == Status::intended) {
            titles.push_back(fmt::format("\"{}\"", model.plan.actions[i].title));
        }
    }
    return join(titles, " and ");
}

// The sentence names the condition, because no action causes the step.
std::string text_of_law(const Model& model, const FormatTransition& rise) {
    const Store& store = model.stores[rise.store];
    return fmt::format("every member runs the new release: {} rises to {} by itself",
                       store.name,
                       store.formats[rise.becomes]);
}

// Returns the words for {}.
std::string subject_of(const Model& model, const Byte* previous_row, Transition choice) {
    if (is_about_action(choice.kind)) {
        return model.plan.actions[choice.index].title;
    }
    if (choice.kind == TransitionKind::conductor_dies) {
        return under_way(model, previous_row);
    }
    if (choice.kind == TransitionKind::law_fires) {
        return text_of_law(model, model.rises[choice.index]);
    }
    if (choice.kind == TransitionKind::host_lost || choice.kind == TransitionKind::host_back) {
        return model.hosts[choice.index];
    }
    const bool member =
        choice.kind == TransitionKind::member_dies || choice.kind == TransitionKind::member_started;
    return member ? model.members[choice.index].name : "";
}

std::string text_of(const Model& model, const Byte* previous_row, Transition choice) {
    return fmt::format(fmt::runtime(sentence_of(choice.kind)),
                       subject_of(model, previous_row, choice));
}

// A replay reads these keys (sim/replay.h).
Json trace_of(const Model& model, Transition choice) {
    Json trace;
    trace.set("what", std::string(name_of(choice.kind)));
    if (is_about_action(choice.kind)) {
        trace.set("action", model.plan.actions[choice.index].id);
    } else if (choice.kind == TransitionKind::member_dies
               || choice.kind == TransitionKind::member_started) {
        trace.set("member", model.members[choice.index].name);
    } else if (choice.kind == TransitionKind::host_lost
               || choice.kind == TransitionKind::host_back) {
        trace.set("host", model.hosts[choice.index]);
    } else if (choice.kind == TransitionKind::law_fires) {
        trace.set("store", model.stores[model.rises[choice.index].store].name);
    }
    return trace;
}

std::vector<std::string> running_now(const Model& model, const Byte* row) {
    std::vector<std::string> texts;
    for (const Member& member : model.members) {
        if (member.running != k_no_offset) {
            const auto& value = model.values.at(row[member.running]);
            texts.push_back(fmt::format("{} {}",
                                        member.name,
                                        value.status == model::ObservationStatus::known
                                            ? "runs " + value.value.show()
                                            : "is down"));
        }
    }
    return texts;
}

// Instances of one store mostly have one format, so equal texts are merged.
std::string stores_now(const Model& model, const Byte* row) {
    std::vector<std::string> texts;
    for (const Store& store : model.stores) {
        for (const Offset offset : store.at) {
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
std::string because_of(const Model& model, Property property, const Path& walk) {
    const std::string title = is_about_action(walk.last.kind)
                                  ? model.plan.actions[walk.last.index].title
                                  : trace_step_of(model, walk.before.data(), walk.last).text;
    const std::string now = join(running_now(model, walk.row.data()), ", ");
    switch (property) {
    case Property::unreadable_start:
        return fmt::format("\"{}\" starts a release on a store that it cannot read ({})",
                           title,
                           stores_now(model, walk.before.data()));
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
    case Property::left_behind:
        return "the plan has ended, and what it switched for its own time is not as it was";
    case Property::alone:
        return fmt::format("\"{}\" is under way beside another one that must be alone", title);
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
    case Property::left_behind:
        return "switch it back before the end, on every way there";
    case Property::alone:
        return "let one wait for the other, or take one member at a time";
    }
    return {};
}

// Rebuilds a path. The full generator is tried first, then the reduced one of the search. Its
// steps may be about another member of an orbit. If neither has a successor that fits, the row of
// the search is taken over. Such a path has no events, because no run could record it.
class PathBuilder {
public:
    PathBuilder(const Model& model, const Options& options, const Search& search)
        : model_(model)
        , search_(search)
        , explorer_(model, options.faults, options.operator_repairs, options.back != nullptr)
        , reduced_(model,
                   options.faults,
                   options.operator_repairs,
                   options.back != nullptr,
                   options.resolve_local)
        , shortcuts_(options.resolve_local)
        , symmetry_(search.symmetry())
        , rows_{model.first} {}

    // Goes from the initial row to the row `id`, along the parents.
    void walk_to(std::uint32_t id) {
        std::vector<std::uint32_t> path;
        for (std::uint32_t ancestor = id; ancestor != k_no_state;
             ancestor = search_.parent(ancestor)) {
            path.push_back(ancestor);
        }
        for (std::size_t i = path.size() - 1; i > 0; --i) {
            const Byte* target_row = search_.row(path[i - 1]);
            const bool walked = step([&](const Successors& batch, std::size_t index) {
                return leads_to(batch.row(index), target_row);
            });
            if (!walked) {
                CHECK(shortcuts_);
                transitions_.emplace_back(std::nullopt);
                rows_.emplace_back(target_row, target_row + model_.size);
            }
        }
    }

    // Takes the first transition that passes the test. Returns false if none does.
    template <class Test>
    bool step(const Test& is_it) {
        return step_of(explorer_, is_it) || (shortcuts_ && step_of(reduced_, is_it));
    }

    [[nodiscard]] Path walk() const {
        Path walk;
        for (std::size_t i = 0; i < transitions_.size(); ++i) {
            walk.steps.push_back(
                transitions_[i]
                    ? trace_step_of(model_, rows_[i].data(), *transitions_[i])
                    : TraceStep{
                          sentence_of(TransitionKind::settled),
                          Json::Object{{"what", std::string(name_of(TransitionKind::settled))}}});
        }
        walk.row = rows_.back();
        walk.before = rows_.size() > 1 ? rows_[rows_.size() - 2] : rows_.back();
        walk.last =
            transitions_.empty() ? Transition() : transitions_.back().value_or(Transition());
        const bool is_whole = std::all_of(transitions_.begin(),
                                          transitions_.end(),
                                          [](const auto& choice) { return choice.has_value(); });
        walk.events = is_whole ? events_of(model_, events_) : std::vector<run::CompactEvent>();
        return walk;
    }

private:
    // Expands the last row. next_ is the successor under test: leads_to() may swap members in it.
    template <class Test>
    bool step_of(SuccessorGenerator& explorer, const Test& is_it) {
        Successors batch(model_.size, true);
        explorer.expand(rows_.back().data(), batch);
        for (std::size_t i = 0; i < batch.size(); ++i) {
            next_.assign(batch.row(i), batch.row(i) + model_.size);
            if (is_it(batch, i)) {
                transitions_.emplace_back(batch.choice(i));
                rows_.push_back(next_);
                const auto events = batch.events(i);
                events_.insert(events_.end(), events.begin(), events.end());
                return true;
            }
        }
        return false;
    }

    // True if `row` sorts to the target, perhaps after a swap of two members in the whole path.
    bool leads_to(const Byte* row, const Byte* target_row) {
        if (is_sorted_as(target_row)) {
            return true;
        }
        const auto& naming = symmetry_.naming();
        const auto exchanges = naming ? naming->exchanges(rows_.back().data(), row)
                                      : std::vector<std::pair<Index, Index>>();
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
        return std::memcmp(sorted_.data(), target_row, model_.size) == 0;
    }

    // Swaps two members in the path so far: rows, deaths, starts and hosts. No action of either has
    // begun, so transitions of actions stay.
    void rename(Index first, Index second) {
        for (auto& row : rows_) {
            symmetry_.naming()->exchange(first, second, row.data());
        }
        const auto host = [&](Index member) { return model_.members[member].host; };
        for (auto& choice : transitions_) {
            const TransitionKind kind = choice ? choice->kind : TransitionKind::begun;
            if (kind == TransitionKind::member_dies || kind == TransitionKind::member_started) {
                choice->index = exchanged(choice->index, first, second);
            } else if (kind == TransitionKind::host_lost || kind == TransitionKind::host_back) {
                choice->index = exchanged(choice->index, host(first), host(second));
            }
        }
    }

    static Index exchanged(Index index, Index first, Index second) {
        return index == first ? second : index == second ? first : index;
    }

    const Model& model_;
    const Search& search_;
    SuccessorGenerator explorer_;
    SuccessorGenerator reduced_;  // as in the search
    bool shortcuts_;
    Symmetry symmetry_;
    std::vector<std::vector<Byte>> rows_;
    std::vector<std::optional<Transition>>
        transitions_;  // nothing: a row of the search was taken over
    std::vector<run::CompactEvent> events_;
    std::vector<Byte> next_;
    std::vector<Byte> sorted_;
};

}  // namespace

// The model drops attempt numbers, so they are counted here. An operator resumes with a new
// conductor.
std::vector<run::CompactEvent> events_of(const Model& model,
                                         const std::vector<run::CompactEvent>& walked) {
    using run::EventType;
    std::vector<int> attempts(model.acts.size(), 0);
    std::vector<run::CompactEvent> events = {{EventType::run_created},
                                             {EventType::conductor_started}};
    for (run::CompactEvent event : walked) {
        if (event.type == EventType::run_resumed) {
            events.push_back({EventType::conductor_started});
        }
        attempts[event.action] += event.type == EventType::action_intended ? 1 : 0;
        event.attempt = event.attempt == 0 ? 0 : attempts[event.action];
        events.push_back(event);
    }
    return events;
}

TraceStep trace_step_of(const Model& model, const Byte* previous_row, Transition choice) {
    return {text_of(model, previous_row, choice), trace_of(model, choice)};
}

Path walk_to(const Model& model, const Options& options, const Search& search, std::uint32_t id) {
    PathBuilder walker(model, options, search);
    walker.walk_to(id);
    return walker.walk();
}

Path walk_to(const Model& model,
             const Options& options,
             const Search& search,
             const ViolatingStep& breach,
             Property property) {
    PathBuilder walker(model, options, search);
    walker.walk_to(breach.from);
    const bool walked = walker.step([&](const Successors& batch, std::size_t index) {
        return (batch.broken(index) & mask_of(property)) != 0
               && batch.choice(index).kind == breach.choice.kind;
    });
    CHECK(walked || options.resolve_local);
    return walker.walk();
}

Violation tell(const Model& model, Property property, Path walk) {
    Violation violation;
    violation.property = property;
    violation.because = because_of(model, property, walk);
    violation.hint = hint_of(property);
    if (is_about_action(walk.last.kind)) {
        violation.action = model.plan.actions[walk.last.index].id;
        violation.source = model.plan.actions[walk.last.index].source;
    }
    violation.story = std::move(walk.steps);
    violation.events = std::move(walk.events);
    return violation;
}

}  // namespace drydock::checker
