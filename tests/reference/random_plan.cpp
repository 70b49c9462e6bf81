#include "reference/random_plan.h"

#include "reference/random_cluster.h"
#include "reference/random_return.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::reference {

namespace {

using model::Action;
using model::Condition;
using model::FactType;
using model::Plan;
using model::PlanRole;
using model::PlanStore;
using model::Quantifier;
using model::Relation;
using model::Repeatable;
using model::Verb;

class Drawer : ClusterDrawer {
public:
    explicit Drawer(std::uint64_t seed) : ClusterDrawer(seed) {}

    Drawn draw() {
        draw_cluster();
        draw_stores();
        draw_rules();
        draw_actions();
        return {plan_, draw_faults(), draw_back()};
    }

    // Somebody dies or is lost, so that they differ.
    Drawn draw_chain() {
        alike_ = true;
        odd_ = one_in(3) ? 1 + any(4) : 0;
        Drawn drawn = draw();
        ++(one_in(4) ? drawn.faults.host : drawn.faults.member);
        return drawn;
    }

private:
    Condition condition(const std::string& fact,
                        const std::string& role,
                        Quantifier whose,
                        Relation relation,
                        const Json& operand) {
        Condition condition;
        condition.fact = fact;
        condition.role = role;
        condition.quantifier = whose;
        condition.relation = relation;
        condition.operand = operand;
        condition.remedy = one_in(3) ? "a person knows what to do" : "";
        condition.type = fact == "running" || fact == "installed" ? FactType::release
                         : fact == "ready"                        ? FactType::boolean
                                                                  : FactType::text;
        return condition;
    }

    // What a pack would ask: it holds as long as nothing goes wrong.
    Condition draw_sane_guard(const std::string& role, bool of_member) {
        const Quantifier group = of_member ? Quantifier::others : Quantifier::every;
        if (one_in(4)) {
            return condition("health", role, group, Relation::is, "good");
        }
        if (one_in(6)) {
            return draw_level_guard(role, group);
        }
        if (!has_ready_ || one_in(4)) {
            return condition("running", role, group, Relation::present, true);
        }
        Condition quorum = condition("ready", role, group, Relation::is, true);
        for (const PlanRole& one : plan_.roles) {
            quorum.members_min = one.name == role && one_in(2) ? one.quorum : quorum.members_min;
        }
        return quorum;
    }

    // About the level of the first store, where there is one.
    Condition draw_level_guard(const std::string& role, Quantifier whose) {
        const PlanStore& store = plan_.stores.front();
        const Relation relation = one_of({Relation::is, Relation::is_not, Relation::at_most});
        const Json format = one_in(3) ? "2" : "1";
        if (store.shared && !store.levels.empty()) {
            return condition(store.levels.front(), "", Quantifier::system, relation, format);
        }
        if (!store.levels.empty() && store.role == role) {
            return condition(store.name + "_level", role, whose, relation, format);
        }
        return condition("running", role, whose, Relation::in, Json::Array{"1.0", "2.0"});
    }

    std::vector<std::string> members_of(const std::string& role) const {
        for (const PlanRole& one : plan_.roles) {
            if (one.name == role) {
                return one.members;
            }
        }
        return {""};
    }

    // Something that one could ask before a step of this member.
    Condition draw_guard(const std::string& role, bool of_member) {
        if (sane_) {
            return draw_sane_guard(role, of_member);
        }
        const Quantifier group =
            one_of({Quantifier::every, of_member ? Quantifier::others : Quantifier::any});
        const Quantifier self = of_member ? Quantifier::self : Quantifier::any;
        switch (any(10)) {
        case 0:
            return condition("health", role, one_in(2) ? group : self, Relation::is, "good");
        case 1:
            return condition("running", role, group, Relation::present, true);
        case 2:
            return condition("running", role, group, Relation::same, {});
        case 3:
            return condition("running", role, self, Relation::is, plan_.from_version);
        case 4:
            return condition("running", role, self, Relation::as_planned, !one_in(3));
        case 5:
        case 6:
            return draw_level_guard(role, one_in(2) ? group : self);
        default:
            break;
        }
        Condition quorum = condition("running", role, group, Relation::present, true);
        if (has_ready_) {
            quorum = condition("ready", role, group, Relation::is, true);
        }
        quorum.members_min = static_cast<int>(any(3));
        if (quorum.quantifier == Quantifier::others && one_in(3)) {
            const auto members = members_of(role);
            quorum.excluded_members = {members[any(members.size())]};
        }
        return quorum;
    }

