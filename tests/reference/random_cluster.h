// The cluster of a drawn plan: its members, facts, stores and rules; and the lots that are drawn.
#pragma once

#include "model/plan.h"
#include "reference/random.h"

#include <string>

namespace drydock::reference {

using model::FactType;
using model::FormatTrigger;
using model::ObservationStatus;
using model::Plan;
using model::PlanRole;
using model::PlanStore;

class ClusterDrawer : protected Random {
public:
    explicit ClusterDrawer(std::uint64_t seed) : Random(seed) {}

protected:
    // Where members are alike, this one gets the same lots as the others, unless it is the odd one.
    void draw_as_others(std::size_t member, const std::mt19937_64& lots) {
        if (alike_ && member != odd_) {
            random_ = lots;
        }
    }

    void add_fact(const std::string& member,
                  const std::string& name,
                  model::StandardFact binds,
                  FactType type,
                  const Json& value) {
        model::FactSource source;
        source.key = model::fact_key(member, name);
        source.member = member;
        source.name = name;
        source.standard_fact = binds;
        source.type = type;
        source.probe.set("kind", name == "service" ? "service" : "file");
        plan_.bound_facts[source.key] = {value.is_null() ? ObservationStatus::absent
                                                         : ObservationStatus::known,
                                         value,
                                         "drawn",
                                         0};
        plan_.sources[source.key] = source;
    }

    void draw_cluster() {
        sane_ = !one_in(4);
        const bool back = one_in(6);
        plan_.procedure = back ? "downgrade" : "upgrade";
        plan_.from_version = back ? "2.0" : "1.0";
        plan_.to_version = back ? "1.0" : "2.0";
        plan_.kind = one_in(4) ? "offline" : "rolling";
        plan_.max_skew = 1;
        const std::size_t roles = one_in(3) && !alike_ ? 2 : 1;
        has_installed_ = !one_in(6);
        has_ready_ = !one_in(6);
        has_service_ = one_in(3);
        for (std::size_t r = 0; r < roles; ++r) {
            PlanRole role = {r == 0 ? "node" : "keeper", 0, {}};
            const std::size_t members = alike_       ? 3 + any(2)
                                        : roles == 2 ? 1 + any(2)
                                                     : 2 + any(one_in(4) ? 3 : 2);
            const std::mt19937_64 lots = random_;
            for (std::size_t i = 1; i <= members; ++i) {
                draw_as_others(i, lots);
                role.members.push_back((r == 0 ? "n" : "k") + std::to_string(i));
                draw_member(role.members.back());
            }
            role.quorum = static_cast<int>(any(members));
            plan_.roles.push_back(role);
        }
        if (one_in(4)) {
            add_fact("", "serving", model::StandardFact::serving, FactType::text, "old");
        }
        if (one_in(3)) {
            add_fact("", "writes", model::StandardFact::writes, FactType::text, "accepted");
        }
    }

    void draw_member(const std::string& member) {
        const bool down = one_in(sane_ ? 30 : 12);
        const bool done = one_in(sane_ ? 30 : 12);
        const std::string release = done ? plan_.to_version : plan_.from_version;
        add_fact(member,
                 "running",
                 model::StandardFact::running,
                 FactType::release,
                 down ? Json() : Json(release));
        add_fact(member, "health", model::StandardFact::none, FactType::text, "good");
        if (has_installed_) {
            add_fact(
                member, "installed", model::StandardFact::installed, FactType::release, release);
        }
        if (has_ready_) {
            add_fact(member,
                     "ready",
                     model::StandardFact::ready,
                     FactType::boolean,
                     down ? Json() : Json(true));
        }
        if (has_service_) {
            add_fact(member,
                     "service",
                     model::StandardFact::none,
                     FactType::text,
                     down ? "stopped" : "running");
        }
        plan_.member_hosts[member] = one_in(5) ? "shared" : "host-" + member;
    }

    void draw_stores() {
        const std::size_t stores = 1 + any(2);
        for (std::size_t i = 0; i < stores; ++i) {
            PlanStore store;
            store.name = i == 0 ? "data" : "meta";
            store.role = plan_.roles[any(plan_.roles.size())].name;
            for (const PlanRole& role : plan_.roles) {
                if (role.name == store.role || one_in(2)) {
                    store.opened_by.push_back(role.name);
                }
            }
            store.shared = one_in(2);
            store.formats = {"1", "2"};
            draw_laws(store);
            draw_levels(store);
            plan_.stores.push_back(store);
        }
    }

    void draw_laws(PlanStore& store) {
        model::FormatSupport old;
        old.reads = one_in(4) ? store.formats : std::vector<std::string>{"1"};
        old.writes = "1";
        model::FormatSupport fresh;
        fresh.reads = one_in(10) ? std::vector<std::string>{"2"} : store.formats;
        fresh.writes = one_in(8) ? "1" : "2";
        fresh.trigger = one_of({FormatTrigger::on_start,
                                FormatTrigger::when_all,
                                FormatTrigger::on_finalize,
                                FormatTrigger::on_migrate});
        fresh.lowers_on_request = one_in(6);
        store.laws["1.0"] = old;
        store.laws["2.0"] = fresh;
    }

    void draw_levels(PlanStore& store) {
        const bool back = plan_.procedure == "downgrade";
        const std::string level = back && one_in(2) ? "2" : "1";
        if (one_in(3)) {
            return;
        }
        if (store.shared) {
            store.levels = {store.name + "_level"};
            add_fact("", store.levels.front(), model::StandardFact::level, FactType::text, level);
            return;
        }
        for (const PlanRole& role : plan_.roles) {
            for (const std::string& member : role.members) {
                if (role.name == store.role) {
                    const std::string fact = store.name + "_level";
                    add_fact(member, fact, model::StandardFact::level, FactType::text, level);
                    store.levels.push_back(model::fact_key(member, fact));
                }
            }
        }
    }

    void draw_rules() {
        if (one_in(4)) {
            model::SkewRule rule;
            rule.role = plan_.roles[any(plan_.roles.size())].name;
            rule.peer_role = plan_.roles[any(plan_.roles.size())].name;
            rule.max_skew = static_cast<int>(any(2));
            rule.newer = !one_in(2);
            plan_.skew.push_back(rule);
        }
        if (one_in(6)) {
            plan_.ways_back.push_back(
                {"after the gate", model::RecoveryKind::restore, "older", "restore"});
        }
    }

    Plan plan_;
    bool sane_ = false;    // mostly as a pack would have it
    bool alike_ = false;   // a chain of members that are alike
    std::size_t odd_ = 0;  // but for this one, from 1
    bool has_installed_ = true;
    bool has_ready_ = true;
    bool has_service_ = false;
};

}  // namespace drydock::reference
