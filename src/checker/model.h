// Model: a plan and its cluster in numbers, the transition system that the search explores.
//
// A state is a state vector, called a row: a string of bytes. The first byte is the phase of the
// run. Each action has a byte for its status and failures, each modelled fact has an index into
// `values`. Further bytes hold the formats of stores, the quality of copies, the unrepeatable
// actions that have run, and the unreachable hosts. The last bytes are the usage of each fault
// budget. The bytes of one member are one block, so interchangeable members are sorted by moving
// blocks.
//
// Modelled facts are the standard facts and the facts that effects of the plan move. Conditions
// become sets of values: model::evaluate() is asked about each value that a fact can have.
#pragma once

#include "checker/checker.h"
#include "checker/index_types.h"
#include "model/condition.h"
#include "run/program.h"
#include "run/state.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::checker {

inline constexpr Byte k_absent = 0;  // the index of the value "absent"
inline constexpr Byte k_no_format = 0xFF;
inline constexpr Byte k_destroyed = 0xFE;  // the format of a destroyed store: no release opens it
inline constexpr std::size_t k_values_max = 64;
inline constexpr std::uint64_t k_any_value = ~std::uint64_t{0};

enum class Fault : Byte { failure, unknown, crash, member, host, restart };
inline constexpr std::size_t k_faults = 6;
inline constexpr std::size_t k_fault_usage_size = 8;  // bytes at the end of a row: fault usage

// Returns the phase of the run; and the status in the cell of an action.
[[nodiscard]] inline run::Phase phase_of(const Byte* row) {
    return static_cast<run::Phase>(row[0]);
}

[[nodiscard]] inline run::Status status_in(Byte cell) {
    return static_cast<run::Status>(cell & 0xFU);
}

// The values of all modelled facts. Equal values have one index.
class Values {
public:
    Values();
    [[nodiscard]] Byte index_of(const model::Observation& value);

    [[nodiscard]] const model::Observation& at(Index index) const { return values_[index]; }

    [[nodiscard]] std::size_t size() const { return values_.size(); }

private:
    std::vector<model::Observation> values_;
};

// One condition on facts. Each target has its own sets of values: bit i is the value with index i.
struct Predicate {
    struct Target {
        Index member = k_no_index;  // k_no_index: the system
        Offset offset = k_no_offset;
        std::uint64_t satisfying_values = 0;  // values that satisfy the condition
        std::uint64_t cannot_tell = 0;        // values that leave it unknown
    };

    bool is_modelled = false;       // false: both answers are explored
    bool may_be_open = false;       // so they are while a step has left a value open
    bool requires_equal = false;    // true: all targets must have equal values
    bool only_expected_up = false;  // true: members that the plan expects to be down do not count
    bool one_suffices = false;      // true: one satisfied target is enough
    int needed_count = 0;           // satisfied targets that are enough; 0: all
    std::vector<Target> targets;
};

// A declared effect on one modelled fact.
struct Write {
    Offset offset = k_no_offset;
    Byte value = k_absent;
};

// One instance of a store.
struct Instance {
    Index store = 0;
    Index index = 0;
};

// A declared effect on a store, or on some of its instances.
struct StoreChange {
    model::EffectKind kind = model::EffectKind::raises;
    Index store = 0;
    std::vector<Index> instances;
    bool own = false;  // it converts these instances, and no other
};

// A fact or a format that an action changes for the time that it is under way. `saved` is the place
// of the value from before its first begin; see encode_saved().
struct HalfDone {
    Offset offset = k_no_offset;
    Byte value = k_absent;
    Offset saved = k_no_offset;
    Instance instance;  // of a store; only if `is_format`
    bool is_format = false;
    bool is_own = false;  // nothing else ever changes the place
};

// A place where state lives, with an instance for each member of its role, or one that all share.
struct Store {
    std::string name;
    Index role = 0;
    bool is_shared = false;
    std::vector<std::string> formats;
    Offset copy = k_no_offset;
    Offset hold = k_no_offset;   // 1: a command holds the format down, and no law raises it
    bool copy_needed = false;    // true: closing the way back needs a verified copy
    std::vector<Offset> offset;  // of its format: one, or one for each member of the role
    std::vector<std::vector<Offset>> levels;           // of the facts that report it, by instance
    std::vector<Byte> level_values;                    // the value of those facts, by format
    std::vector<bool> opened_by;                       // by role
    std::map<std::string, model::FormatSupport> laws;  // by release
    // By value of a release and by format: whether it serves on it, and whether it starts on it. A
    // value beyond the end is a release without a law.
    std::vector<std::vector<bool>> reads;
    std::vector<std::vector<bool>> starts_on;
    // The fields from here on belong to laws that few plans use. By instance; empty: not used.
    std::vector<Offset> copied;                    // the format that the copy has
    std::vector<Offset> unclean;                   // the release that did not leave it clean
    std::vector<Offset> stale;                     // 1: another copy is newer
    std::vector<std::vector<Offset>> clean_facts;  // of the facts that tell whether it is clean
    std::vector<Offset> axis;                      // by member: the release that reads it
    bool leader_only = false;
};

