// Steps that raise or lower a store of which each member has an instance: the whole store, as a
// finalize does that one member is told, or with `own: true` the member's own instance.
//
// A step that is carried out on every member, and raises the whole store each time, is mostly a
// migration of each member's own. The model then takes all of them for migrated by the first.
#include "model/effect_kinds.h"
#include "pack/pack_reader.h"

#include <fmt/format.h>

namespace drydock::pack {

namespace {

using model::EffectKind;
using model::EffectSpec;
using model::PhaseSpec;
using model::StepSpec;

class OwnInstances {
public:
    OwnInstances(const model::Pack& pack, Diagnostics& diagnostics)
        : pack_(pack)
        , diagnostics_(diagnostics) {}

    void read(const PhaseSpec& phase, const StepSpec& step) {
        for (const auto* effects : {&step.effects, &step.meanwhile}) {
            for (const EffectSpec& effect : *effects) {
                if (effect.own) {
                    check_own(phase, step, effect);
                } else {
                    warn_of_whole(phase, step, effect);
                }
            }
        }
    }

private:
    // Returns the role of the members on which the step is; empty: it is the system's.
    static std::string role_of(const PhaseSpec& phase, const StepSpec& step) {
        const auto& selection = step.selection ? step.selection : phase.selection;
        return selection ? model::without_side(selection->role) : "";
    }

    [[nodiscard]] const model::StoreSpec* store_of(const EffectSpec& effect) const {
        const auto store = pack_.stores.find(model::without_side(effect.name));
        return store == pack_.stores.end() ? nullptr : &store->second;
    }

    void error(const EffectSpec& effect, std::string summary, std::string suggestion) {
        diagnostics_.error(
            "effect.own", effect.position, std::move(summary), std::move(suggestion));
    }

    void check_own(const PhaseSpec& phase, const StepSpec& step, const EffectSpec& effect) {
        const model::StoreSpec* store = store_of(effect);
        if (!model::converts(effect.kind)) {
            error(effect,
                  fmt::format("`own` beside `{}`", name_of(effect.kind)),
                  "remove it: it is for `raises` and `lowers`");
        } else if (store != nullptr && store->shared) {
            error(effect,
                  fmt::format("`own`, and all members share the store `{}`", store->name),
                  "remove it");
        } else if (store != nullptr && role_of(phase, step) != store->role) {
            error(effect,
                  fmt::format("`own` in a step that is on no {}, whose store `{}` is",
                              store->role,
                              store->name),
                  fmt::format("say `on: {{every: {}}}`, or remove `own`", store->role));
        }
    }

    // Where some members are selected, one may be told for all.
    void warn_of_whole(const PhaseSpec& phase, const StepSpec& step, const EffectSpec& effect) {
        const model::StoreSpec* store = model::converts(effect.kind) ? store_of(effect) : nullptr;
        const auto& selection = step.selection ? step.selection : phase.selection;
        const bool is_on_each = selection && !selection->is_single && selection->filter.empty();
        if (store != nullptr && !store->shared && is_on_each
            && role_of(phase, step) == store->role) {
            diagnostics_.warning(
                "effect.whole",
                effect.position,
                fmt::format("each {} {} `{}` as a whole, and each has an instance of its own",
                            store->role,
                            name_of(effect.kind),
                            store->name),
                fmt::format(
                    "write `{{{}: {}, own: true}}`; or let one be told: `on: {{one_of: {}}}`",
                    name_of(effect.kind),
                    store->name,
                    store->role));
        }
    }

    const model::Pack& pack_;
    Diagnostics& diagnostics_;
};

}  // namespace

void check_own_instances(const model::Pack& pack, Diagnostics& diagnostics) {
    OwnInstances instances(pack, diagnostics);
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        for (const PhaseSpec& phase : procedure.phases) {
            for (const StepSpec& step : phase.steps) {
                instances.read(phase, step);
            }
        }
    }
}

}  // namespace drydock::pack
