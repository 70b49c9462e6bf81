// A member that dies, or is down, may start by itself at any moment, and brings up what is
// installed. If that closes the way back before the plan has begun, no gate helps. The checker does
// not blame the plan for it, so the plan says it.
#include "planner/found_installed.h"

#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::FormatTrigger;
using model::Member;
using model::StandardFact;

// Returns the release that a fact of the member tells; empty: none.
std::string release_of(const PlanBuilder& draft, const Member& member, StandardFact standard) {
    const std::string fact = bound_fact(draft.request.pack, member.role, standard);
    const auto entry = draft.request.facts.find(model::fact_key(member.name, fact));
    const bool is_known = entry != draft.request.facts.end()
                          && entry->second.status == model::ObservationStatus::known;
    return is_known ? entry->second.value.as_string() : "";
}

bool is_in(const std::string& release, const std::string& series) {
    return !release.empty() && model::version_in_series(release, series);
}

// True if the law would hold with this member on its release, whatever the plan does.
bool would_fire(const PlanBuilder& draft, const model::FormatRule& law, const Member& starting) {
    if (law.trigger == FormatTrigger::on_start || law.trigger == FormatTrigger::on_lead) {
        return true;
    }
    const bool counts_down = law.trigger == FormatTrigger::when_all_running;
    const auto& members = draft.request.cluster.members;
    return (counts_down || law.trigger == FormatTrigger::when_all)
           && std::all_of(members.begin(), members.end(), [&](const Member& member) {
                  const auto running = release_of(draft, member, StandardFact::running);
                  return member.role != law.role || member.name == starting.name
                         || is_in(running, law.series) || (counts_down && running.empty());
              });
}

bool is_down(const PlanBuilder& draft, const Member& member) {
    return found_running(draft, member.role, member.name) == model::ObservationStatus::absent;
}

// True if the releases of the store's laws write different formats, and no fact tells which it has.
bool is_untold(const model::PlanStore& store) {
    return store.levels.empty()
           && std::any_of(store.laws.begin(), store.laws.end(), [&](const auto& law) {
                  return law.second.writes != store.laws.begin()->second.writes;
              });
}

}  // namespace

// A shared store is told by whoever runs.
void note_formats_untold(PlanBuilder& draft) {
    for (const model::PlanStore& store : draft.plan.stores) {
        std::vector<std::string> down;
        bool is_any_up = false;
        for (const Member& member : draft.request.cluster.members) {
            const bool opens =
                store.shared
                    ? std::count(store.opened_by.begin(), store.opened_by.end(), member.role) > 0
                    : store.role == member.role;
            if (opens && is_down(draft, member)) {
                down.push_back(member.name);
            }
            is_any_up = is_any_up || (opens && !is_down(draft, member));
        }
        if (is_untold(store) && !down.empty() && !(store.shared && is_any_up)) {
            draft.plan.notes.push_back(
                fmt::format("{} {} down, and no fact tells the format of {}: the check takes it "
                            "that nothing has converted it yet; see that it is so, or let a fact "
                            "of the pack tell its `level`",
                            join(down, ", "),
                            down.size() == 1 ? "is" : "are",
                            store.name));
        }
    }
}

void note_found_installed(PlanBuilder& draft) {
    for (const model::FormatRule& law : draft.plan.laws) {
        const auto role = draft.request.pack.roles.find(law.role);
        if (rule_state(draft, law) != RuleState::open || role == draft.request.pack.roles.end()) {
            continue;
        }
        std::vector<std::string> names;
        for (const Member& member : draft.request.cluster.members) {
            if (member.role == law.role
                && is_in(release_of(draft, member, StandardFact::installed), law.series)
                && !is_in(release_of(draft, member, StandardFact::running), law.series)
                && would_fire(draft, law, member)) {
                names.push_back(member.name);
            }
        }
        if (!names.empty()) {
            draft.plan.notes.push_back(fmt::format(
                "{} lies installed under {}: whoever starts before the gate comes up on it, and {} "
                "rises to {} unasked; put {} back in place first, or see that nobody starts",
                draft.request.to_version,
                join(names, ", "),
                law.store,
                law.becomes,
                draft.request.from_version));
        }
    }
}

}  // namespace drydock::planner
