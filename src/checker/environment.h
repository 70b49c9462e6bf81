// Environment: what happens without a command. Answers of hosts to commands in flight, deaths, lost
// hosts, laws that fire; and the repairs of an operator after a halt.
#pragma once

#include "checker/expansion.h"
#include "checker/partial_order.h"

#include <vector>

namespace drydock::checker {

class Environment {
public:
    // `any_member_may_die`: members also die where no step observes them.
    explicit Environment(bool any_member_may_die) : any_member_may_die_(any_member_may_die) {}

    void expand(Expansion& expansion,
                PartialOrderReduction& order,
                const std::vector<run::Command>& commands);

private:
    void find_observable_members(const Expansion& expansion,
                                 const std::vector<run::Command>& commands);
    void observe(const std::vector<Index>& members);
    void observe_action(const ActionModel& act, const std::vector<Index>& members);
    void lose_members(Expansion& expansion) const;
    void lose_hosts(Expansion& expansion) const;

    bool any_member_may_die_;
    std::vector<bool> observable_members_;  // members that a pending step observes or changes
};

// The operator has three kinds of steps after a halt: resume the run, start a member that should be
// up, bring a host back.
void expand_operator_repairs(Expansion& expansion);

}  // namespace drydock::checker
