// Half-done effects: what holds while an action is under way.
//
// The begin saves the values from before and writes its own. An end puts the saved values back,
// unless another step has changed them meanwhile. A failure or a cut leaves both: a second attempt
// then still knows the values from before the first. Several actions may hold one value: each saves
// what was before the first of them, and the last that ends puts it back.
#include "checker/cluster_effects.h"
#include "checker/member_effects.h"

namespace drydock::checker {

namespace {

constexpr Byte k_nothing_saved = 0;
constexpr Byte k_saved_no_format = 0x7D;
constexpr Byte k_saved_destroyed = 0x7E;
constexpr Byte k_begun_again = 0x80;  // an earlier attempt has left its values

// Every value of a fact or a format has a code that is not zero.
Byte encode_saved(Byte value) {
    return value == k_no_format   ? k_saved_no_format
           : value == k_destroyed ? k_saved_destroyed
                                  : to_byte(value + 1);
}

Byte decode_saved(Byte saved) {
    const Byte code = to_byte(saved & ~k_begun_again);
    return code == k_saved_no_format   ? k_no_format
           : code == k_saved_destroyed ? k_destroyed
                                       : to_byte(code - 1);
}

void write(const Model& model, const HalfDone& half_done, Byte value, Byte* row) {
    if (half_done.is_format) {
        set_format(model.stores[half_done.instance.store], half_done.instance.index, value, row);
    } else {
        row[half_done.offset] = value;
    }
}

// Returns the member whose `running` fact lies at this offset; null: none.
const Member* member_at(const Model& model, Offset running) {
    const auto member =
        std::find_if(model.members.begin(), model.members.end(), [&](const Member& candidate) {
            return candidate.running == running;
        });
    return member == model.members.end() ? nullptr : &*member;
}

// Visits the bytes of other actions that hold this place with the same value: they have begun, and
// have not ended well.
template <class Each>
void for_each_other_holder(const Model& model, const HalfDone& half_done, Byte* row, Each visit) {
    for (const ActionModel& act : model.actions) {
        for (const HalfDone& other : act.meanwhile) {
            if (other.offset == half_done.offset && other.value == half_done.value
                && other.saved != half_done.saved && row[other.saved] != k_nothing_saved) {
                visit(row[other.saved]);
            }
        }
    }
}

bool is_held_by_another(const Model& model, const HalfDone& half_done, Byte* row) {
    bool is_held = false;
    for_each_other_holder(model, half_done, row, [&](Byte) { is_held = true; });
    return is_held;
}

// Returns the code of what was there before the first of the actions that hold the place. Where
// another step has changed it since, nobody holds it any more.
Byte value_before(const Model& model, const HalfDone& half_done, Byte* row) {
    Byte saved = encode_saved(row[half_done.offset]);
    const bool is_as_left = row[half_done.offset] == half_done.value;
    for_each_other_holder(model, half_done, row, [&](Byte& others) {
        if (is_as_left) {
            saved = to_byte(others & ~k_begun_again);
        } else {
            others = k_nothing_saved;
        }
    });
    return saved;
}

// Nothing needs to be put back where the value was there before, and nothing else changes it.
bool changes_nothing(const HalfDone& half_done, const Byte* row) {
    return half_done.is_own && row[half_done.offset] == half_done.value
           && row[half_done.saved] == k_nothing_saved;
}

void begin_one(const Model& model, const HalfDone& half_done, Byte* row) {
    if (changes_nothing(half_done, row)) {
        return;
    }
    const bool is_again = row[half_done.saved] != k_nothing_saved;
    row[half_done.saved] = is_again ? to_byte(row[half_done.saved] | k_begun_again)
                                    : value_before(model, half_done, row);
    const Member* member = half_done.is_format ? nullptr : member_at(model, half_done.offset);
    if (member != nullptr && half_done.value == k_absent) {
        take_down(model, {index_of(model, *member)}, row);
    }
    write(model, half_done, half_done.value, row);
}

// Puts a value back. Returns the member whose `running` it is, if that was taken down only for the
// time of the action: such a member has to come up, and that is the caller's.
const Member* end_one(const Model& model, const HalfDone& half_done, Byte* row, Byte& before) {
    const Byte saved = row[half_done.saved];
    row[half_done.saved] = k_nothing_saved;
    if (saved == k_nothing_saved || row[half_done.offset] != half_done.value
        || is_held_by_another(model, half_done, row)) {
        return nullptr;
    }
    before = decode_saved(saved);
    const Member* member = half_done.is_format ? nullptr : member_at(model, half_done.offset);
    if (member != nullptr && before != k_absent && half_done.value == k_absent) {
        return member;
    }
    write(model, half_done, before, row);
    return nullptr;
}

bool writes(const ActionModel& act, Offset offset) {
    return std::any_of(act.writes.begin(), act.writes.end(), [&](const Write& write) {
        return write.offset == offset;
    });
}

}  // namespace

void begin_half_done(const Model& model, std::size_t action, Byte* row) {
    for (const HalfDone& half_done : model.actions[action].meanwhile) {
        begin_one(model, half_done, row);
    }
    if (!model.actions[action].meanwhile.empty()) {
        settle(model, row);
    }
}

// Of a member that an effect moves, the effect tells what becomes of it.
std::vector<Returning> end_half_done(const Model& model, std::size_t action, Byte* row) {
    const ActionModel& act = model.actions[action];
    std::vector<Returning> returning;
    for (const HalfDone& half_done : act.meanwhile) {
        Byte before = k_absent;
        const Member* member = end_one(model, half_done, row, before);
        if (member != nullptr && !writes(act, half_done.offset)) {
            returning.push_back({index_of(model, *member), before});
        }
    }
    return returning;
}

// What an earlier attempt has left stays. A member that never went down runs on; it may have lost
// its lead, as if another had been elected meanwhile.
void undo_half_done(const Model& model, std::size_t action, Byte* row) {
    for (const HalfDone& half_done : model.actions[action].meanwhile) {
        if ((row[half_done.saved] & k_begun_again) != 0) {
            continue;
        }
        Byte before = k_absent;
        if (const Member* member = end_one(model, half_done, row, before); member != nullptr) {
            run_on(model, *member, before, row);
        }
    }
    settle(model, row);
}

void end_claims_on(const Model& model, const Member& member, Byte* row) {
    for (Index i = 0; model.holds_members && i < model.actions.size(); ++i) {
        for (const HalfDone& half_done : model.actions[i].meanwhile) {
            if (!half_done.is_format && half_done.offset == member.running
                && row[half_done.saved] != k_nothing_saved) {
                row[half_done.saved] |= k_begun_again;
            }
        }
    }
}

// Only an attempt that is under way needs to know whether there was one before it. What was there
// before the first is not needed where the effect of the action comes in its place.
void forget_attempts(const Model& model, std::size_t action, Byte* row) {
    const ActionModel& act = model.actions[action];
    for (const HalfDone& half_done : act.meanwhile) {
        const bool is_replaced = half_done.is_own && writes(act, half_done.offset);
        row[half_done.saved] =
            is_replaced ? k_nothing_saved : to_byte(row[half_done.saved] & ~k_begun_again);
    }
}

}  // namespace drydock::checker
