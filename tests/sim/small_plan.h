// Small plans, built by hand, for tests of the laws that the modelled system obeys.
#pragma once

#include "model/plan.h"
#include "sim/modelled_system.h"

#include <set>
#include <string>
#include <vector>

namespace drydock::sim {

// A rolling plan from 1.0 to 2.0 for members m1, m2, ... of the role "member", each on a host of
// its own. It has no actions yet.
class SmallPlan {
public:
    // `up`: whether the members run 1.0 at first.
    explicit SmallPlan(int members, bool up = true);

    // Declares a fact with its value at first; null: absent.
    model::FactSource& fact(const std::string& member,
                            const std::string& name,
                            Json value,
                            model::StandardFact binds = model::StandardFact::none);
    // A store of all members, or of each, with the formats 1 and 2, which the system's level tells
    // if it is shared. 1.0 reads 1, and 2.0 reads both and writes 2.
    model::PlanStore& store(const std::string& name, bool is_shared, model::FormatTrigger raises);
    // Adds an action that follows the one before it.
    model::Action& action(const std::string& id, model::Verb verb, const std::string& member = "");
    void stop(const std::string& member);
    void start(const std::string& member, const std::string& release);
    // Adds the actions of a restart on 2.0: stop, install, start.
    void roll(const std::string& member);

    model::Plan plan;
};

model::Effect becomes(const std::string& member, const std::string& fact, Json value);
model::Effect on_store(model::EffectKind kind, const std::string& store);

// Returns the properties that some seeds break.
[[nodiscard]] std::set<std::string> broken_by_seeds(const model::Plan& plan, int seeds = 30);

// A modelled system with the facts that the plan is bound to, where nothing happens by itself.
class QuietSystem {
public:
    explicit QuietSystem(const model::Plan& plan);

    // Begins the action and lets it have its effect.
    void carry_out(const std::string& id);

    [[nodiscard]] std::set<std::string> broken() const;
    [[nodiscard]] Json observed(const std::string& key) const;  // null: absent

private:
    const model::Plan& plan_;
    transport::Faults dice_ = transport::Faults(1);
    InitialFacts facts_;

public:
    ModelledSystem system;
};

// Returns a plan in which m1 leads; m2 runs the new release, which cannot read what the leader
// opens.
SmallPlan plan_with_leader();

}  // namespace drydock::sim
