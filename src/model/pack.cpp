// The form of names with a side, and what verbs do.
//
// A role or store of one side is written "server@source"; the part before the "@" is the pack's
// name of it.
#include "model/pack.h"

namespace drydock::model {

std::string sided(std::string_view name, std::string_view side) {
    std::string whole(name);
    return side.empty() ? whole : whole.append("@").append(side);
}

// A name without a side is returned as it is.
std::string without_side(std::string_view name) {
    return std::string(name.substr(0, name.find('@')));
}

// These verbs change the release that a member runs, or will run.
bool changes_running_release(Verb verb) {
    return verb == Verb::stop || verb == Verb::install || verb == Verb::start
           || verb == Verb::restart;
}

}  // namespace drydock::model