// A law that raises a store's format without a command.
struct FormatTransition {
    Index store = 0;
    Index role = 0;
    model::FormatTrigger raises = model::FormatTrigger::never;
    std::uint64_t running_values = 0;  // values of `running` that mean its release
    Byte becomes = 0;                  // a format
    bool blocks_downgrade = false;
    bool alone = false;           // two starts that raise it may not be under way at once
    bool holds_at_start = false;  // its condition held before the plan's first action
    bool waits = false;           // for a state of its members

    // It can close the way back while the plan runs.
    [[nodiscard]] bool closes() const { return blocks_downgrade && !holds_at_start; }
};

struct Member {
    // An action that starts or stops the member.
    struct UpDownEvent {
        std::size_t action = 0;
        bool up = false;
    };

    std::string name;
    Index role = 0;
    Index host = 0;
    Offset block = 0;  // the first byte of its block
    std::uint32_t size = 0;
    Offset installed = k_no_offset;
    Offset running = k_no_offset;
    Offset ready = k_no_offset;
    Offset service = k_no_offset;
    Offset unreachable = k_no_offset;
    Offset leads = k_no_offset;
    Offset voter = k_no_offset;
    bool up_at_first = true;
    std::uint32_t found_broken =
        0;  // properties that its start would break before the first action
    std::vector<UpDownEvent> up_down_events;    // the last in the plan first
    std::vector<std::size_t> stopping_actions;  // actions that take the member down
};

// An action of the plan, with its effects and conditions as indices.
struct ActionModel {
    Index member = k_no_index;
    Index interchangeable_group =
        k_no_index;              // its group of interchangeable actions; k_no_index: none
    Offset ran = k_no_offset;    // of an unrepeatable action: whether it has taken effect
    bool starts = false;         // it brings members up
    bool stops_members = false;  // it takes members down, if only for a while
    bool moves_votes = false;    // it gives or takes the vote of a member
    bool destroys = false;       // overwrites or removes data
    bool restores = false;
    bool moves_serving = false;
    bool closes = false;              // once it has begun, the way back is closed
    bool moves_world = false;         // it has a modelled effect
    bool matters_if_skipped = false;  // a skip and an end have different futures
    bool local = false;               // no other action observes its outcome (add_local_actions)
    bool shows_half_done = false;     // others may observe what holds while it is under way
    bool moves_releases = false;      // it changes who runs what, or on which format
    bool independent = false;  // it commutes with other such actions (add_independent_actions)
    std::vector<Write> writes;
    std::vector<Write> votes_meanwhile;  // the votes while it is under way, where they differ
    std::vector<Index> starting;         // members
    std::vector<Index> leaving;          // members
    std::vector<Index> roles_short_of;   // those in which it takes members down, or moves votes
    std::vector<Index> raises;           // stores
    std::vector<Index> lowers;
    std::vector<Index> copies;
    std::vector<Index> destroyed;
    std::vector<StoreChange> changes;  // of stores, in the plan's order
    std::vector<HalfDone> meanwhile;
    std::vector<Index> alone;  // the resources that no other such action may use
    std::vector<Predicate> applies_if;
    std::vector<Predicate> preconditions;
    std::vector<Predicate> postconditions;
    std::vector<Predicate> completion_check;
    // Members that its begin depends on, by a condition or by their quorum; and members that its
    // end depends on.
    std::vector<Index> observed_before;
    std::vector<Index> observed_after;
};

// Releases that may not serve together: one of them in `role`, another in `other_role`.
struct SkewPair {
    Index role = 0;
    Index other_role = 0;
    std::uint64_t releases = 0;  // values of `running`
    std::uint64_t other_releases = 0;
    const model::SkewRule* rule = nullptr;
};

// Members of a role that have a quorum together. A unit is ready if all its voters are.
struct QuorumGroup {
    std::string name;
    model::QuorumKind kind = model::QuorumKind::none;
    int count = 0;
    std::vector<std::vector<Index>> units;
};

// The value that a temporary fact has again at the end.
struct TemporaryValue {
    std::string key;
    Offset at = k_no_offset;
    Byte value = k_absent;
};

