// What kinds of effects have in common.
#pragma once

#include "model/pack.h"

namespace drydock::model {

// True if the effect says what becomes of a fact.
[[nodiscard]] constexpr bool is_about_fact(EffectKind kind) {
    return kind == EffectKind::becomes || kind == EffectKind::changes || kind == EffectKind::adds
           || kind == EffectKind::removes;
}

// True if the effect brings a store from one format to another.
[[nodiscard]] constexpr bool converts(EffectKind kind) {
    return kind == EffectKind::raises || kind == EffectKind::lowers;
}

// True if the effect changes a store: its format, or what it holds. A copy leaves it as it is.
[[nodiscard]] constexpr bool moves_store(EffectKind kind) {
    return converts(kind) || kind == EffectKind::destroys || kind == EffectKind::restores;
}

}  // namespace drydock::model
