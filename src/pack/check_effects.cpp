// Effects that would go round the laws of a pack.
//
// The checker moves some facts by laws of its own: what a member runs, how it votes, the format of
// a store. Such a fact needs a value that is known (`becomes`), and a level needs an effect on its
// store. A list of effects holds as a whole, so that it may not contradict itself.
#include "model/effect_kinds.h"
#include "pack/pack_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

using model::EffectKind;
using model::EffectSpec;
using model::FactSpec;
using model::is_about_fact;
using model::StandardFact;
using model::StepSpec;
using model::StoreSpec;

using Effects = std::vector<EffectSpec>;

bool is_same_fact(const EffectSpec& effect, const EffectSpec& other) {
    return is_about_fact(effect.kind) && is_about_fact(other.kind) && effect.name == other.name
           && effect.role == other.role;
}

// Returns true if both effects cannot hold: two values of a fact, or an item in and out of a list.
bool contradicts(const EffectSpec& effect, const EffectSpec& other) {
    const auto is_list = [](EffectKind kind) {
        return kind == EffectKind::adds || kind == EffectKind::removes;
    };
    if (is_list(effect.kind) && is_list(other.kind)) {
        return effect.kind != other.kind && effect.value == other.value;
    }
    return effect.kind != other.kind || effect.value != other.value;
}

// Returns true if the effect raises, lowers, destroys or restores the store.
bool moves(const EffectSpec& effect, const std::string& store) {
    return model::moves_store(effect.kind) && model::without_side(effect.name) == store;
}

