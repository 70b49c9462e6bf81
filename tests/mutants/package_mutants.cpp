// Packages under the laws: one command installs for all members of a host.
#include "mutants/law_operators.h"

#include <algorithm>

namespace drydock::mutants {

namespace {

using model::Action;
using model::Effect;
using model::Plan;

// The member for which it installs besides its own, or nobody.
std::string mate_of(const Action& action) {
    for (const Effect& effect : action.effects) {
        if (effect.name == "installed" && effect.member != action.member) {
            return effect.member;
        }
    }
    return "";
}

bool installs_for_several(const Action& action) {
    return action.verb == model::Verb::install && !mate_of(action).empty();
}

}  // namespace

// It waits for all stops but that of the other member on its host.
std::vector<Mutant>
install_package_before_other_stops(const Base& base, const Plan& plan, const char* kind) {
    return each(kind, base, plan, installs_for_several, [&](Plan& broken, std::size_t index) {
        std::vector<std::size_t> stops;
        for (std::size_t i = 0; i < plan.actions.size(); ++i) {
            const Action& one = plan.actions[i];
            if (one.verb == model::Verb::stop && one.member != mate_of(plan.actions[index])) {
                stops.push_back(i);
            }
        }
        broken.actions[index].predecessors = stops;
    });
}

// The other member on its host starts what it had.
std::vector<Mutant> install_package_for_one(const Base& base, const Plan& plan, const char* kind) {
    return each(kind, base, plan, installs_for_several, [](Plan& broken, std::size_t index) {
        Action& package = broken.actions[index];
        std::erase_if(package.effects, [&](const Effect& effect) {
            return effect.name == "installed" && effect.member != package.member;
        });
    });
}

}  // namespace drydock::mutants