    Action& add(const std::string& id, Verb verb, const std::string& member, bool acts = true) {
        Action action;
        action.id = id;
        action.title = id;
        action.verb = verb;
        action.member = member;
        action.phase = "roll";
        if (acts) {
            action.request.set("run", id);
        }
        action.attempts = one_in(4) ? 2 : 1;
        action.repeatable = one_of({Repeatable::yes, Repeatable::probe, Repeatable::no});
        action.remedy = one_in(sane_ ? 8 : 2) ? "" : "a person knows how to find out";
        plan_.actions.push_back(action);
        return plan_.actions.back();
    }

    void becomes(Action& action, const std::string& fact, const Json& value) {
        const std::string key = model::fact_key(action.member, fact);
        if (plan_.sources.contains(key)) {
            action.effects.push_back({model::EffectKind::becomes, action.member, fact, value});
        }
    }

    void add_stop(const std::string& member, const std::string& role) {
        Action& stop = add("stop-" + member, Verb::stop, member);
        becomes(stop, "running", {});
        becomes(stop, "ready", {});
        becomes(stop, "service", "stopped");
        if (one_in(2)) {
            stop.preconditions.push_back(draw_guard(role, true));
        }
        if (one_in(3)) {
            stop.preconditions.push_back(draw_guard(role, true));
        }
        draw_happened(stop, condition("running", role, Quantifier::self, Relation::present, false));
    }

    void add_install(const std::string& member, const std::string& role) {
        if (has_installed_) {
            Action& install = add("install-" + member, Verb::install, member);
            becomes(install, "installed", plan_.to_version);
            const Condition there =
                condition("installed", role, Quantifier::self, Relation::is, plan_.to_version);
            draw_then(install, there);
            draw_happened(install, there);
        }
    }

    void add_start(const std::string& member, const std::string& role, Verb verb) {
        Action& start = add(std::string(name_of(verb)) + "-" + member, verb, member);
        becomes(start, "running", plan_.to_version);
        becomes(start, "ready", true);
        becomes(start, "service", "running");
        if (one_in(4)) {
            start.preconditions.push_back(draw_guard(role, true));
        }
        const Condition up =
            condition("running", role, Quantifier::self, Relation::is, plan_.to_version);
        draw_then(start, up);
        draw_happened(start, up);
    }

    // A package of a host restarts another member there, too; sometimes it only takes it down.
    void move_another(Action& action, const std::string& role) {
        const auto members = members_of(role);
        const std::string& other = members[any(members.size())];
        if (!one_in(3) || other == action.member) {
            return;
        }
        const bool up = !one_in(4);
        const Json running = up ? Json(plan_.to_version) : Json();
        if (plan_.sources.contains(model::fact_key(other, "running"))) {
            action.effects.push_back({model::EffectKind::becomes, other, "running", running});
        }
    }

    void draw_then(Action& action, const Condition& what) {
        if (!one_in(3)) {
            action.postconditions.push_back(what);
        }
        if (one_in(6)) {
            action.postconditions.push_back(draw_guard(what.role, true));
        }
    }

    void draw_happened(Action& action, const Condition& what) {
        if (one_in(2)) {
            action.completion_check.push_back(what);
        } else if (one_in(4)) {
            action.completion_check.push_back(
                condition("health", what.role, Quantifier::self, Relation::is, "good"));
        }
    }

    // Steps of the system, or of one member: what comes before or behind the rolling part.
    void draw_extra() {
        const PlanRole& role = plan_.roles[any(plan_.roles.size())];
        const std::string member = one_in(3) ? "" : role.members[any(role.members.size())];
        const std::string store = plan_.stores[any(plan_.stores.size())].name;
        const std::string id = fmt::format("x{}", plan_.actions.size());
        const auto with = [&](Verb verb, model::EffectKind kind) {
            Action& action = add(id, verb, member);
            action.effects.push_back({kind, "", store, {}});
            draw_happened(action, draw_guard(role.name, !member.empty()));
        };
        switch (any(10)) {
        case 0:
        case 1:
            with(Verb::backup, model::EffectKind::copies);
            if (!one_in(3)) {
                plan_.actions.back().postconditions.push_back(
                    draw_guard(role.name, !member.empty()));
            }
            break;
        case 2:
        case 3:
        case 4:
            add_gate(id, role.name);
            break;
        case 5:
            with(Verb::finalize, model::EffectKind::raises);
            break;
        case 6:
            with(Verb::destroy, model::EffectKind::destroys);
            break;
        case 7:
            with(Verb::restore, model::EffectKind::lowers);
            break;
        case 8:
            add_switch(id);
            break;
        default:
            add(id, Verb::require, member, false).preconditions = {
                draw_guard(role.name, !member.empty())};
            break;
        }
        if (one_in(4)) {
            plan_.actions.back().applies_if.push_back(draw_guard(role.name, !member.empty()));
        }
    }