// The initial state of a search that starts where another search stands: its facts and stores.
struct InitialState {
    model::FactBook facts;
    std::map<std::string, Byte> formats;  // by store, or store/member
    std::map<std::string, Byte> copies;
    std::map<std::string, Byte> copied;                 // the format of the copy
    std::map<std::string, model::Observation> unclean;  // the release that left it so
    std::map<std::string, Byte> stale;
    std::vector<std::string> modelled;  // keys of facts that the other plan moves
    bool new_writes = false;            // the new side has taken writes
};

struct Model {
    explicit Model(const model::Plan& checked_plan, const InitialState* start = nullptr);

    const model::Plan& plan;
    run::Program program;
    Values values;
    std::vector<std::string> roles;
    std::vector<int> quorum;                       // by role
    std::vector<std::vector<QuorumGroup>> groups;  // by role
    std::vector<bool> restarts;                    // by role: members may start by themselves
    std::vector<int> ready_with;                   // by role
    std::vector<std::vector<Index>> members_of;
    std::vector<Member> members;
    std::vector<std::string> hosts;
    std::vector<std::vector<Index>> members_on;
    std::vector<ActionModel> actions;
    std::vector<Offset> cells;  // of each action's status and failures
    std::vector<Store> stores;
    std::vector<FormatTransition> format_transitions;
    std::vector<SkewPair> skews;
    std::vector<TemporaryValue> temporaries;  // those that must be as before at the end
    std::vector<std::string> resources;       // of actions that are alone: stores and roles
    // True if the plan uses a law by which members change each other: leaders, members that are
    // ready together, stale or unclean copies, a second axis. Reductions that have no argument for
    // it are off.
    bool has_mutual_laws = false;
    bool holds_members = false;         // some action takes a member down for its own time
    bool has_alone = false;             // some action or start must be alone
    Byte value_open = k_absent;         // of a fact that `changes`; k_absent: no step has that
    bool moves_votes = false;           // some action gives or takes a vote
    bool lends_votes = false;           // some action does while it is under way
    std::uint64_t judged_restarts = 0;  // values of `installed` whose start by itself can violate
    bool depends_on_clients = false;    // a release may start where it may not serve
    std::size_t interchangeable_groups = 0;
    std::vector<std::size_t> return_gates;
    std::vector<std::size_t> unmodelled;    // actions with conditions that are answered both ways
    std::map<std::string, Offset> offsets;  // of facts, by key
    Byte value_serving = k_absent;          // `ready`: the value of a member that serves
    Byte value_started = k_absent;          // `service`
    Byte value_stopped = k_absent;
    Byte no = k_absent;  // false; only if a law of the plan uses it
    Offset serving = k_no_offset;
    Offset writes = k_no_offset;  // of the fact that tells whether writes are accepted
    std::uint64_t accepted = 0;   // values of that fact that mean yes
    Offset new_writes = k_no_offset;
    Offset closed = k_no_offset;  // 1: an action that closes the way back has begun
    Offset fault_usage =
        k_no_offset;            // of the fault usage, a byte a budget; the last bytes of a row
    std::uint32_t size = 0;     // of a row
    std::vector<Byte> initial;  // the initial row

    [[nodiscard]] run::Status status(const Byte* row, Index action) const {
        return status_in(row[cells[action]]);
    }

    [[nodiscard]] Byte& fault_usage_of(Byte* row, Fault fault) const {
        return row[fault_usage + ordinal(fault)];
    }

    [[nodiscard]] Byte fault_usage_of(const Byte* row, Fault fault) const {
        return row[fault_usage + ordinal(fault)];
    }

    // Decodes the state of the run. Rows keep no attempt numbers; an action in flight gets a 1.
    void unpack(const Byte* row, run::State& run) const;
    void pack_action(const run::State& run, std::size_t action, Byte* row) const;
    void pack(const run::State& run, Byte* row) const;
    // True if the plan expects the member to be up (run::members_up).
    [[nodiscard]] bool expected_up(const Byte* row, Index member) const;
    // True if the member was down when the plan was made, and runs in this row.
    [[nodiscard]] bool came_up(const Byte* row, std::string_view name) const;
    // Returns the facts that a survey would find in this row; and the initial state from which the
    // search of another plan goes on.
    [[nodiscard]] model::FactBook facts(const Byte* row) const;
    [[nodiscard]] InitialState start(const Byte* row) const;
};

// The value of a conjunction: `modelled` covers the modelled predicates, `open` is true if there
// are others.
struct Evaluation {
    model::Truth modelled = model::Truth::yes;
    bool nondeterministic = false;
};

[[nodiscard]] Evaluation
evaluate(const Model& model, const std::vector<Predicate>& questions, const Byte* row);

}  // namespace drydock::checker