bool is_in_list(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

class EffectChecker {
public:
    EffectChecker(const model::Pack& pack, Diagnostics& diagnostics)
        : pack_(pack)
        , diagnostics_(diagnostics) {}

    void check(const StepSpec& step) {
        check_list(step.effects);
        check_list(step.meanwhile);
        for (const EffectSpec& effect : step.meanwhile) {
            check_is_half_done(effect);
        }
    }

private:
    void
    error(const char* code, const EffectSpec& effect, std::string summary, std::string suggestion) {
        diagnostics_.error(code, effect.position, std::move(summary), std::move(suggestion));
    }

    void check_list(const Effects& effects) {
        for (std::size_t i = 0; i < effects.size(); ++i) {
            check_against_earlier(effects, i);
            check_axis_store(effects[i]);
            const FactSpec* fact = is_about_fact(effects[i].kind) ? fact_of(effects[i]) : nullptr;
            if (fact != nullptr) {
                check_level(effects[i], *fact, effects);
                check_changes(effects[i], *fact);
                check_release(effects[i], *fact);
                check_derived(effects[i], *fact, effects);
            }
        }
    }

    [[nodiscard]] const FactSpec* fact_of(const EffectSpec& effect) const {
        const std::string role = model::without_side(effect.role);
        const auto fact =
            std::find_if(pack_.facts.begin(), pack_.facts.end(), [&](const auto& one) {
                return one.name == effect.name && one.role == role;
            });
        return fact == pack_.facts.end() ? nullptr : &*fact;
    }

    void check_against_earlier(const Effects& effects, std::size_t index) {
        const EffectSpec& effect = effects[index];
        for (std::size_t i = 0; i < index; ++i) {
            const EffectSpec& earlier = effects[i];
            if (is_same_fact(effect, earlier) && contradicts(effect, earlier)) {
                error(
                    "effect.twice",
                    effect,
                    fmt::format("a second value of `{}` in one list of effects", effect.name),
                    "keep the value that holds in the end; name what holds until then in `while`");
            }
            if (effect.name == earlier.name && converts_otherwise(effect, earlier)) {
                error("effect.twice",
                      effect,
                      fmt::format("`{}` beside `{}` of the store `{}`",
                                  name_of(effect.kind),
                                  name_of(earlier.kind),
                                  effect.name),
                      "keep the one that tells the format in the end");
            }
        }
    }

    static bool converts_otherwise(const EffectSpec& effect, const EffectSpec& earlier) {
        return model::converts(effect.kind) && model::converts(earlier.kind)
               && effect.kind != earlier.kind;
    }

    // The format decides who may open the store. So a level follows its store, and a value that the
    // level is derived from may only be told beside that.
    void check_level(const EffectSpec& effect, const FactSpec& fact, const Effects& effects) {
        for (const auto& [name, store] : pack_.stores) {
            const FactSpec* level =
                store.level.empty() ? nullptr : find_fact(pack_, store.role, store.level);
            if (level == nullptr || !is_told_by(*level, fact)) {
                continue;
            }
            const bool is_told = std::any_of(effects.begin(),
                                             effects.end(),
                                             [&](const auto& other) { return moves(other, name); });
            const bool is_level = level == &fact;
            if (is_told && is_level && effect.kind != EffectKind::changes) {
                error("effect.level",
                      effect,
                      fmt::format("`{}` is the level of the store `{}`, which has an effect here",
                                  fact.name,
                                  name),
                      "remove this one: the level follows the store");
            } else if (!is_told) {
                error("effect.level",
                      effect,
                      fmt::format("`{}` {} the level of the store `{}`, and no effect says what "
                                  "becomes of the store",
                                  fact.name,
                                  is_level ? "is" : "tells",
                                  name),
                      fmt::format("write `raises: {}` or `lowers: {}`{}",
                                  name,
                                  name,
                                  is_level ? "" : " beside it"));
            }
        }
    }

    // Returns true if the level is the fact, or is derived from it.
    [[nodiscard]] bool is_told_by(const FactSpec& level, const FactSpec& fact) const {
        if (&level == &fact) {
            return true;
        }
        return level.derive != model::Derivation::none
               && std::any_of(pack_.facts.begin(), pack_.facts.end(), [&](const FactSpec& input) {
                      return is_in_list(level.inputs, input.name) && is_told_by(input, fact);
                  });
    }

    // A law that reads the fact would take it for unchanged.
    void check_changes(const EffectSpec& effect, const FactSpec& fact) {
        const std::string reader = effect.kind == EffectKind::changes ? reader_of(fact) : "";
        if (!reader.empty()) {
            const bool is_list = fact.type == model::FactType::list;
            error("effect.changes",
                  effect,
                  fmt::format("`changes` leaves the value of `{}` open, and {}", fact.name, reader),
                  is_list
                      ? "write `adds` or `removes`"
                      : fmt::format("write `{{becomes: {{fact: {}, value: ...}}}}`", fact.name));
        }
    }

    // Returns the law of the model that reads the fact; empty if there is none.
    [[nodiscard]] std::string reader_of(const FactSpec& fact) const {
        const bool is_format =
            fact.standard_fact == StandardFact::format || fact.standard_fact == StandardFact::level;
        if (fact.standard_fact != StandardFact::none && !is_format) {
            return fmt::format("it is bound to `{}`", name_of(fact.standard_fact));
        }
        if (fact.kind == "service") {
            return "it tells whether the service runs";
        }
        if (fact.temporary != model::Temporary::no) {
            return "it is temporary: the plan's end asks for its value";
        }
        for (const auto& [name, axis] : pack_.axes) {
            if (axis.fact == fact.name && !fact.role.empty()) {
                return fmt::format("it tells the release of the axis `{}`", name);
            }
        }
        return {};
    }

    // A release without laws would read every format. What a ${name} stands for, the plan finds
    // out; but a series is never a release.
    void check_release(const EffectSpec& effect, const FactSpec& fact) {
        const bool is_of_member = fact.standard_fact == StandardFact::running
                                  || fact.standard_fact == StandardFact::installed;
        if (!is_of_member || effect.kind != EffectKind::becomes || !effect.value.is_string()) {
            return;
        }
        const std::string& value = effect.value.as_string();
        const bool is_template = value.find("${") != std::string::npos;
        if (is_template ? value.find(".series}") != std::string::npos
                        : !pack_.releases.contains(value)) {
            error("effect.release",
                  effect,
                  fmt::format(
                      "`{}` becomes `{}`, which is no release of this pack", fact.name, value),
                  "name a release of releases.yaml, or write \"${to}\"");
        }
    }

    // The formats of an axis belong to releases of which the plan has no target.
    void check_axis_store(const EffectSpec& effect) {
        const auto store = pack_.stores.find(model::without_side(effect.name));
        if (effect.kind == EffectKind::lowers && store != pack_.stores.end()
            && !store->second.read_by.empty()) {
            error("effect.axis",
                  effect,
                  fmt::format("the store `{}` is read by the axis `{}`, of which no release lowers "
                              "a format",
                              store->first,
                              store->second.read_by),
                  fmt::format("write `destroys: {}` and `raises: {}`: it is made anew",
                              store->first,
                              store->first));
        }
    }

    // The model moves a derived fact by its own effects only. One that laws read needs such an
    // effect wherever a fact moves that it is derived from.
    void check_derived(const EffectSpec& effect, const FactSpec& fact, const Effects& effects) {
        for (const FactSpec& derived : pack_.facts) {
            const bool is_read = derived.temporary != model::Temporary::no
                                 || derived.standard_fact == StandardFact::serving
                                 || derived.standard_fact == StandardFact::writes;
            const bool follows = is_read && &derived != &fact && is_told_by(derived, fact);
            const bool is_told =
                std::any_of(effects.begin(), effects.end(), [&](const auto& other) {
                    return is_about_fact(other.kind) && fact_of(other) == &derived;
                });
            if (follows && !is_told) {
                error("effect.derived",
                      effect,
                      fmt::format("`{}` follows from `{}`, and no effect says what it becomes",
                                  derived.name,
                                  fact.name),
                      fmt::format("add `{{becomes: {{fact: {}, value: ...}}}}`", derived.name));
            }
        }
    }

    void check_is_half_done(const EffectSpec& effect) {
        if (effect.kind == EffectKind::restores) {
            error("effect.while",
                  effect,
                  "half a restore brings nothing back",
                  fmt::format("write `{{destroys: {}}}` here, and `restores` in `effect`",
                              model::without_side(effect.name)));
        }
    }

    const model::Pack& pack_;
    Diagnostics& diagnostics_;
};

}  // namespace

void check_effects(const model::Pack& pack, Diagnostics& diagnostics) {
    EffectChecker checker(pack, diagnostics);
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        for (const model::PhaseSpec& phase : procedure.phases) {
            for (const StepSpec& step : phase.steps) {
                checker.check(step);
            }
        }
    }
}

}  // namespace drydock::pack
