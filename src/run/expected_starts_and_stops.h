// The expected facts of members that an action takes down or brings up: what a pack need not say
// beside an effect on what runs. For expected_facts.cpp only.
#pragma once

#include "model/plan.h"
#include "run/expected_facts.h"

#include <map>
#include <string>

namespace drydock::run {

// A member that goes down is not ready, and its service has stopped. One that comes up runs its
// service, and is ready. What the action says of these facts itself counts instead. But what comes
// up is what is installed, if a fact tells that, whatever the action says.
class ExpectedStartsAndStops {
public:
    // Both must outlive this object.
    ExpectedStartsAndStops(const model::Plan& plan, ExpectedFacts& facts)
        : plan_(plan)
        , facts_(facts) {}

    // `status` tells whether the effects are certain.
    void apply(const model::Action& action, Status status);

private:
    struct Facts {
        std::string ready;
        std::string service;
        std::string running;
        std::string installed;
    };

    [[nodiscard]] const Facts& facts_of(const std::string& member);
    void
    tell(const model::Action& action, const std::string& key, const Json& value, Status status);
    void tell_installed(const model::Action& action, const Facts& facts);
    void tell_possible_start(const Facts& facts);
    void tell_meanwhile(const model::Action& action, const std::string& key, const Json& value);

    const model::Plan& plan_;
    ExpectedFacts& facts_;
    std::map<std::string, Facts> keys_;  // by member; filled when it is first asked for
};

}  // namespace drydock::run
