#include "mutants/mutate.h"

#include "mutants/plan_edits.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::mutants {

namespace {

using model::Action;
using model::Plan;
using model::Repeatable;
using model::Verb;

class Mutator {
public:
    Mutator(const Base& base, const Plan& plan) : base_(base), plan_(plan) {}

    std::vector<Mutant> all() {
        for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
            drop(i);
            drop_conditions(i);
            widen(i);
            swap_with_what_comes_before(i);
            mislabel(i);
            if (plan_.actions[i].is_gate()) {
                move_gate(i);
            }
        }
        plan_with_wrong_reads();
        return std::move(mutants_);
    }

private:
    Plan& add(const char* kind, const std::string& what) {
        mutants_.push_back({kind, fmt::format("{}: {}", base_.name, what), plan_});
        return mutants_.back().plan;
    }

    void drop(std::size_t index) {
        const Action& action = plan_.actions[index];
        const char* kind = action.is_gate()               ? "drop a gate"
                           : action.verb == Verb::backup  ? "drop a backup"
                           : action.verb == Verb::require ? "drop a requirement"
                           : action.verb == Verb::wait    ? "drop a wait"
                                                          : "drop a step";
        remove_action(add(kind, action.id), index);
    }

    void drop_conditions(std::size_t index) {
        const Action& action = plan_.actions[index];
        for (std::size_t k = 0; k < action.preconditions.size(); ++k) {
            auto& guard = add("drop a guard",
                              fmt::format("{}, {}", action.id, describe(action.preconditions[k])))
                              .actions[index]
                              .preconditions;
            guard.erase(guard.begin() + static_cast<std::ptrdiff_t>(k));
        }
        if (!action.postconditions.empty()) {
            const char* kind =
                action.verb == Verb::backup ? "trust a backup unread" : "drop what is waited for";
            add(kind, action.id).actions[index].postconditions.clear();
        }
        if (!action.completion_check.empty()) {
            add("drop a probe", action.id).actions[index].completion_check.clear();
        }
    }

    // Members that wait for each other do so no more.
    void widen(std::size_t index) {
        if (waits_for_others(plan_, index)) {
            add("widen a batch", plan_.actions[index].id).actions[index].predecessors =
                after_without_others(plan_, index);
        }
    }

    void swap_with_what_comes_before(std::size_t index) {
        for (const std::size_t before : plan_.actions[index].predecessors) {
            exchange(
                add("swap two steps",
                    fmt::format("{} and {}", plan_.actions[before].id, plan_.actions[index].id)),
                before,
                index);
        }
    }

    void mislabel(std::size_t index) {
        const Action& action = plan_.actions[index];
        if (action.request.is_null()) {
            return;
        }
        for (const Repeatable label : {Repeatable::yes, Repeatable::no, Repeatable::probe}) {
            if (label != action.repeatable) {
                add("mislabel repeatable", fmt::format("{}, {}", action.id, name_of(label)))
                    .actions[index]
                    .repeatable = label;
            }
        }
        Action& again = add("repeat what may not be repeated", action.id).actions[index];
        again.repeatable = Repeatable::no;
        again.attempts = 2;
    }

    void move_gate(std::size_t index) {
        const std::string& id = plan_.actions[index].id;
        add("move a gate", id + ", names no return point").actions[index].is_point_of_no_return =
            false;
        Plan& last = add("move a gate", id + ", to the end");
        bypass(last, index);
        last.actions[index].predecessors.clear();
        for (std::size_t i = 0; i < last.actions.size(); ++i) {
            if (i != index) {
                last.actions[index].predecessors.push_back(i);
            }
        }
        move_to_front(add("move a gate", id + ", to the front"), index);
    }

    // The pack that the plan was made with was wrong about what a release reads; the stores that
    // the plan is judged by are the true ones.
    void plan_with_wrong_reads() {
        for (const model::PlanStore& store : plan_.stores) {
            for (const auto& [release, law] : store.laws) {
                for (const std::string& format : store.formats) {
                    plan_with_wrong_reads(store.name, release, format);
                }
            }
        }
    }

    void plan_with_wrong_reads(const std::string& store,
                               const std::string& release,
                               const std::string& format) {
        model::Pack pack = base_.site->pack;
        const auto spec = pack.releases.find(release);
        if (spec == pack.releases.end() || !spec->second.laws.contains(store)) {
            return;
        }
        auto& reads = spec->second.laws.at(store).reads;
        const bool had = std::erase(reads, format) != 0;
        if (!had) {
            reads.push_back(format);
        }
        auto plan = base_.plan_with(pack);
        if (!plan) {
            return;  // the planner refuses it
        }
        plan->stores = plan_.stores;
        plan->ways_back = plan_.ways_back;
        mutants_.push_back({"plan with wrong reads",
                            fmt::format("{}: {} {} {} of {}",
                                        base_.name,
                                        release,
                                        had ? "does not read" : "reads",
                                        format,
                                        store),
                            std::move(*plan)});
    }

    const Base& base_;
    const Plan& plan_;
    std::vector<Mutant> mutants_;
};

// What a model sees of an action: two plans that are equal in it are one mutant.
std::string essence(const Plan& plan) {
    Json json = to_json(plan);
    std::string text;
    for (const Json& action : json["actions"].items()) {
        text += action.dump();
    }
    return text;
}

}  // namespace

std::vector<Mutant> mutants_of(const Base& base, const Plan& plan) {
    std::vector<Mutant> all = Mutator(base, plan).all();
    std::set<std::string> known = {essence(plan)};
    std::erase_if(all,
                  [&](const Mutant& mutant) { return !known.insert(essence(mutant.plan)).second; });
    return all;
}

}  // namespace drydock::mutants
