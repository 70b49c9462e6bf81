// Steps whose words do nothing: a guard that counts nobody whom its command takes down, a restore
// of what no step copies.
//
// `quorum_without` counts members of the step's own role. A command may take down members of
// another role, too: then the check finds a lost quorum, and this says so while the pack is
// written. Copies are looked for in all procedures, since a way back restores what the upgrade has
// copied.
#include "model/effect_kinds.h"
#include "pack/pack_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

namespace {

using model::EffectKind;
using model::EffectSpec;
using model::PhaseSpec;
using model::StandardFact;
using model::StepSpec;

template <class Visit>
void for_each_step(const model::Pack& pack, const Visit& visit) {
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        for (const PhaseSpec& phase : procedure.phases) {
            for (const StepSpec& step : phase.steps) {
                visit(phase, step);
            }
        }
    }
}

// Returns the stores of which some step makes a copy.
std::set<std::string> copied_stores(const model::Pack& pack) {
    std::set<std::string> stores;
    for_each_step(pack, [&](const PhaseSpec& /*phase*/, const StepSpec& step) {
        if (step.verb == model::Verb::backup) {
            stores.insert(model::without_side(step.object));
        }
        for (const EffectSpec& effect : step.effects) {
            if (effect.kind == EffectKind::copies) {
                stores.insert(model::without_side(effect.name));
            }
        }
    });
    return stores;
}

bool moves_stores(const StepSpec& step) {
    return std::any_of(step.effects.begin(), step.effects.end(), [](const EffectSpec& effect) {
        return model::moves_store(effect.kind);
    });
}

class HollowSteps {
public:
    HollowSteps(const model::Pack& pack, Diagnostics& diagnostics)
        : pack_(pack)
        , diagnostics_(diagnostics)
        , copied_(copied_stores(pack)) {}

    void read(const PhaseSpec& phase, const StepSpec& step) {
        const auto& selection = step.selection ? step.selection : phase.selection;
        if (step.verb == model::Verb::restore && !moves_stores(step)) {
            warn_of_restore(step.object, step.position);  // the verb is an effect then
        }
        for (const EffectSpec& effect : step.effects) {
            if (effect.kind == EffectKind::restores) {
                warn_of_restore(effect.name, effect.position);
            }
            if (step.quorum_without && selection) {
                warn_of_guard(effect, model::without_side(selection->role));
            }
        }
    }

private:
    void warn_of_restore(const std::string& name, const Position& position) {
        const std::string store = model::without_side(name);
        if (!copied_.contains(store)) {
            diagnostics_.warning(
                "effect.restores",
                position,
                fmt::format("no step has `copies: {}`: there is nothing to restore", store),
                fmt::format("write `raises: {}` if it is made anew, or the effect `copies: {}` at "
                            "the step that copies it",
                            store,
                            store));
        }
    }

    void warn_of_guard(const EffectSpec& effect, const std::string& guarded) {
        const std::string role = model::without_side(effect.role);
        if (role == guarded || !takes_down(effect, role) || !has_quorum(role)) {
            return;
        }
        diagnostics_.warning(
            "guard.other_role",
            effect.position,
            fmt::format("the step takes down a {}, and its guard `quorum_without` counts members "
                        "of `{}` only",
                        role,
                        guarded),
            fmt::format("let a step on each {} take down its own member, or add a guard on the "
                        "others, as in `{{fact: {}, role: {}, of: every, is: true}}`",
                        role,
                        name_of_ready(role),
                        role));
    }

    // Returns true if nobody of the role whom the effect reaches runs, or is ready, afterwards.
    [[nodiscard]] bool takes_down(const EffectSpec& effect, const std::string& role) const {
        const model::FactSpec* fact =
            effect.kind == EffectKind::becomes ? find_fact(pack_, role, effect.name) : nullptr;
        return fact != nullptr
               && (fact->standard_fact == StandardFact::running
                   || (fact->standard_fact == StandardFact::ready && effect.value != Json(true)));
    }

    [[nodiscard]] bool has_quorum(const std::string& role) const {
        const auto spec = pack_.roles.find(role);
        return spec != pack_.roles.end() && spec->second.quorum.kind != model::QuorumKind::none;
    }

    [[nodiscard]] std::string name_of_ready(const std::string& role) const {
        const auto fact =
            std::find_if(pack_.facts.begin(), pack_.facts.end(), [&](const auto& one) {
                return one.role == role && one.standard_fact == StandardFact::ready;
            });
        return fact == pack_.facts.end() ? "ready" : fact->name;
    }

    const model::Pack& pack_;
    Diagnostics& diagnostics_;
    std::set<std::string> copied_;
};

}  // namespace

void check_hollow_steps(const model::Pack& pack, Diagnostics& diagnostics) {
    HollowSteps steps(pack, diagnostics);
    for_each_step(pack,
                  [&](const PhaseSpec& phase, const StepSpec& step) { steps.read(phase, step); });
}

}  // namespace drydock::pack
