// The steps of a drawn plan under the laws of what happens.
#include "reference/random_laws.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace drydock::reference {

using model::Action;
using model::Effect;
using model::EffectKind;
using model::Verb;

// One step after the other.
void LawDrawer::stop_all_first() {
    std::stable_partition(plan_.actions.begin(), plan_.actions.end(), [](const Action& action) {
        return action.verb == Verb::stop;
    });
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        plan_.actions[i].predecessors =
            i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{i - 1};
    }
}

void LawDrawer::draw_steps() {
    if (one_in(3)) {
        draw_temporary();
    }
    if (one_in(7)) {
        draw_copies_and_restores();
    }
    if (one_in(7)) {
        draw_plain_run();
    }
    if (one_in(5)) {
        draw_half_done();
    }
    if (one_in(5)) {
        draw_alone();
    }
}

// What is switched on at first is mostly switched off later, sometimes where nobody comes by.
void LawDrawer::draw_temporary() {
    const bool switched_before = one_in(5);
    add_fact("", "frozen", model::StandardFact::none, FactType::boolean, switched_before);
    const model::Temporary kind = one_in(4) ? model::Temporary::way_back : model::Temporary::always;
    plan_.temporaries.push_back({"frozen", plan_.bound_facts["frozen"], kind});
    becomes(insert(0, Verb::run, ""), "frozen", true);
    if (!one_in(4)) {
        const std::size_t place = one_in(2) ? plan_.actions.size() : any(plan_.actions.size()) + 1;
        becomes(insert(place, Verb::run, ""), "frozen", one_in(8));
        plan_.actions[std::min(place, plan_.actions.size() - 1)].optional = one_in(6);
    }
}

void LawDrawer::draw_copies_and_restores() {
    const std::string store = any_store().name;
    const std::string member = one_in(2) ? "" : any_member();
    const auto add = [&](std::size_t place, Verb verb, EffectKind kind) {
        insert(place, verb, member).effects.push_back({kind, member, store, {}});
    };
    if (!one_in(4)) {
        add(any(2), Verb::backup, EffectKind::copies);
    }
    const std::size_t place = any(plan_.actions.size());
    if (!one_in(3)) {
        add(place + 1, one_in(2) ? Verb::destroy : Verb::run, EffectKind::destroys);
    }
    if (!one_in(3)) {
        add(place + 2, one_in(2) ? Verb::restore : Verb::run, EffectKind::restores);
    }
    if (one_in(6)) {
        insert(place + 1, Verb::restore, member);
    }
}

// A mark that stays, or a store that nobody opens meanwhile.
void LawDrawer::draw_half_done() {
    const auto places = steps_on_hosts();
    if (places.empty()) {
        return;
    }
    add_fact("", "dirty", model::StandardFact::none, FactType::boolean, false);
    Action& action = plan_.actions[places[any(places.size())]];
    if (one_in(2)) {
        action.meanwhile.push_back({EffectKind::becomes, "", "dirty", true});
        if (one_in(3)) {
            becomes(action, "dirty", one_in(2));
        }
    }
    if (action.meanwhile.empty() || one_in(3)) {
        const PlanStore& store = any_store();
        action.meanwhile.push_back({EffectKind::destroys, action.member, store.name, {}});
        if (one_in(2)) {
            action.effects.push_back({EffectKind::raises, "", store.name, {}});
        }
    }
    if (one_in(3)) {
        Action& other = plan_.actions[places[any(places.size())]];
        auto& open = one_in(3) ? other.meanwhile : other.effects;
        open.push_back({EffectKind::changes, "", "dirty", {}});
    }
    if (one_in(3)) {
        model::Condition clean;
        clean.fact = "dirty";
        clean.quantifier = model::Quantifier::system;
        clean.relation = model::Relation::is;
        clean.operand = false;
        clean.type = FactType::boolean;
        plan_.actions[any(plan_.actions.size())].preconditions.push_back(clean);
    }
}

// Two neighbours of them are sometimes side by side.
void LawDrawer::draw_alone() {
    const std::string name = one_in(2) ? any_store().name : plan_.roles.front().name;
    for (const std::size_t place : steps_on_hosts()) {
        Action& action = plan_.actions[place];
        if (one_in(2)) {
            action.alone = {name};
        }
        if (place > 0 && one_in(4)) {
            action.predecessors = plan_.actions[place - 1].predecessors;
        }
    }
}

// All starts of a role wait for the same, so that nothing but a law keeps them apart.
void LawDrawer::let_starts_be_alone() {
    for (PlanStore& store : plan_.stores) {
        model::FormatSupport& law = store.laws["2.0"];
        law.alone = store.shared;
        law.trigger = store.shared ? FormatTrigger::on_start : law.trigger;
    }
    const auto is_start = [](const Action& action) { return action.verb == Verb::start; };
    const auto first = std::find_if(plan_.actions.begin(), plan_.actions.end(), is_start);
    for (Action& action : plan_.actions) {
        if (is_start(action)) {
            action.predecessors = first->predecessors;
        }
    }
}

