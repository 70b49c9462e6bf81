// ConditionSolver: finds values for facts that are not modelled, such that the conditions of a plan
// hold.
#pragma once

#include "sim/modelled_system.h"

#include <map>
#include <set>
#include <string>

namespace drydock::sim {

class ConditionSolver {
public:
    // Assigns facts of `system`. Plan and system must outlive the solver.
    ConditionSolver(const model::Plan& plan, ModelledSystem& system);

    [[nodiscard]] model::Verdict judge(const model::Condition& condition,
                                       const std::string& member) const;
    // Makes the condition hold without changing facts in `fixed`, and appends the changes to `set`.
    // Returns false if that is impossible.
    bool satisfy(const model::Condition& condition,
                 const std::string& member,
                 const std::set<std::string>& fixed,
                 Settings& set);
    // Assigns a value to each fact that the probes of the condition read first.
    void satisfy_inputs(const model::Condition& condition,
                        const std::string& member,
                        const std::set<std::string>& fixed,
                        Settings& set);

private:
    // Returns the members that a run asks: those that are up, and those that it never moves.
    [[nodiscard]] model::Roster members_asked(const model::FactBook& now) const;
    [[nodiscard]] model::Verdict judge_of(const model::Roster& asked,
                                          const model::FactBook& now,
                                          const model::Condition& condition,
                                          const std::string& member) const;
    [[nodiscard]] bool holds_for_all(const model::Condition& condition,
                                     const std::string& member) const;
    void
    assign(const std::string& key, Json value, const std::set<std::string>& fixed, Settings& set);
    void assign_derived(const model::FactSource& source,
                        const Json& value,
                        const std::set<std::string>& fixed,
                        Settings& set);
    void assign_default(const std::string& key, const std::set<std::string>& fixed, Settings& set);

    const model::Plan& plan_;
    ModelledSystem& system_;
    model::Roster roster_;
    std::map<std::string, std::string>
        moved_;  // members that actions start or stop: their `running`
};

}  // namespace drydock::sim
