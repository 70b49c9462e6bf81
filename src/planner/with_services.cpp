#include "planner/compile.h"

namespace drydock::planner {

namespace {

using model::ObservationStatus;

bool is_state(const model::Observation& service, std::string_view state) {
    return service.status == ObservationStatus::known && service.value == Json(std::string(state));
}

}  // namespace

model::FactBook with_services(const model::Pack& pack,
                              const model::Cluster& cluster,
                              const model::FactBook& facts) {
    model::FactBook following = facts;
    for (const model::Member& member : cluster.members) {
        const auto running = following.find(model::fact_key(
            member.name, bound_fact(pack, member.role, model::StandardFact::running)));
        const auto service = following.find(
            model::fact_key(member.name, fact_of_kind(pack, member.role, "service")));
        if (running == following.end() || service == following.end()) {
            continue;
        }
        if (running->second.status == ObservationStatus::absent
            && is_state(service->second, "running")) {
            service->second.value = "stopped";
        } else if (running->second.status == ObservationStatus::known
                   && is_state(service->second, "stopped")) {
            service->second.value = "running";
        }
    }
    return following;
}

}  // namespace drydock::planner
