#include "reference/random_laws.h"

#include "reference/random_return.h"

#include <algorithm>

namespace drydock::reference {

using model::QuorumKind;
using model::StandardFact;

// Mostly a few laws at a time, so that the plans stay small and hold now and then.
Drawn LawDrawer::draw(Drawn drawn) {
    plan_.run = "the run";
    if (plan_.procedure == "downgrade") {
        plan_.reverts_run = "the run before";
    }
    for (PlanRole& role : plan_.roles) {
        draw_role(role);
    }
    const bool tolerant = one_in(2);  // the old release reads what the new one writes
    for (PlanStore& store : plan_.stores) {
        if (tolerant) {
            store.laws["1.0"].reads = store.formats;
        }
        draw_store(store);
    }
    if (one_in(5)) {
        stop_all_first();
    }
    draw_steps();
    if (starts_alone_) {
        let_starts_be_alone();
    }
    if (one_in(4)) {
        drawn.faults.restart = 1;
    }
    if (drawn.back) {
        drawn.back = draw_back();
    }
    drawn.plan = plan_;
    return drawn;
}

Drawn LawDrawer::draw_later(Drawn drawn) {
    if (one_in(6)) {
        draw_own_raises();
    }
    if (one_in(5)) {
        draw_votes();
    }
    if (one_in(8)) {
        draw_half_done_together();
    }
    for (PlanStore& store : plan_.stores) {
        if (!store.read_by.empty() && one_in(2)) {
            store.levels.clear();
        }
    }
    draw_return_point();
    if (one_in(5)) {
        draw_down_meanwhile();
    }
    drawn.plan = plan_;
    return drawn;
}

// Some step behind a gate that is the plan's point of no return.
void LawDrawer::draw_return_point() {
    const auto& actions = plan_.actions;
    const auto gate = std::find_if(actions.begin(), actions.end(), [](const model::Action& action) {
        return action.is_point_of_no_return;
    });
    if (gate == actions.end() || gate + 1 == actions.end() || one_in(3)) {
        return;
    }
    const auto behind = static_cast<std::size_t>(actions.end() - gate) - 1;
    const model::Action& action = *(gate + 1 + static_cast<std::ptrdiff_t>(any(behind)));
    plan_.point_of_no_return = {.exists = true, .action = action.id, .gate = gate->gate};
}

void LawDrawer::draw_role(PlanRole& role) {
    role.restarts = !one_in(3);
    const auto up =
        std::count_if(role.members.begin(), role.members.end(), [&](const std::string& member) {
            return !value_of(model::fact_key(member, "running")).is_null();
        });
    if (up > 0 && has_fact(role.members.front(), "ready") && one_in(6)) {
        role.ready_with = 1 + static_cast<int>(any(static_cast<std::size_t>(up)));
    }
    if (one_in(6)) {
        draw_groups(role);
    }
    if (one_in(5)) {
        draw_leaders(role);
    }
}

// One group of all, or two that share a member.
void LawDrawer::draw_groups(PlanRole& role) {
    role.quorum = 0;
    const bool domains = one_in(2);
    for (std::size_t count = 1 + any(2); count > 0; --count) {
        model::QuorumGroup group;
        group.name = count == 1 ? "" : "shard";
        group.kind = one_of({QuorumKind::majority, QuorumKind::at_least, QuorumKind::all_but});
        group.count = static_cast<int>(any(2));
        group.count += group.kind == QuorumKind::at_least ? 1 : 0;
        group.members = role.members;
        if (count == 2) {
            group.members.erase(group.members.begin());
        }
        for (std::size_t i = 0; domains && i < group.members.size(); ++i) {
            group.domains.push_back(i % 2 == 0 ? "east" : "west");
        }
        role.groups.push_back(group);
    }
    if (one_in(2)) {
        draw_voters(role);
    }
}

void LawDrawer::draw_voters(const PlanRole& role) {
    for (const std::string& member : role.members) {
        add_fact(member, "votes", StandardFact::voter, FactType::boolean, !one_in(4));
    }
}

// The first one that runs leads, but for clusters that are just electing.
void LawDrawer::draw_leaders(const PlanRole& role) {
    bool found = one_in(6);
    for (const std::string& member : role.members) {
        const bool up = !value_of(model::fact_key(member, "running")).is_null();
        add_fact(member, "leads", StandardFact::leads, FactType::boolean, up && !found);
        found = found || up;
    }
}

void LawDrawer::draw_store(PlanStore& store) {
    draw_triggers(store);
    if (one_in(7)) {
        draw_starts_on(store);
    }
    if (one_in(7)) {
        draw_clean_stop(store);
    } else if (one_in(7)) {
        draw_axis(store);
    }
    store.newest_last_stopped = !store.shared && one_in(3);
}

void LawDrawer::draw_triggers(PlanStore& store) {
    model::FormatSupport& law = store.laws["2.0"];
    const auto role = std::find_if(plan_.roles.begin(), plan_.roles.end(), [&](const auto& one) {
        return one.name == store.role;
    });
    const bool led = has_fact(role->members.front(), "leads");
    store.leader_only = led && one_in(3);
    if (led && one_in(2)) {
        law.trigger = FormatTrigger::on_lead;
    } else if (one_in(7)) {
        law.trigger = FormatTrigger::when_all_running;
    }
    law.alone = store.shared && law.trigger == FormatTrigger::on_start && one_in(2);
}

// Some format that a release reads it only starts on.
void LawDrawer::draw_starts_on(PlanStore& store) {
    model::FormatSupport& law = store.laws[one_in(3) ? "1.0" : "2.0"];
    law.starts_on = {one_of({"1", "2"})};
    std::erase(law.reads, law.starts_on.front());
}

void LawDrawer::draw_clean_stop(PlanStore& store) {
    const std::string name = store.name + "_clean";
    if (store.shared) {
        add_fact("", name, StandardFact::none, FactType::boolean, false);
        store.clean_stop = {name};
        return;
    }
    for (const PlanRole& role : plan_.roles) {
        for (const std::string& member : role.members) {
            if (role.name == store.role) {
                const bool up = !value_of(model::fact_key(member, "running")).is_null();
                add_fact(member, name, StandardFact::none, FactType::boolean, !up && !one_in(4));
                store.clean_stop.push_back(model::fact_key(member, name));
            }
        }
    }
}

// An image beside the release: it has the store's laws, and steps of its own replace it.
void LawDrawer::draw_axis(PlanStore& store) {
    store.read_by = store.name + "_image";
    store.laws = {{"a1", store.laws["1.0"]}, {"a2", store.laws["2.0"]}};
    for (const PlanRole& role : plan_.roles) {
        for (const std::string& member : role.members) {
            add_fact(member, store.read_by, StandardFact::none, FactType::text, "a1");
        }
    }
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        model::Action& action = plan_.actions[i];
        if (action.verb == model::Verb::install || (!action.member.empty() && one_in(6))) {
            becomes(action, store.read_by, one_in(8) ? "a1" : "a2");
        }
    }
}

