#include "planner/conversions_seen.h"

#include "model/effect_kinds.h"
#include "model/version.h"

namespace drydock::planner {

namespace {

using model::Action;

// Whether the level of the store, the member's own or that of all, is the format that the plan's
// target writes.
Seen is_converted(const PlanBuilder& draft, const std::string& name, const std::string& member) {
    const auto store = draft.request.pack.stores.find(name);
    const auto* law = law_of(draft.request.pack, draft.request.to_version, name);
    if (store == draft.request.pack.stores.end() || store->second.level.empty() || law == nullptr) {
        return Seen::nothing_tells;
    }
    for (const std::string& owner : {member, std::string()}) {
        const auto level = draft.request.facts.find(model::fact_key(owner, store->second.level));
        if (level != draft.request.facts.end()
            && level->second.status == model::ObservationStatus::known) {
            const std::string format = level->second.value.show();
            return format == law->writes || model::version_in_series(format, law->writes)
                       ? Seen::yes
                       : Seen::no;
        }
    }
    return Seen::nothing_tells;
}

}  // namespace

Seen are_converted(const PlanBuilder& draft, const Action& action, const std::string& member) {
    Seen seen = Seen::nothing_tells;
    for (const model::Effect& effect : action.effects) {
        const Seen one = model::converts(effect.kind) ? is_converted(draft, effect.name, member)
                                                      : Seen::nothing_tells;
        if (one == Seen::no) {
            return one;
        }
        seen = one == Seen::yes ? one : seen;
    }
    return seen;
}

}  // namespace drydock::planner
