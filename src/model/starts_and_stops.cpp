// Tells by verbs and effects which members an action takes down and brings up.
#include "model/starts_and_stops.h"

namespace drydock::model {

namespace {

// A stop and a start move their own member also in a pack that has no fact for it. A package of a
// host restarts all that are on it.
void move_by_verb(const Action& action, StartsAndStops& moves) {
    if (action.verb == Verb::stop) {
        moves.taken_down.insert(action.member);
        moves.left_down.insert(action.member);
    } else if (action.verb == Verb::start || action.verb == Verb::restart) {
        moves.left_up.insert(action.member);
    }
    if (action.verb == Verb::restart) {
        moves.taken_down.insert(action.member);
        for (const Effect& effect : action.effects) {
            moves.taken_down.insert(effect.member);
        }
    }
}

// The last effect on a member counts.
void move_by_effect(const Action& action, const Effect& effect, StartsAndStops& moves) {
    const bool goes_down = effect.value.is_null();
    moves.left_down.erase(effect.member);
    moves.left_up.erase(effect.member);
    (goes_down ? moves.left_down : moves.left_up).insert(effect.member);
    if (goes_down || action.verb != Verb::start) {
        moves.taken_down.insert(effect.member);
    }
}

}  // namespace

bool tells_who_runs(const Plan& plan, const Effect& effect) {
    if (effect.kind != EffectKind::becomes || effect.member.empty()) {
        return false;
    }
    const auto source = plan.sources.find(fact_key(effect.member, effect.name));
    return source != plan.sources.end() && source->second.standard_fact == StandardFact::running;
}

StartsAndStops starts_and_stops_of(const Plan& plan, const Action& action) {
    StartsAndStops moves;
    move_by_verb(action, moves);
    for (const Effect& effect : action.effects) {
        if (tells_who_runs(plan, effect)) {
            move_by_effect(action, effect, moves);
        }
    }
    for (const Effect& effect : action.meanwhile) {
        if (tells_who_runs(plan, effect) && effect.value.is_null()) {
            moves.taken_down.insert(effect.member);
        }
    }
    for (auto* members : {&moves.taken_down, &moves.left_down, &moves.left_up}) {
        members->erase("");
    }
    return moves;
}

}  // namespace drydock::model