// A step that takes a member down or restarts it, whatever its verb says.
void LawDrawer::draw_plain_run() {
    const std::string member = any_member();
    Action& action = insert(any(plan_.actions.size() + 1), Verb::run, one_in(3) ? "" : member);
    const Json running =
        one_in(3) ? Json() : Json(one_in(3) ? plan_.from_version : plan_.to_version);
    if (!running.is_null() && one_in(2) && has_fact(member, "installed")) {
        action.effects.push_back({EffectKind::becomes, member, "installed", running});
    }
    action.effects.push_back({EffectKind::becomes, member, "running", running});
}

// Each member migrates its own copy, or some do; now and then one goes back.
void LawDrawer::draw_own_raises() {
    PlanStore& store = any_store();
    if (store.shared) {
        return;
    }
    for (const PlanRole& role : plan_.roles) {
        for (const std::string& member : role.members) {
            if (role.name != store.role || one_in(3)) {
                continue;
            }
            const bool lowers = one_in(6);
            Action& action = insert(any(plan_.actions.size() + 1), Verb::migrate, member);
            const Effect effect = {
                lowers ? EffectKind::lowers : EffectKind::raises, member, store.name, {}, true};
            (one_in(6) ? action.meanwhile : action.effects).push_back(effect);
        }
    }
}

// Votes that steps take away, or give; sometimes the last one, or two side by side.
void LawDrawer::draw_votes() {
    plan_.kind = one_in(5) ? plan_.kind : "rolling";
    PlanRole& role = plan_.roles.front();
    if (role.groups.empty()) {
        draw_groups(role);
    }
    if (!has_fact(role.members.front(), "votes")) {
        draw_voters(role);
    }
    for (std::size_t count = 1 + any(role.members.size()); count > 0; --count) {
        const std::size_t place = any(plan_.actions.size() + 1);
        const std::string& member = role.members[any(role.members.size())];
        Action& action = insert(place, Verb::run, member);
        becomes(action, "votes", one_in(5));
        if (one_in(3)) {
            action.meanwhile = std::exchange(action.effects, {});
        }
        if (place > 0 && one_in(4)) {
            action.predecessors = plan_.actions[place - 1].predecessors;
        }
    }
}

// Several steps hold one value, one after the other or side by side.
void LawDrawer::draw_half_done_together() {
    const std::string store = any_store().name;
    const std::string member = one_in(2) ? "" : any_member();
    const std::size_t first = any(plan_.actions.size() + 1);
    for (std::size_t count = 0; count < 2; ++count) {
        Action& action = insert(first + count, Verb::run, member);
        action.meanwhile.push_back({EffectKind::destroys, member, store, {}});
        action.optional = one_in(3);
        if (count > 0 && !one_in(3)) {
            action.predecessors = plan_.actions[first].predecessors;
        }
        if (one_in(4)) {
            action.effects.push_back({EffectKind::raises, member, store, {}});
        }
    }
}

// Members are down while a step is under way, which may change what they come back to.
void LawDrawer::draw_down_meanwhile() {
    const auto places = steps_on_hosts();
    const std::string member = any_member();
    if (places.empty() || !has_fact(member, "running")) {
        return;
    }
    const bool is_new = one_in(2);
    Action& action = is_new ? insert(any(plan_.actions.size() + 1), Verb::run, member)
                            : plan_.actions[places[any(places.size())]];
    action.meanwhile.push_back({EffectKind::becomes, member, "running", {}});
    const std::string other = any_member();
    if (one_in(3) && other != member && has_fact(other, "running")) {
        action.meanwhile.push_back({EffectKind::becomes, other, "running", {}});
    }
    if (one_in(3)) {
        const PlanStore& store = any_store();
        action.effects.push_back({EffectKind::raises, "", store.name, {}});
    } else if (one_in(3)) {
        becomes(action, "installed", "2.0");
    }
}

std::string LawDrawer::any_member() {
    const auto members = plan_.members();
    return members[any(members.size())];
}

std::vector<std::size_t> LawDrawer::steps_on_hosts() const {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < plan_.actions.size(); ++i) {
        if (!plan_.actions[i].request.is_null()) {
            places.push_back(i);
        }
    }
    return places;
}

// Behind the one before it, and before the one behind it.
Action& LawDrawer::insert(std::size_t place, Verb verb, const std::string& member) {
    place = std::min(place, plan_.actions.size());
    for (Action& action : plan_.actions) {
        for (std::size_t& before : action.predecessors) {
            before += before >= place ? 1 : 0;
        }
    }
    Action action;
    action.id = fmt::format("law-{}-{}", name_of(verb), plan_.actions.size());
    action.title = action.id;
    action.verb = verb;
    action.member = member;
    action.phase = "roll";
    action.request.set("run", action.id);
    action.attempts = one_in(3) ? 2 : 1;
    action.repeatable = one_of({model::Repeatable::yes, model::Repeatable::probe});
    action.remedy = one_in(3) ? "" : "a person does it";
    if (place > 0) {
        action.predecessors = {place - 1};
    }
    plan_.actions.insert(plan_.actions.begin() + static_cast<std::ptrdiff_t>(place), action);
    if (place + 1 < plan_.actions.size()) {
        plan_.actions[place + 1].predecessors.push_back(place);
    }
    return plan_.actions[place];
}

void LawDrawer::becomes(Action& action, const std::string& fact, const Json& value) {
    const std::string& member = has_fact(action.member, fact) ? action.member : "";
    if (has_fact(member, fact)) {
        action.effects.push_back({EffectKind::becomes, member, fact, value});
    }
}

}  // namespace drydock::reference
