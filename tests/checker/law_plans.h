// Small plans for one law each, built by hand: one role `db` with members m1.., a store `data`, and
// the actions of a test in a row.
#pragma once

#include "checker/plans.h"

#include <string>
#include <vector>

namespace drydock::checker {

class LawPlan {
public:
    // All members run `from`, 1.0, with 1.0 installed; the plan leads to 2.0.
    explicit LawPlan(int members);

    // Adds the store `data` with the formats 1 and 2, its own for each member or shared. 1.0 reads
    // and writes 1; 2.0 reads 1 and 2, and raises to 2 by the trigger.
    model::PlanStore& store(bool shared, model::FormatTrigger raises);
    // Adds a fact of a member (empty: the system's), which the survey has found with this value.
    void fact(const std::string& member,
              const std::string& name,
              const Json& value,
              model::StandardFact binds = model::StandardFact::none);
    // The member is down when the plan is made.
    void down(const std::string& member);

    // Adds an action after the last one. It is repeatable, and carried out on a host.
    model::Action& act(const std::string& id, model::Verb verb, const std::string& member);
    model::Action& stop(const std::string& member);
    model::Action& install(const std::string& member);
    model::Action& start(const std::string& member);
    // stop, install and start.
    void roll(const std::string& member);
    // Adds an approved gate for the point of no return.
    void gate();
    // Lets the action wait for the same as the one before it: both may be in flight.
    static void beside(model::Plan& plan);

    model::Plan plan;
};

[[nodiscard]] model::Effect
becomes(const std::string& member, const std::string& fact, const Json& value);
[[nodiscard]] model::Effect on_store(model::EffectKind kind, const std::string& member = "");
// "fact is value", of this member, or of the system.
[[nodiscard]] model::Condition
is(const std::string& fact, const Json& value, bool of_member = true);

// Checks with small budgets; no ways back.
[[nodiscard]] Report check_law(const model::Plan& plan, const Faults& faults = {1, 0, 1, 0, 0});

}  // namespace drydock::checker
