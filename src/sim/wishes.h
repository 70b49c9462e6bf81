// Wishes: values for facts that a plan asks about and nobody models, such that its conditions hold.
#pragma once

#include "sim/plan_system.h"

#include <set>

namespace drydock::sim {

class Wishes {
public:
    // Gives facts of `system` their values; both must outlive this.
    Wishes(const model::Plan& plan, PlanSystem& system) : plan_(plan), system_(system) {}

    [[nodiscard]] model::Verdict judge(const model::Condition& condition,
                                       const std::string& member) const;
    // Makes the condition hold without touching facts in `fixed`; what was set is added to `set`.
    // False if it cannot be done.
    bool grant(const model::Condition& condition,
               const std::string& member,
               const std::set<std::string>& fixed,
               Settings& set);
    // The facts that its probes need first get some value.
    void grant_inputs(const model::Condition& condition,
                      const std::string& member,
                      const std::set<std::string>& fixed,
                      Settings& set);

private:
    void
    give(const std::string& key, Json value, const std::set<std::string>& fixed, Settings& set);
    void give_derived(const model::FactSource& source,
                      const Json& value,
                      const std::set<std::string>& fixed,
                      Settings& set);
    void give_something(const std::string& key, const std::set<std::string>& fixed, Settings& set);

    const model::Plan& plan_;
    PlanSystem& system_;
};

}  // namespace drydock::sim
