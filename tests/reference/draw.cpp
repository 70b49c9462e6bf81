#include "reference/draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

namespace drydock::reference {

namespace {

using model::Action;
using model::Condition;
using model::FactType;
using model::Known;
using model::Plan;
using model::PlanRole;
using model::PlanStore;
using model::Raises;
using model::Relation;
using model::Repeatable;
using model::Verb;
using model::Whose;

class Drawer {
public:
    explicit Drawer(std::uint64_t seed) : random_(seed) {}

    Drawn draw() {
        draw_cluster();
        draw_stores();
        draw_rules();
        draw_actions();
        return {plan_, draw_faults(), draw_back()};
    }

private:
    // 0 to n - 1.
    std::size_t any(std::size_t n) { return random_() % n; }

    bool one_in(std::size_t n) { return any(n) == 0; }

    template <class T>
    T one_of(std::initializer_list<T> values) {
        return *(values.begin() + any(values.size()));
    }

    void add_fact(const std::string& member,
                  const std::string& name,
                  const std::string& binds,
                  FactType type,
                  const Json& value) {
        model::FactSource source;
        source.key = model::fact_key(member, name);
        source.member = member;
        source.name = name;
        source.binds = binds;
        source.type = type;
        source.probe.set("kind", name == "service" ? "service" : "file");
        plan_.planned[source.key] = {
            value.is_null() ? Known::absent : Known::known, value, "drawn", 0};
        plan_.sources[source.key] = source;
    }

    void draw_cluster() {
        sane_ = !one_in(4);
        const bool back = one_in(6);
        plan_.procedure = back ? "downgrade" : "upgrade";
        plan_.from = back ? "2.0" : "1.0";
        plan_.to = back ? "1.0" : "2.0";
        plan_.kind = one_in(4) ? "offline" : "rolling";
        plan_.series_apart = 1;
        const std::size_t roles = one_in(3) ? 2 : 1;
        has_installed_ = !one_in(6);
        has_ready_ = !one_in(6);
        has_service_ = one_in(3);
        for (std::size_t r = 0; r < roles; ++r) {
            PlanRole role = {r == 0 ? "node" : "keeper", 0, {}};
            const std::size_t members = roles == 2 ? 1 + any(2) : 2 + any(one_in(4) ? 3 : 2);
            for (std::size_t i = 1; i <= members; ++i) {
                role.members.push_back(fmt::format("{}{}", r == 0 ? "n" : "k", i));
                draw_member(role.members.back());
            }
            role.quorum = static_cast<int>(any(members));
            plan_.roles.push_back(role);
        }
        if (one_in(4)) {
            add_fact("", "serving", "serving", FactType::text, "old");
        }
        if (one_in(3)) {
            add_fact("", "writes", "writes", FactType::text, "accepted");
        }
    }

    void draw_member(const std::string& member) {
        const bool down = one_in(sane_ ? 30 : 12);
        const bool done = one_in(sane_ ? 30 : 12);
        const std::string release = done ? plan_.to : plan_.from;
        add_fact(member, "running", "running", FactType::release, down ? Json() : Json(release));
        add_fact(member, "health", "", FactType::text, "good");
        if (has_installed_) {
            add_fact(member, "installed", "installed", FactType::release, release);
        }
        if (has_ready_) {
            add_fact(member, "ready", "ready", FactType::boolean, down ? Json() : Json(true));
        }
        if (has_service_) {
            add_fact(member, "service", "", FactType::text, down ? "stopped" : "running");
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
        model::StoreLaw old;
        old.reads = one_in(4) ? store.formats : std::vector<std::string>{"1"};
        old.writes = "1";
        model::StoreLaw fresh;
        fresh.reads = one_in(10) ? std::vector<std::string>{"2"} : store.formats;
        fresh.writes = one_in(8) ? "1" : "2";
        fresh.raises =
            one_of({Raises::on_start, Raises::when_all, Raises::on_finalize, Raises::on_migrate});
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
            add_fact("", store.levels.front(), "level", FactType::text, level);
            return;
        }
        for (const PlanRole& role : plan_.roles) {
            for (const std::string& member : role.members) {
                if (role.name == store.role) {
                    const std::string fact = store.name + "_level";
                    add_fact(member, fact, "level", FactType::text, level);
                    store.levels.push_back(model::fact_key(member, fact));
                }
            }
        }
    }

