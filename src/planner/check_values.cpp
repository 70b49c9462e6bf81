// Pass: values of facts by which the laws of a plan are found.
//
// A law is found by a value: the release that a member runs, the release of an axis, the format
// that a level tells. A value without laws would switch them off in silence. The pack reader sees
// literals only; here every ${name} has its value, and the survey has told what is there now. Ways
// back are not refused: they are made at night. A note tells of them.
#include "model/effect_kinds.h"
#include "model/version.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

namespace {

using model::Action;
using model::Effect;
using model::EffectKind;
using model::Observation;
using model::ObservationStatus;

void tell(PlanBuilder& draft, const char* code, std::string summary, std::string remedy) {
    if (is_way_back(draft)) {
        draft.plan.notes.push_back(std::move(summary));
    } else {
        draft.problem({code, std::move(summary), std::move(remedy), ErrorClass::permanent});
    }
}

// Returns the axis by whose releases the plan's stores of the role are read, if the fact tells it.
const model::AxisSpec*
axis_told_by(const PlanBuilder& draft, const std::string& role, const std::string& fact) {
    for (const auto& [name, store] : draft.request.pack.stores) {
        const auto axis = draft.request.pack.axes.find(store.read_by);
        if (store.role == role && axis != draft.request.pack.axes.end()
            && axis->second.fact == fact) {
            return &axis->second;
        }
    }
    return nullptr;
}

std::string releases_of(const model::AxisSpec& axis) {
    std::string names;
    for (const auto& [release, laws] : axis.releases) {
        names += (names.empty() ? "" : ", ") + release;
    }
    return names;
}

void check_surveyed(PlanBuilder& draft, const model::Member& member, const model::FactSpec& fact) {
    const model::AxisSpec* axis = axis_told_by(draft, member.role, fact.name);
    if (axis == nullptr) {
        return;
    }
    const std::string key = model::fact_key(member.name, fact.name);
    const auto entry = draft.request.facts.find(key);
    if (entry == draft.request.facts.end() || entry->second.status != ObservationStatus::known) {
        draft.plan.notes.push_back(fmt::format(
            "{} cannot be told, which is the release of the axis {}: no law of that "
            "axis is asked of {} until a step says what it becomes, and the format of a "
            "store that only the axis tells stays unknown until a step raises it",
            key,
            axis->name,
            member.name));
    } else if (const std::string release = entry->second.value.show();
               !axis->releases.contains(release)) {
        tell(draft,
             "plan.axis",
             fmt::format("{} is {}, which is no release of the axis {} ({})",
                         key,
                         release,
                         axis->name,
                         releases_of(*axis)),
             fmt::format("see that its probe reads a release, or give that one laws: `axes: "
                         "{{{}: {{releases: ...}}}}` in releases.yaml",
                         axis->name));
    }
}

class EffectValues {
public:
    explicit EffectValues(PlanBuilder& draft) : draft_(draft) {
        for (const model::PlanStore& store : draft.plan.stores) {
            sources_of_levels_.push_back(sources_of(store));
        }
    }

    void check(const Action& action) {
        for (const auto* effects : {&action.effects, &action.meanwhile}) {
            for (const Effect& effect : *effects) {
                if (effect.kind == EffectKind::becomes) {
                    check_axis(action, effect);
                    check_release(action, effect);
                    check_level(action, effect, *effects);
                }
            }
        }
    }

private:
    // Returns the keys that a store's level is derived from.
    [[nodiscard]] std::set<std::string> sources_of(const model::PlanStore& store) const {
        std::set<std::string> keys;
        std::vector<std::string> open = store.levels;
        while (!open.empty()) {
            const auto source = draft_.sources->find(open.back());
            open.pop_back();
            if (source != draft_.sources->end() && source->second.is_derived()) {
                for (const std::string& input : source->second.inputs) {
                    if (keys.insert(input).second) {
                        open.push_back(input);
                    }
                }
            }
        }
        return keys;
    }

    void tell(const Action& action, const Effect& effect, const std::string& why) {
        planner::tell(draft_,
                      "plan.effect",
                      fmt::format("{}: {} becomes {}, which is {}",
                                  action.id,
                                  model::fact_key(effect.member, effect.name),
                                  effect.value.show(),
                                  why),
                      fmt::format("mend the effect at {}", action.source));
    }

    [[nodiscard]] std::string role_of(const Effect& effect) const {
        const model::Member* member = find_member(draft_.request.cluster, effect.member);
        return member == nullptr ? "" : member->role;
    }

    void check_axis(const Action& action, const Effect& effect) {
        const model::AxisSpec* axis = axis_told_by(draft_, role_of(effect), effect.name);
        if (axis != nullptr && !effect.value.is_null()
            && !axis->releases.contains(effect.value.show())) {
            tell(action,
                 effect,
                 fmt::format("no release of the axis {} ({})", axis->name, releases_of(*axis)));
        }
    }

    void check_release(const Action& action, const Effect& effect) {
        const model::Pack& pack = draft_.request.pack;
        const std::string role = role_of(effect);
        const bool is_of_member =
            !effect.member.empty()
            && (effect.name == bound_fact(pack, role, model::StandardFact::running)
                || effect.name == bound_fact(pack, role, model::StandardFact::installed));
        const std::string release = effect.value.show();
        if (is_of_member && !effect.value.is_null() && release != draft_.request.from_version
            && release != draft_.request.to_version) {
            tell(action,
                 effect,
                 fmt::format(
                     "neither {} nor {}", draft_.request.from_version, draft_.request.to_version));
        }
    }

    // What tells a level has the format that the effect on the store beside it leaves.
    void
    check_level(const Action& action, const Effect& effect, const std::vector<Effect>& beside) {
        const std::string key = model::fact_key(effect.member, effect.name);
        for (std::size_t i = 0; i < sources_of_levels_.size(); ++i) {
            const model::PlanStore& store = draft_.plan.stores[i];
            const auto law = store.laws.find(draft_.request.to_version);
            if (sources_of_levels_[i].contains(key) && converts(beside, store.name)
                && law != store.laws.end() && !tells(effect.value, law->second.writes)) {
                tell(action,
                     effect,
                     fmt::format("not the format {} that the step brings {} to",
                                 law->second.writes,
                                 store.name));
            }
        }
    }

    static bool converts(const std::vector<Effect>& effects, const std::string& store) {
        return std::any_of(effects.begin(), effects.end(), [&](const Effect& effect) {
            return effect.name == store && model::converts(effect.kind);
        });
    }

    static bool tells(const Json& value, const std::string& format) {
        return value.show() == format || model::version_in_series(value.show(), format);
    }

    PlanBuilder& draft_;
    std::vector<std::set<std::string>> sources_of_levels_;  // by store of the plan
};

}  // namespace

void check_values(PlanBuilder& draft) {
    if (!draft.request.pack.axes.empty()) {
        for (const model::Member& member : draft.request.cluster.members) {
            for (const model::FactSpec& fact : draft.request.pack.facts) {
                if (fact.role == member.role) {
                    check_surveyed(draft, member, fact);
                }
            }
        }
    }
    EffectValues values(draft);
    for (const Action& action : draft.plan.actions) {
        values.check(action);
    }
}

}  // namespace drydock::planner