    void add_gate(const std::string& id, const std::string& role) {
        Action& gate = add(id, Verb::gate, "", false);
        gate.gate = id;
        gate.is_point_of_no_return = !one_in(3);
        if (one_in(3)) {
            gate.preconditions.push_back(draw_guard(role, false));
        }
    }

    void add_switch(const std::string& id) {
        Action& action = add(id, Verb::cutover, "");
        if (plan_.sources.contains("serving")) {
            becomes(action, "serving", one_in(3) ? "old" : "new");
        } else {
            becomes(action, "writes", one_of({"accepted", "refused"}));
        }
    }

    void draw_actions() {
        for (std::size_t i = any(3); i > 0; --i) {
            draw_extra();
        }
        std::vector<std::pair<std::string, std::string>> members;
        for (const PlanRole& role : plan_.roles) {
            for (const std::string& member : role.members) {
                members.emplace_back(member, role.name);
            }
        }
        const std::mt19937_64 lots = random_;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const auto& [member, role] = members[i];
            draw_as_others(i + 1, lots);
            add_block(member, role);
            if (one_in(6)) {
                draw_extra();
            }
        }
        if (alike_ && one_in(2)) {
            add_crowd(members);
        }
        for (std::size_t i = any(2); i > 0; --i) {
            draw_extra();
        }
        draw_order();
    }

    void add_block(const std::string& member, const std::string& role) {
        if (one_in(sane_ ? 40 : 10)) {
            return;
        }
        if (one_in(8)) {
            add_install(member, role);
            add_start(member, role, Verb::restart);
            move_another(plan_.actions.back(), role);
            return;
        }
        if (!one_in(sane_ ? 40 : 12)) {
            add_stop(member, role);
        }
        add_install(member, role);
        add_start(member, role, Verb::start);
    }

    // On all members side by side, each only if nobody knows what.
    void add_crowd(const std::vector<std::pair<std::string, std::string>>& members) {
        const bool raises = !one_in(4);
        const bool asks = one_in(3);
        const std::mt19937_64 lots = random_;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const auto& [member, role] = members[i];
            draw_as_others(i + 1, lots);
            Action& action = add("t-" + member, Verb::finalize, member);
            action.applies_if = {condition("health", role, Quantifier::self, Relation::is, "good")};
            if (asks) {
                action.preconditions = {draw_guard(role, true)};
            }
            if (raises) {
                action.effects.push_back(
                    {model::EffectKind::raises, "", plan_.stores.front().name, {}});
            }
        }
    }

    // One after the other, member beside member, or whatever comes out.
    void draw_order() {
        const std::size_t kind = alike_ ? 0 : any(sane_ ? 4 : 5);
        auto& actions = plan_.actions;
        std::size_t barrier = 0;
        std::size_t last = 0;  // the last one that is not of a crowd
        for (std::size_t i = 1; i < actions.size(); ++i) {
            std::set<std::size_t> after;
            if (actions[i].id.starts_with("t-")) {
                actions[i].predecessors = {last};
                continue;
            }
            for (std::size_t k = last + 1; k < i; ++k) {
                after.insert(k);
            }
            last = i;
            const bool system = actions[i].member.empty() || actions[i].id.front() == 'x';
            if (kind < 3 || system) {
                after.insert(i - 1);
            }
            for (std::size_t k = barrier; k < i; ++k) {
                const bool same = actions[k].member == actions[i].member;
                if (system || same || k == barrier || (kind == 4 && one_in(4))) {
                    after.insert(k);
                }
            }
            actions[i].predecessors.assign(after.begin(), after.end());
            barrier = system ? i : barrier;
        }
    }

    checker::Faults draw_faults() {
        checker::Faults faults = {0, 0, 0, 0, 0};
        for (std::size_t i = 1 + any(2); i > 0; --i) {
            int* const budgets[] = {
                &faults.failures, &faults.unknown, &faults.crashes, &faults.member, &faults.host};
            ++*budgets[any(5)];
        }
        return faults;
    }

    checker::CompileDowngrade draw_back();
};

checker::CompileDowngrade Drawer::draw_back() {
    if (one_in(2)) {
        return {};
    }
    const bool careful = one_in(2);
    const bool starts = !one_in(8);
    return [plan = plan_, careful, starts](const model::FactBook& facts) -> Result<Plan> {
        const auto level = facts.find("data_level");
        if (careful && level != facts.end() && level->second.value == Json("2")) {
            return fail("plan.closed", "the level has risen");
        }
        return make_back(plan, facts, {starts, false});
    };
}

}  // namespace

Drawn draw(std::uint64_t seed) {
    return Drawer(seed).draw();
}

Drawn draw_chain(std::uint64_t seed) {
    return Drawer(seed).draw_chain();
}

}  // namespace drydock::reference
