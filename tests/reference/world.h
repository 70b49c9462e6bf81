// World: a plan's run and the modelled cluster around it, as plain values. What the checker packs
// into bytes is written out here, so that tests can tell whether packing, sorting and the tables
// of the checker change any answer.
//
// Modelled are the facts bound to a standard one, those that an effect moves, and the levels of
// stores; a fact without a known first value is not. Everything is looked up by name, each time.
#pragma once

#include "checker/checker.h"
#include "model/condition.h"
#include "model/plan.h"
#include "run/program.h"
#include "run/state.h"

#include <array>
#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace drydock::reference {

enum class Copy { none, unverified, verified };

enum Fault { k_failure, k_unknown, k_crash, k_member, k_host, k_restart };

inline constexpr std::size_t k_faults = 6;

// Formats that are none of a store's.
inline constexpr int k_no_format = -1;
inline constexpr int k_destroyed = -2;

// What the cluster keeps of its stores. Instances of a store are named "data", or "data/m1" where
// each member has its own.
struct Stores {
    std::map<std::string, int> formats;       // by instance
    std::map<std::string, Copy> copies;       // by store
    std::map<std::string, int> remembered;    // by instance: its format when the copy was made
    std::map<std::string, std::string> left;  // by instance: the release that left it unclean
    std::set<std::string> stale;              // instances that others have run past
    bool written = false;                     // the new side has taken writes

    auto operator<=>(const Stores&) const = default;
};

// A value that an action's `while` has changed, as it was before.
struct Saved {
    int value = 0;
    bool again = false;  // an attempt before this one saved it

    auto operator<=>(const Saved&) const = default;
};

struct Before {
    std::map<std::string, Saved> facts;    // by key, one of the model's values
    std::map<std::string, Saved> formats;  // by instance

    auto operator<=>(const Before&) const = default;
};

struct World {
    std::vector<run::State::Cell> run;
    std::vector<int> facts;  // for each key of the model, one of its values
    Stores stores;
    std::set<std::string> held;               // stores whose format a command holds down
    std::map<std::size_t, Before> half_done;  // by action
    std::set<std::size_t> ran;                // actions that may not be repeated, and took effect
    bool closed = false;                  // what closes the way back has begun, for all it knows
    std::set<std::string> away;           // hosts that do not answer
    std::array<int, k_faults> used = {};  // of each fault's budget

    auto operator<=>(const World&) const = default;
};

// What an exploration of a way back begins with.
struct Origin {
    model::FactBook facts;
    Stores stores;
    std::vector<std::string> modelled;  // keys of facts that are modelled in any case
};

// A law that raises a store's format.
struct Rise {
    const model::PlanStore* store = nullptr;
    const model::FormatSupport* law = nullptr;
    std::string release;
    int becomes = 0;
    bool closes = false;  // the way back, and did not before the plan began
};

class Model {
public:
    explicit Model(const model::Plan& of, const Origin* origin = nullptr);

    const model::Plan& plan;
    run::Program program;
    std::vector<Rise> rises;
    bool closed_at_first = false;  // the way back might have closed before the plan began
    bool is_way_back = false;      // explored from a state of the way forward
    World first;

    [[nodiscard]] bool has(const std::string& key) const { return places_.contains(key); }

    // Where its value stands in `facts` of a world; null if it is not modelled.
    [[nodiscard]] const std::size_t* place_of(const std::string& key) const {
        const auto place = places_.find(key);
        return place == places_.end() ? nullptr : &place->second;
    }

    // Of a modelled fact.
    [[nodiscard]] const model::Observation& value(const World& world, const std::string& key) const;
    void set(World& world, const std::string& key, const model::Observation& value);
    void set(World& world, const std::string& key, const Json& value);
    // Leaves the value open, as an effect `changes` does.
    void leave_open(World& world, const std::string& key);
    [[nodiscard]] bool is_open(const World& world, const std::string& key) const;

    // The key of the member's standard fact ("running"); empty if it has none. "service" is told by
    // its probe.
    [[nodiscard]] const std::string& key_of(const std::string& member,
                                            const std::string& standard) const;
    // The release that the member runs; empty: it is down, or none is told.
    [[nodiscard]] std::string runs(const World& world, const std::string& member) const;
    [[nodiscard]] bool is_up(const World& world, const std::string& member) const;
    [[nodiscard]] bool is_down(const World& world, const std::string& member) const;
    // A fact that is modelled has this value.
    [[nodiscard]] bool is(const World& world, const std::string& key, const Json& value) const;
    [[nodiscard]] const std::vector<std::string>& members_of(const std::string& role) const;
    [[nodiscard]] std::string role_of(const std::string& member) const;
    [[nodiscard]] std::string host_of(const std::string& member) const;
    [[nodiscard]] std::vector<std::string> instances(const model::PlanStore& store) const;
    // Of these keys those that tell something about the instance of a store.
    [[nodiscard]] std::vector<std::string> keys_about(const std::string& instance,
                                                      const std::vector<std::string>& keys) const;
    [[nodiscard]] bool is_away(const World& world, const std::string& member) const;
    [[nodiscard]] run::State state(const World& world) const;
    void keep(World& world, const run::State& state) const;

    // The modelled facts, and whose they are.
    [[nodiscard]] const std::map<std::string, std::string>& owners() const { return owners_; }

    // What a survey would find.
    [[nodiscard]] model::FactBook survey(const World& world) const;

private:
    [[nodiscard]] const model::Observation* first_value(const std::string& key,
                                                        const Origin* origin) const;
    [[nodiscard]] int first_format(const model::PlanStore& store,
                                   const std::string& member,
                                   const Origin* origin) const;
    [[nodiscard]] std::string last_writer(const model::PlanStore& store,
                                          const std::string& member,
                                          const Origin* origin) const;
    [[nodiscard]] std::string written_by_axis(const model::PlanStore& store,
                                              const std::string& member,
                                              const Origin* origin) const;
    [[nodiscard]] std::set<std::string> keys_modelled(const Origin* origin) const;
    void add_store_keys(std::set<std::string>& keys) const;
    void name_facts(const Origin* origin);
    void name_standard_facts();
    void name_stores(const Origin* origin);
    void name_stores_left();
    void name_rises();
    [[nodiscard]] int index_of(const model::Observation& value);

    std::map<std::string, std::size_t> places_;
    std::map<std::string, std::string> owners_;
    std::map<std::pair<std::string, std::string>, std::string> standard_;
    std::vector<model::Observation> values_;
};

[[nodiscard]] int index_in(const std::vector<std::string>& names, const std::string& name);

}  // namespace drydock::reference
