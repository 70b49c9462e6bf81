#include "reference/reference.h"

#include "base/text.h"
#include "model/version.h"
#include "reference/breadth_first_search.h"
#include "reference/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::reference {

namespace {

using checker::Property;
using run::Phase;
using run::Status;

constexpr checker::Faults k_no_faults = {0, 0, 0, 0, 0};

bool says_remedy(const model::Action& action) {
    const auto says = [](const std::vector<model::Condition>& conditions) {
        return std::any_of(conditions.begin(), conditions.end(), [](const auto& one) {
            return !one.remedy.empty();
        });
    };
    return !action.remedy.empty() || says(action.preconditions) || says(action.postconditions);
}

using Test = bool (*)(Status, const model::Action&);

bool any_failed(const Model& model, const World& world, Test test) {
    const run::State state = model.state(world);
    for (std::size_t i = 0; i < model.plan.actions.size(); ++i) {
        const Status status = state.status(i);
        if (has_failed(status) && test(status, model.plan.actions[i])) {
            return true;
        }
    }
    return false;
}

// It is finished, or halted where the pack tells a person what to do, or a host is to be brought
// back.
bool is_an_end(const Model& model, const World& world) {
    const auto has_remedy = [](Status status, const model::Action& action) {
        return status == Status::unreachable || says_remedy(action);
    };
    return is_in(world, Phase::finished)
           || (is_in(world, Phase::halted) && any_failed(model, world, has_remedy));
}

// It halted at what may not run twice, and nobody tells a person how to find out whether it ran.
bool is_left_alone(const Model& model, const World& world) {
    const auto untold = [](Status status, const model::Action& action) {
        return status == Status::failed && action.repeatable == model::Repeatable::no
               && !action.request.is_null() && !says_remedy(action);
    };
    return is_in(world, Phase::halted) && any_failed(model, world, untold);
}

// One plan, and the questions that need more than one step.
class Reference {
public:
    Reference(const model::Plan& plan, const Request& request)
        : request_(request)
        , model_(plan)
        , walk_(model_, request.faults, request, request.first_only)
        , forward_(static_cast<bool>(request.back)
                   && model::compare_versions(plan.from_version, plan.to_version) < 0) {}

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

    // Nothing is in flight, all hosts answer, nothing has closed the way back, and nobody has
    // approved and begun what closes it.
    [[nodiscard]] bool is_back_asked(const World& world) const {
        const run::State state = model_.state(world);
        for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
            const Status status = state.status(i);
            if (status == Status::intended || status == Status::lost || status == Status::ready) {
                return false;
            }
        }
        return !model_.closed_at_first && world.away.empty()
               && !(is_approved(model_, world) && world.closed) && !is_closing(model_, world);
    }

    [[nodiscard]] bool has_way_back(const World& world) {
        World plain = world;  // but what the run and the faults left in it
        plain.run.clear();
        plain.ran.clear();
        plain.half_done.clear();
        plain.closed = false;
        plain.used = {};
        const auto known = ways_back_.find(plain);
        if (known != ways_back_.end()) {
            return known->second;
        }
        return ways_back_[plain] = try_way_back(world);
    }

    // Nobody runs the new release or has it installed, and all else but who is down is as at first:
    // there is nothing to take back.
    [[nodiscard]] bool is_untouched(const World& world) const {
        std::set<std::string> told;
        for (const model::PlanStore& store : model_.plan.stores) {
            told.insert(store.clean_stop.begin(), store.clean_stop.end());
        }
        for (const std::string& member : model_.plan.members()) {
            for (const char* standard : {"running", "installed", "ready", "service", "leads"}) {
                told.insert(model_.key_of(member, standard));
            }
            for (const char* standard : {"running", "installed"}) {
                const std::string& key = model_.key_of(member, standard);
                if (key.empty() || !model_.has(key)) {
                    continue;
                }
                const model::Observation& value = model_.value(world, key);
                if (value.status == model::ObservationStatus::known
                    && value.value.show() != model_.plan.from_version) {
                    return false;
                }
            }
        }
        for (const auto& [key, owner] : model_.owners()) {
            const auto& now = model_.value(world, key);
            const auto& then = model_.value(model_.first, key);
            if (!told.contains(key) && (now.status != then.status || now.value != then.value)) {
                return false;
            }
        }
        return world.stores.formats == model_.first.stores.formats;
    }

