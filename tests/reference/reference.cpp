#include "reference/reference.h"

#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::reference {

namespace {

using checker::Property;
using run::Phase;
using run::Status;

constexpr checker::Faults k_no_faults = {0, 0, 0, 0, 0};

bool is_in(const World& world, Phase phase) {
    return world.run.front() == static_cast<run::State::Cell>(phase);
}

struct Place {
    int depth = 0;
    const World* from = nullptr;
    std::string how;
};

// Every world that is reached, with the shortest way to it; and each broken property, likewise.
class Walk {
public:
    Walk(Model& model,
         const checker::Faults& faults,
         const Request& request,
         bool first_only = false)
        : model_(model)
        , faults_(faults)
        , pace_(request.pace)
        , worlds_max_(request.worlds_max)
        , first_only_(first_only) {}

    // False: there were too many.
    bool run() {
        order_.push_back(&places_.emplace(model_.first, Place{}).first->first);
        for (std::size_t i = 0; i < order_.size(); ++i) {
            if (places_.size() > worlds_max_) {
                return false;
            }
            for (Step& step : steps(model_, *order_[i], faults_, pace_)) {
                take(*order_[i], std::move(step));
            }
            if (first_only_ && !broken_.empty()) {
                return true;
            }
        }
        return true;
    }

    [[nodiscard]] const std::vector<const World*>& order() const { return order_; }

    [[nodiscard]] const std::map<Property, Finding>& broken() const { return broken_; }

    [[nodiscard]] Finding way_to(const World& world) const {
        Finding finding;
        for (const World* at = &world; at != nullptr; at = places_.at(*at).from) {
            const Place& place = places_.at(*at);
            if (place.from != nullptr) {
                finding.story.insert(finding.story.begin(), place.how);
            }
        }
        finding.length = static_cast<int>(finding.story.size());
        return finding;
    }

    [[nodiscard]] int depth(const World& world) const { return places_.at(world).depth; }

    [[nodiscard]] const World* find(const World& world) const {
        const auto it = places_.find(world);
        return it == places_.end() ? nullptr : &it->first;
    }

private:
    void take(const World& from, Step step) {
        for (const Property property : step.broken) {
            if (!broken_.contains(property)) {
                Finding finding = way_to(from);
                ++finding.length;
                finding.story.push_back(step.what);
                broken_.emplace(property, std::move(finding));
            }
        }
        const int depth = places_.at(from).depth + 1;
        const auto [at, fresh] =
            places_.try_emplace(std::move(step.to), Place{depth, &from, step.what});
        if (fresh) {
            order_.push_back(&at->first);
        }
    }

    Model& model_;
    checker::Faults faults_;
    Pace pace_;
    std::size_t worlds_max_;
    bool first_only_;
    std::map<World, Place> places_;
    std::vector<const World*> order_;  // as reached: by depth
    std::map<Property, Finding> broken_;
};

bool says_remedy(const model::Action& action) {
    const auto says = [](const std::vector<model::Condition>& conditions) {
        return std::any_of(conditions.begin(), conditions.end(), [](const auto& one) {
            return !one.remedy.empty();
        });
    };
    return !action.remedy.empty() || says(action.guard) || says(action.then);
}

// It is finished, or halted where the pack tells a person what to do.
bool is_an_end(const Model& model, const World& world) {
    const run::State state = model.state(world);
    bool told = false;
    for (std::size_t i = 0; i < model.plan.actions.size(); ++i) {
        told = told || (state.status(i) == Status::failed && says_remedy(model.plan.actions[i]));
    }
    return is_in(world, Phase::finished) || (is_in(world, Phase::halted) && told);
}

// One plan, and the questions that need more than one step.
class Reference {
public:
    Reference(const model::Plan& plan, const Request& request)
        : request_(request)
        , model_(plan)
        , walk_(model_, request.faults, request, request.first_only)
        , forward_(static_cast<bool>(request.back)
                   && model::compare_versions(plan.from, plan.to) < 0) {}

    Verdict run() {
        Verdict verdict;
        verdict.whole = walk_.run();
        verdict.broken = walk_.broken();
        verdict.worlds = walk_.order().size();
        if (request_.first_only && !verdict.broken.empty()) {
            return verdict;
        }
        if (verdict.whole && forward_) {
            look_for_ways_back(verdict);
        }
        if (verdict.whole) {
            look_for_ends(verdict);
        }
        verdict.ways_back = ways_back_.size();
        return verdict;
    }

private:
    void look_for_ways_back(Verdict& verdict) {
        for (const World* world : walk_.order()) {
            if (is_back_asked(*world) && !has_way_back(*world)) {
                verdict.broken.emplace(Property::no_way_back, walk_.way_to(*world));
                return;
            }
        }
    }

    // Nothing is in flight, all hosts answer, nobody approved the point of no return, and nothing
    // has closed the way back.
    [[nodiscard]] bool is_back_asked(const World& world) const {
        const run::State state = model_.state(world);
        for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
            const Status status = state.status(i);
            if (status == Status::intended || status == Status::lost || status == Status::ready) {
                return false;
            }
        }
        return !model_.closed_at_first && world.away.empty() && !is_approved(model_, world)
               && !is_closing(model_, world);
    }

