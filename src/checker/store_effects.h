// Stores in a row: their formats, their copies, and the laws that raise them. Only the effects use
// these functions; cluster_effects.h has the interface for the search.
#pragma once

#include "checker/cluster_effects.h"

#include <algorithm>

namespace drydock::checker {

inline constexpr Byte k_unverified = 1;
inline constexpr Byte k_verified = 2;

[[nodiscard]] inline bool has(std::uint64_t set, Byte value) {
    return ((set >> value) & 1U) != 0;
}

[[nodiscard]] inline Index index_of(const Model& model, const Member& member) {
    return distance_between(model.members.data(), &member);
}

[[nodiscard]] inline bool is_running(const Member& member, const Byte* row) {
    return member.running != k_no_offset && row[member.running] != k_absent;
}

// Returns the release whose laws hold for a member that runs `release`: that of the axis, if the
// store has one.
[[nodiscard]] inline Byte
reader_of(const Store& store, Index member, Byte release, const Byte* row) {
    if (store.axis.empty() || release == k_absent) {
        return release;
    }
    return store.axis[member] == k_no_offset ? k_absent : row[store.axis[member]];
}

// Visits the instances of stores that this member opens: of its own role only its own one, of other
// roles all. A store for leaders is opened by those alone.
template <class Each>
void for_each_store(const Model& model, const Member& member, const Byte* row, const Each& visit) {
    for (const Store& store : model.stores) {
        const bool is_closed_to_it = store.leader_only && member.leads != k_no_offset
                                     && row[member.leads] != model.value_serving;
        if (!store.opened_by[member.role] || is_closed_to_it) {
            continue;
        }
        const auto& owners = model.members_of[store.role];
        for (Index i = 0; i < store.offset.size(); ++i) {
            const bool is_own = store.role == member.role && !store.is_shared;
            if (!is_own || &model.members[owners[i]] == &member) {
                visit(store, i);
            }
        }
    }
}

// Visits the store instances of the member's role that are its own.
template <class Each>
void for_each_own_store(const Model& model, const Member& member, const Each& visit) {
    const auto& owners = model.members_of[member.role];
    for (const Store& store : model.stores) {
        if (store.role == member.role && !store.is_shared) {
            visit(store, index_in(owners, index_of(model, member)));
        }
    }
}

// Gives an instance a format, and its level facts the value that tells it.
void set_format(const Store& store, Index instance, Byte format, Byte* row);
// Applies the laws that raise on start to the stores of this member.
void convert(const Model& model, const Member& member, Byte release, Byte* row);

// True if a start of the release would raise a store of the member.
[[nodiscard]] bool
would_raise(const Model& model, const Member& member, Byte release, const Byte* row);

// Applies one effect of an action on a store.
void change_store(const Model& model, const StoreChange& change, Byte* row);
[[nodiscard]] bool has_verified_copy(const Store& store, const Byte* row);

// True if one instance has reached the format of the law. A law that has begun to raise a store
// counts as fired.
[[nodiscard]] bool is_risen(const Model& model, const FormatTransition& rise, const Byte* row);

// True if the release may start on the format of an instance, and was not kept out by an unclean
// stop; and if it may serve on it.
[[nodiscard]] bool
can_start_on(const Model& model, const Store& store, Index instance, Byte reader, const Byte* row);
[[nodiscard]] bool
can_serve_on(const Model& model, const Store& store, Index instance, Byte reader, const Byte* row);

// True if clients are let in.
[[nodiscard]] bool takes_writes(const Model& model, const Byte* row);

}  // namespace drydock::checker
