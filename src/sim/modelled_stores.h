// ModelledStores: the stores of a modelled system, with their formats, copies and owners.
//
// A store has one instance, or one for each member of its role. A format is told by level facts if
// the store has any, else it is remembered here. Formats only rise, unless a command lowers them or
// a copy is put back. Not thread-safe.
#pragma once

#include "model/plan.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::sim {

using FactValues = std::map<std::string, Json, std::less<>>;  // by key; null: absent

// The data of one member, or of all.
struct StoreInstance {
    std::string owner;          // a member; empty: all share it
    std::string format;         // empty: unknown, and then every release reads it
    bool is_destroyed = false;  // no release reads it
    std::string unclean_by;     // the release that has not left it clean; empty: it is clean
    bool is_stale = false;      // another instance has newer data
    bool has_copy = false;
    std::optional<std::string> copied_format;  // nothing: the copy is of a destroyed store

    bool operator==(const StoreInstance&) const = default;
};

// A member that opens stores, on a release.
struct StoreReader {
    std::string member;
    std::string role;
    std::string release;  // that it runs, or is about to run
    bool leads = false;
};

class ModelledStores {
public:
    // Both must outlive this object. `values` holds the level facts.
    ModelledStores(const model::Plan& plan, FactValues& values);

    // Takes the formats that the level facts tell at first.
    void read_levels();

    using Each = std::function<void(const model::PlanStore&, StoreInstance&)>;
    // Visits the instances that the member opens: of its own role only its own one.
    void for_each(const StoreReader& reader, const Each& visit);
    // Visits all instances of a store.
    void for_each_of(const std::string& store, const Each& visit);

    // True if each store that the member opens has a format on which its release starts.
    [[nodiscard]] bool can_start(const StoreReader& reader);
    // True if a store that the member opens has a format on which its release may not run: with
    // `has_clients` those formats count on which it only starts.
    [[nodiscard]] bool misreads(const StoreReader& reader, bool has_clients);

    // Returns the release whose laws hold for this member and store; empty: none is known.
    [[nodiscard]] std::string release_of(const model::PlanStore& store,
                                         const StoreReader& reader) const;
    [[nodiscard]] const model::PlanStore* find(const std::string& store) const;

    [[nodiscard]] std::string format_of(const model::PlanStore& store,
                                        const StoreInstance& instance) const;
    // True if the instance has this format or a later one.
    [[nodiscard]] bool has_reached(const model::PlanStore& store,
                                   const StoreInstance& instance,
                                   const std::string& format) const;
    // True if an instance of the store has this format or a later one.
    [[nodiscard]] bool any_has_reached(const std::string& store, const std::string& format) const;
    // True if an instance has not reached the format, and may.
    [[nodiscard]] bool can_rise(const std::string& store, const std::string& format) const;
    // Raises the instance, unless it has reached the format or is destroyed.
    void raise(const model::PlanStore& store, StoreInstance& instance, const std::string& format);

    // The effects of commands. Those with a member act on its own instance, if it has one. A
    // destroyed instance changes only if it is restored or made anew.

    // Gives the instance of the member, or all if it is empty, the format.
    void write(const std::string& store, const std::string& member, const std::string& format);
    // Raises the member's own instance by the law of a series; on an axis only if its laws are of
    // that release.
    void raise_own(const std::string& store,
                   const std::string& member,
                   const std::string& format,
                   const std::string& series);
    // Gives the member's own instance the format of that law, if it was destroyed.
    void make_anew(const std::string& store,
                   const std::string& member,
                   const std::string& format,
                   const std::string& series);
    // The same on an axis: the format that the member's release writes, whether it raises or not.
    void make_anew_by_axis(const std::string& store, const std::string& member);
    void destroy(const std::string& store, const std::string& member);
    void copy(const std::string& store);
    void restore(const std::string& store, const std::string& member);
    // Restores each store of which there is a copy.
    void restore_all();

    // A member that runs makes its stores unclean; one that was stopped leaves them clean.
    void note_running(const StoreReader& reader);
    void note_stopped(const StoreReader& reader);
    // True if the key tells whether the member's own store, which no other opens, was left clean.
    [[nodiscard]] bool tells_own_clean(const std::string& key, const std::string& member) const;
    // Leaves the member's own stores clean.
    void clean_own(const std::string& member);

    [[nodiscard]] std::vector<StoreInstance> save(const std::string& store) const;
    // True if an effect of the member concerns the instance at this place: its own, or any if it
    // has none.
    [[nodiscard]] bool
    is_of(const std::string& store, std::size_t index, const std::string& member) const;
    // Gives the instance at this place the format of `before`.
    void put_back(const std::string& store, std::size_t index, const StoreInstance& before);

private:
    [[nodiscard]] const StoreInstance* copy_for(const std::string& store,
                                                const StoreInstance& instance) const;
    void for_own(const std::string& store, const std::string& member, const Each& visit);
    [[nodiscard]] std::string first_format(const model::PlanStore& store) const;
    // Returns the releases of the axis whose laws the instance has, by its owner.
    [[nodiscard]] std::vector<std::string> releases_of_axis(const model::PlanStore& store,
                                                            const std::string& owner) const;
    [[nodiscard]] bool has_law(const model::PlanStore& store,
                               const StoreInstance& instance,
                               const std::string& series) const;
    [[nodiscard]] std::string newest_of_axis(const model::PlanStore& store,
                                             const std::string& owner) const;
    [[nodiscard]] std::string written_by_axis(const model::PlanStore& store,
                                              const std::string& owner) const;
    [[nodiscard]] std::vector<std::string> level_keys(const model::PlanStore& store,
                                                      const std::string& owner) const;
    [[nodiscard]] std::string told_by(const std::vector<std::string>& keys) const;
    [[nodiscard]] std::string seen_by(const std::vector<std::string>& keys) const;
    [[nodiscard]] std::size_t rank_of(const model::PlanStore& store,
                                      const std::string& format) const;
    void tell(const model::PlanStore& store,
              StoreInstance& instance,
              const std::optional<std::string>& format);
    void set_clean(const model::PlanStore& store, StoreInstance& instance, const std::string& by);
    [[nodiscard]] bool is_left_unclean(const model::PlanStore& store,
                                       const StoreInstance& instance,
                                       const std::string& release) const;
    [[nodiscard]] bool may_open(const model::PlanStore& store,
                                const StoreInstance& instance,
                                const StoreReader& reader,
                                bool starts) const;

    const model::Plan& plan_;
    FactValues& values_;
    std::map<std::string, std::vector<StoreInstance>, std::less<>> instances_;  // by store
};

}  // namespace drydock::sim