    [[nodiscard]] bool has_way_back(const World& world) {
        World plain = world;  // but what the run and the faults left in it
        plain.run.clear();
        plain.ran.clear();
        plain.used = {};
        const auto known = ways_back_.find(plain);
        if (known != ways_back_.end()) {
            return known->second;
        }
        return ways_back_[plain] = try_way_back(world);
    }

    // Nobody runs the new release, and nobody has it installed: there is nothing to take back.
    [[nodiscard]] bool is_untouched(const World& world) const {
        for (const std::string& member : model_.plan.members()) {
            for (const char* standard : {"running", "installed"}) {
                const std::string& key = model_.key_of(member, standard);
                if (key.empty() || !model_.has(key)) {
                    continue;
                }
                const model::Observation& value = model_.value(world, key);
                if (value.status == model::Known::known && value.value.show() != model_.plan.from) {
                    return false;
                }
            }
        }
        return true;
    }

    [[nodiscard]] bool try_way_back(const World& world) {
        if (is_untouched(world)) {
            return true;
        }
        const Origin origin = {model_.survey(world), world.formats, world.copies, world.written};
        const auto plan = request_.back(origin.facts);
        if (!plan) {
            return false;
        }
        Model back(*plan, &origin);
        Walk walk(back, k_no_faults, request_);
        return walk.run() && !breaks(walk) && ends_well(back, walk);
    }

    static bool breaks(const Walk& walk) {
        const auto& broken = walk.broken();
        return std::any_of(broken.begin(), broken.end(), [](const auto& one) {
            return one.first != Property::twice && one.first != Property::unasked_return_point;
        });
    }

    // It is finished in some way, and whenever it is, the old release runs.
    static bool ends_well(const Model& back, const Walk& walk) {
        bool ends = false;
        for (const World* world : walk.order()) {
            ends = ends || is_in(*world, Phase::finished);
            if (is_in(*world, Phase::finished) && !runs_old_release(back, *world)) {
                return false;
            }
        }
        return ends;
    }

    static bool runs_old_release(const Model& back, const World& world) {
        return std::all_of(
            back.plan.actions.begin(), back.plan.actions.end(), [&](const auto& action) {
                return std::all_of(
                    action.effects.begin(), action.effects.end(), [&](const auto& effect) {
                        const bool running = effect.kind == "becomes" && !effect.member.empty()
                                             && model::fact_key(effect.member, effect.name)
                                                    == back.key_of(effect.member, "running");
                        return !running || back.runs(world, effect.member) == back.plan.to;
                    });
            });
    }

    // Worlds from which the run comes to an end if nothing fails any more.
    [[nodiscard]] std::set<const World*> worlds_that_end() {
        std::map<const World*, std::vector<const World*>> before;
        std::deque<const World*> open;
        for (const World* world : walk_.order()) {
            if (is_an_end(model_, *world)) {
                open.push_back(world);
            }
            for (const Step& step : steps(model_, *world, k_no_faults, request_.pace)) {
                if (const World* next = walk_.find(step.to)) {
                    before[next].push_back(world);
                }
            }
        }
        std::set<const World*> ends(open.begin(), open.end());
        for (; !open.empty(); open.pop_front()) {
            for (const World* world : before[open.front()]) {
                if (ends.insert(world).second) {
                    open.push_back(world);
                }
            }
        }
        return ends;
    }

    void look_for_ends(Verdict& verdict) {
        Walk calm(model_, k_no_faults, request_);
        (void)calm.run();
        const auto& order = calm.order();
        if (std::none_of(order.begin(), order.end(), [](const World* world) {
                return is_in(*world, Phase::finished);
            })) {
            verdict.broken.emplace(Property::stuck, Finding());
            verdict.never = true;
            return;
        }
        const auto ends = worlds_that_end();
        for (const World* world : walk_.order()) {
            if (!ends.contains(world) && is_in(*world, Phase::halted) && !has_other_end(*world)) {
                verdict.broken.emplace(Property::stuck, walk_.way_to(*world));
                return;
            }
        }
    }

    [[nodiscard]] bool has_other_end(const World& world) {
        if (forward_ && is_back_asked(world)) {
            return has_way_back(world);
        }
        const auto& ways = model_.plan.ways_back;
        return std::any_of(
            ways.begin(), ways.end(), [](const auto& way) { return way.kind != "downgrade"; });
    }

    const Request& request_;
    Model model_;
    Walk walk_;
    bool forward_;
    std::map<World, bool> ways_back_;
};

}  // namespace

Verdict explore(const model::Plan& plan, const Request& request) {
    return Reference(plan, request).run();
}

std::string names(const Verdict& verdict) {
    std::vector<std::string> words;
    for (const auto& [property, finding] : verdict.broken) {
        words.emplace_back(checker::name_of(property));
    }
    return words.empty() ? "nothing" : join(words, ", ");
}

std::string show(const Verdict& verdict) {
    std::vector<std::string> words;
    for (const auto& [property, finding] : verdict.broken) {
        const bool never = property == Property::stuck && verdict.never;
        words.push_back(fmt::format("{} {}",
                                    checker::name_of(property),
                                    never ? "always" : std::to_string(finding.length)));
    }
    return words.empty() ? "nothing" : join(words, ", ");
}

}  // namespace drydock::reference