    [[nodiscard]] bool try_way_back(const World& world) {
        if (is_untouched(world)) {
            return true;
        }
        Origin origin = {model_.survey(world), world.stores, {}};
        for (const auto& [key, owner] : model_.owners()) {
            origin.modelled.push_back(key);
        }
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

    // It is certain to be finished, and whenever it is, the old release runs, can read its stores,
    // and what was switched for a time is switched back.
    [[nodiscard]] bool ends_well(Model& back, const Walk& walk) const {
        std::set<const World*> sure;
        for (bool moved = true; moved;) {
            moved = false;
            for (const World* world : walk.order()) {
                if (!sure.contains(world) && is_sure(back, walk, *world, sure)) {
                    sure.insert(world);
                    moved = true;
                }
            }
        }
        return sure.contains(walk.order().front())
               && std::all_of(walk.order().begin(), walk.order().end(), [&](const World* world) {
                      return !is_in(*world, Phase::finished)
                             || (runs_release(back, *world) && misreading(back, *world).empty()
                                 && !leaves_behind(back, model_.plan.temporaries, true, *world));
                  });
    }

    // After a halt a person does what serves. Else everything that can happen must lead to an end;
    // but where nobody models whether an action is to be skipped, one of the two answers does.
    [[nodiscard]] bool is_sure(Model& back,
                               const Walk& walk,
                               const World& world,
                               const std::set<const World*>& sure) const {
        if (is_in(world, Phase::finished)) {
            return true;
        }
        std::map<std::string, bool> answers;  // what happens, a `when` and its guard as one
        for (const Step& step : steps(back, world, k_no_faults, request_.pace)) {
            const std::string action = step.what.substr(step.what.find(' ') + 1);
            const bool judged =
                step.what.starts_with("skipped ") || step.what.starts_with("judged_yes ");
            bool& good = answers[judged ? action : step.what];
            good = good || sure.contains(walk.find(step.to));
        }
        const auto is_good = [](const auto& one) { return one.second; };
        return is_in(world, Phase::halted) ? std::any_of(answers.begin(), answers.end(), is_good)
               : answers.empty()           ? false
                                           : std::all_of(answers.begin(), answers.end(), is_good);
    }

    // A role that had somebody who votes has nobody.
    static bool has_lost_voters(const Model& model, const World& world) {
        const auto any_votes = [&](const model::PlanRole& role, const World& where) {
            return std::any_of(role.members.begin(), role.members.end(), [&](const auto& member) {
                return votes(model, member, where);
            });
        };
        const auto& roles = model.plan.roles;
        return model.plan.kind != "side-by-side"
               && std::any_of(roles.begin(), roles.end(), [&](const model::PlanRole& role) {
                      return any_votes(role, model.first) && !any_votes(role, world);
                  });
    }

    // Whom the plan takes down or brings up runs what it leads to, but who is left down for good by
    // one of two sides, or is down and votes no more.
    static bool runs_release(const Model& model, const World& world) {
        std::map<std::string, bool> handled;  // whether it is brought up
        for (const model::Action& action : model.plan.actions) {
            for (const model::Effect& effect : action.effects) {
                const bool running = effect.kind == model::EffectKind::becomes
                                     && !effect.member.empty()
                                     && model::fact_key(effect.member, effect.name)
                                            == model.key_of(effect.member, "running");
                if (running) {
                    bool& up = handled[effect.member];
                    up = up || !effect.value.is_null();
                }
            }
        }
        return !has_lost_voters(model, world)
               && std::all_of(handled.begin(), handled.end(), [&](const auto& one) {
                      return model.runs(world, one.first) == model.plan.to_version
                             || (!one.second && model.plan.kind == "side-by-side")
                             || (model.is_down(world, one.first)
                                 && !votes(model, one.first, world));
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
            const bool alone = is_left_alone(model_, *world);
            for (const Step& step : alone ? std::vector<Step>() : steps_from(*world)) {
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

    [[nodiscard]] std::vector<Step> steps_from(const World& world) {
        return steps(model_, world, k_no_faults, request_.pace);
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
        for (const World* world : order) {
            if (is_in(*world, Phase::finished) && !runs_release(model_, *world)) {
                verdict.broken.emplace(Property::stuck, calm.way_to(*world));
                return;
            }
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
            const bool has_way = has_way_back(world);
            if (has_way || !is_approved(model_, world)) {
                return has_way;
            }
        }
        const auto& ways = model_.plan.ways_back;
        return std::any_of(ways.begin(), ways.end(), [](const auto& way) {
            return way.kind != model::RecoveryKind::downgrade;
        });
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