    void draw_rules() {
        if (one_in(4)) {
            model::SkewRule rule;
            rule.role = plan_.roles[any(plan_.roles.size())].name;
            rule.with = plan_.roles[any(plan_.roles.size())].name;
            rule.series_apart = static_cast<int>(any(2));
            rule.newer = !one_in(2);
            plan_.skew.push_back(rule);
        }
        if (one_in(6)) {
            plan_.ways_back.push_back({"after the gate", "restore", "older", "restore"});
        }
    }

    Condition condition(const std::string& fact,
                        const std::string& role,
                        Whose whose,
                        Relation relation,
                        const Json& operand) {
        Condition condition;
        condition.fact = fact;
        condition.role = role;
        condition.whose = whose;
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
        const Whose group = of_member ? Whose::others : Whose::every;
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
    Condition draw_level_guard(const std::string& role, Whose whose) {
        const PlanStore& store = plan_.stores.front();
        const Relation relation = one_of({Relation::is, Relation::is_not, Relation::at_most});
        const Json format = one_in(3) ? "2" : "1";
        if (store.shared && !store.levels.empty()) {
            return condition(store.levels.front(), "", Whose::system, relation, format);
        }
        if (!store.levels.empty() && store.role == role) {
            return condition(store.name + "_level", role, whose, relation, format);
        }
        return condition("running", role, whose, Relation::in, Json::Array{"1.0", "2.0"});
    }

    // Something that one could ask before a step of this member.
    Condition draw_guard(const std::string& role, bool of_member) {
        if (sane_) {
            return draw_sane_guard(role, of_member);
        }
        const Whose group = one_of({Whose::every, of_member ? Whose::others : Whose::any});
        const Whose self = of_member ? Whose::this_member : Whose::any;
        switch (any(10)) {
        case 0:
            return condition("health", role, one_in(2) ? group : self, Relation::is, "good");
        case 1:
            return condition("running", role, group, Relation::present, true);
        case 2:
            return condition("running", role, group, Relation::same, {});
        case 3:
            return condition("running", role, self, Relation::is, plan_.from);
        case 4:
            return condition("running", role, self, Relation::planned, {});
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
        plan_.actions.push_back(action);
        return plan_.actions.back();
    }

    void becomes(Action& action, const std::string& fact, const Json& value) {
        const std::string key = model::fact_key(action.member, fact);
        if (plan_.sources.contains(key)) {
            action.effects.push_back({"becomes", action.member, fact, value});
        }
    }

    void add_stop(const std::string& member, const std::string& role) {
        Action& stop = add("stop-" + member, Verb::stop, member);
        becomes(stop, "running", {});
        becomes(stop, "ready", {});
        becomes(stop, "service", "stopped");
        if (one_in(2)) {
            stop.guard.push_back(draw_guard(role, true));
        }
        if (one_in(3)) {
            stop.guard.push_back(draw_guard(role, true));
        }
        draw_happened(stop,
                      condition("running", role, Whose::this_member, Relation::present, false));
    }

    void add_install(const std::string& member, const std::string& role) {
        if (has_installed_) {
            Action& install = add("install-" + member, Verb::install, member);
            becomes(install, "installed", plan_.to);
            const Condition there =
                condition("installed", role, Whose::this_member, Relation::is, plan_.to);
            draw_then(install, there);
            draw_happened(install, there);
        }
    }

    void add_start(const std::string& member, const std::string& role, Verb verb) {
        Action& start = add(std::string(name_of(verb)) + "-" + member, verb, member);
        becomes(start, "running", plan_.to);
        becomes(start, "ready", true);
        becomes(start, "service", "running");
        if (one_in(4)) {
            start.guard.push_back(draw_guard(role, true));
        }
        const Condition up = condition("running", role, Whose::this_member, Relation::is, plan_.to);
        draw_then(start, up);
        draw_happened(start, up);
    }

    void draw_then(Action& action, const Condition& what) {
        if (!one_in(3)) {
            action.then.push_back(what);
        }
        if (one_in(6)) {
            action.then.push_back(draw_guard(what.role, true));
        }
    }

    void draw_happened(Action& action, const Condition& what) {
        if (one_in(2)) {
            action.happened.push_back(what);
        } else if (one_in(4)) {
            action.happened.push_back(
                condition("health", what.role, Whose::this_member, Relation::is, "good"));
        }
    }

    // Steps of the system, or of one member: what comes before or behind the rolling part.
    void draw_extra() {
        const PlanRole& role = plan_.roles[any(plan_.roles.size())];
        const std::string member = one_in(3) ? "" : role.members[any(role.members.size())];
        const std::string store = plan_.stores[any(plan_.stores.size())].name;
        const std::string id = fmt::format("x{}", plan_.actions.size());
        const auto with = [&](Verb verb, const std::string& kind) {
            Action& action = add(id, verb, member);
            action.effects.push_back({kind, "", store, {}});
            draw_happened(action, draw_guard(role.name, !member.empty()));
        };
        switch (any(10)) {
        case 0:
        case 1:
            with(Verb::backup, "copies");
            if (!one_in(3)) {
                plan_.actions.back().then.push_back(draw_guard(role.name, !member.empty()));
            }
            break;
        case 2:
        case 3:
        case 4:
            add_gate(id, role.name);
            break;
        case 5:
            with(Verb::finalize, "raises");
            break;
        case 6:
            with(Verb::destroy, "destroys");
            break;
        case 7:
            with(Verb::restore, "lowers");
            break;
        case 8:
            add_switch(id);
            break;
        default:
            add(id, Verb::require, member, false).guard = {draw_guard(role.name, !member.empty())};
            break;
        }
        if (one_in(4)) {
            plan_.actions.back().when.push_back(draw_guard(role.name, !member.empty()));
        }
    }

    void add_gate(const std::string& id, const std::string& role) {
        Action& gate = add(id, Verb::gate, "", false);
        gate.gate = id;
        gate.returns_here = !one_in(3);
        if (one_in(3)) {
            gate.guard.push_back(draw_guard(role, false));
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
        for (const auto& [member, role] : members) {
            add_block(member, role);
            if (one_in(6)) {
                draw_extra();
            }
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
            return;
        }
        if (!one_in(sane_ ? 40 : 12)) {
            add_stop(member, role);
        }
        add_install(member, role);
        add_start(member, role, Verb::start);
    }

    // One after the other, member beside member, or whatever comes out.
    void draw_order() {
        const std::size_t kind = any(sane_ ? 4 : 5);
        auto& actions = plan_.actions;
        std::size_t barrier = 0;
        for (std::size_t i = 1; i < actions.size(); ++i) {
            std::set<std::size_t> after;
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
            actions[i].after.assign(after.begin(), after.end());
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

    checker::CompileBack draw_back();

    std::mt19937_64 random_;
    Plan plan_;
    bool sane_ = false;  // mostly as a pack would have it
    bool has_installed_ = true;
    bool has_ready_ = true;
    bool has_service_ = false;
};

// The way back of one member after the other, from wherever it stands.
class Back {
public:
    Back(const Plan& plan, const model::FactBook& facts) : facts_(facts), back_(plan) {
        back_.procedure = "downgrade";
        std::swap(back_.from, back_.to);
        back_.actions.clear();
        for (const auto& [key, fact] : facts) {
            if (back_.sources.contains(key)) {
                back_.planned[key] = fact;
            }
        }
    }

    Plan make(bool start) {
        for (const std::string& member : back_.members()) {
            if (value(member, "running") != Json(back_.to)) {
                add_member(member, start);
            }
        }
        return back_;
    }

private:
    [[nodiscard]] Json value(const std::string& member, const std::string& fact) const {
        const auto it = facts_.find(model::fact_key(member, fact));
        return it == facts_.end() ? Json() : it->second.value;
    }

    void add(Verb verb, const std::string& member, std::vector<std::pair<std::string, Json>> what) {
        Action action;
        action.id = fmt::format("{}-{}", name_of(verb), member);
        action.title = action.id;
        action.verb = verb;
        action.member = member;
        action.request.set("run", action.id);
        for (auto& [fact, becomes] : what) {
            if (back_.sources.contains(model::fact_key(member, fact))) {
                action.effects.push_back({"becomes", member, fact, becomes});
            }
        }
        if (!back_.actions.empty()) {
            action.after = {back_.actions.size() - 1};
        }
        back_.actions.push_back(action);
    }

    void add_member(const std::string& member, bool start) {
        if (!value(member, "running").is_null()) {
            add(Verb::stop, member, {{"running", {}}, {"ready", {}}, {"service", "stopped"}});
        }
        if (value(member, "installed") != Json(back_.to)) {
            add(Verb::install, member, {{"installed", back_.to}});
        }
        if (start) {
            add(Verb::start,
                member,
                {{"running", back_.to}, {"ready", true}, {"service", "running"}});
        }
    }

    const model::FactBook& facts_;
    Plan back_;
};

checker::CompileBack Drawer::draw_back() {
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
        return Back(plan, facts).make(starts);
    };
}

}  // namespace

Drawn draw(std::uint64_t seed) {
    return Drawer(seed).draw();
}

}  // namespace drydock::reference