checker::CompileDowngrade LawDrawer::draw_back() {
    const bool careful = one_in(2);
    const WayBack way = {!one_in(8), !one_in(3)};
    return [plan = plan_, careful, way](const model::FactBook& facts) -> Result<Plan> {
        const auto level = facts.find("data_level");
        if (careful && level != facts.end() && level->second.value == Json("2")) {
            return fail("plan.closed", "the level has risen");
        }
        return make_back(plan, facts, way);
    };
}

bool LawDrawer::has_fact(const std::string& member, const std::string& name) const {
    return plan_.sources.contains(model::fact_key(member, name));
}

Json LawDrawer::value_of(const std::string& key) const {
    const auto it = plan_.bound_facts.find(key);
    return it == plan_.bound_facts.end() ? Json() : it->second.value;
}

Drawn draw_first_laws(std::uint64_t seed) {
    const std::uint64_t lots = seed * 7919 + 1;  // others than those of the plan
    Drawn drawn = lots % 4 == 0 ? draw_chain(seed) : draw(seed);
    Plan plan = drawn.plan;
    return LawDrawer(lots, std::move(plan)).draw(std::move(drawn));
}

Drawn draw_laws(std::uint64_t seed) {
    Drawn drawn = draw_first_laws(seed);
    Plan plan = drawn.plan;
    return LawDrawer(seed * 104'729 + 1, std::move(plan)).draw_later(std::move(drawn));
}

}  // namespace drydock::reference
