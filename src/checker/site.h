// Site: a plan and the cluster it is about, in numbers: what the explorer moves.
//
// A state is one row of bytes: the phase of the run, a byte for each action (its status and
// failures), one for each modelled fact (an index into `values`), for each store its format, for
// each copy how good it is, whether an unrepeatable action has run, which hosts are away, and at
// its end what of each fault's budget is used. All that belongs to one member lies together, so
// that members which the plan treats alike can be sorted.
//
// Modelled are the standard facts and those that the plan's own effects move. Conditions are
// compiled by asking model::evaluate() about every value that a fact can have.
#pragma once

#include "checker/checker.h"
#include "model/condition.h"
#include "run/program.h"
#include "run/state.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::checker {

using Byte = std::uint8_t;
using Place = std::uint32_t;  // of a byte in the row

inline constexpr Place k_nowhere = 0xFFFFFFFFU;
inline constexpr Byte k_absent = 0;  // the value of a fact that is not there
inline constexpr Byte k_no_format = 0xFF;
inline constexpr std::size_t k_values_max = 64;

enum class Fault : Byte { failure, unknown, crash, member, host };
inline constexpr std::size_t k_faults = 5;
inline constexpr std::size_t k_spent = 8;  // bytes at a row's end that tell what was spent of each

// Values of all modelled facts; what is equal has one index.
class Values {
public:
    Values();
    [[nodiscard]] Byte index_of(const model::Observation& value);

    [[nodiscard]] const model::Observation& at(Byte index) const { return values_[index]; }

    [[nodiscard]] std::size_t size() const { return values_.size(); }

private:
    std::vector<model::Observation> values_;
};

// One condition. `yes` and `open` are sets of value indices: for each of `of` its own set.
struct Question {
    struct Target {
        int member = -1;  // -1: the system
        Place at = k_nowhere;
        std::uint64_t yes = 0;
        std::uint64_t cannot_tell = 0;
    };

    bool modelled = false;  // else it is answered both ways
    bool same = false;      // all targets' values are equal
    bool only_up = false;   // members that the plan expects to be down are not asked for
    bool any = false;       // one is enough
    int needed = 0;         // so many are enough; 0: all
    std::vector<Target> targets;
};

struct Write {
    Place at = k_nowhere;
    Byte value = k_absent;
};

struct Store {
    std::string name;
    int role = 0;
    bool shared = false;
    std::vector<std::string> formats;
    Place copy = k_nowhere;
    Place held = k_nowhere;    // whether a command holds its format down: then no law raises it
    bool copy_needed = false;  // before the way back closes
    std::vector<Place> at;     // its format: one, or one for each member of the role
    std::vector<std::vector<Place>> levels;       // the facts that tell it, for each of `at`
    std::vector<Byte> told;                       // what they tell, for each format
    std::vector<bool> opened_by;                  // by role
    std::map<std::string, model::StoreLaw> laws;  // by release
};

// A law that raises a store's format by itself.
struct Rise {
    int store = 0;
    int role = 0;
    model::Raises raises = model::Raises::never;
    std::uint64_t runs = 0;  // values of `running` that are its release
    Byte becomes = 0;        // format
    bool closes = false;
    bool from_the_start = false;  // its condition held before the plan's first action
};

struct Member {
    // An action that starts or stops it.
    struct Turn {
        std::size_t action = 0;
        bool up = false;
    };

    std::string name;
    int role = 0;
    int host = 0;
    Place block = 0;
    std::uint32_t size = 0;
    Place installed = k_nowhere;
    Place running = k_nowhere;
    Place ready = k_nowhere;
    Place service = k_nowhere;
    Place away = k_nowhere;
    bool up_at_first = true;
    std::vector<Turn> turns;         // the last in the plan first
    std::vector<std::size_t> downs;  // the actions that take it down
};

struct Act {
    Place ran = k_nowhere;  // unrepeatable: whether it has taken effect
    int member = -1;
    bool starts = false;      // members come up by it
    bool takes_down = false;  // members go down by it, if only for a while
    bool destroys = false;    // overwrites or removes data
    bool restores = false;
    bool moves_serving = false;
    bool moves_world = false;  // has any modelled effect
    bool matters_if_skipped = false;
    bool quiet = false;  // what became of it is nobody else's concern (add_quiet)
    bool apart = false;  // it has nothing to do with others like it beside it (add_apart)
    int crowd = -1;      // it may as well be skipped where enough of these are under way
    std::vector<Write> writes;
    std::vector<int> starting;  // members
    std::vector<int> leaving;
    std::vector<int> raises;  // stores
    std::vector<int> lowers;
    std::vector<int> copies;
    std::vector<int> destroyed;
    std::vector<Question> when;
    std::vector<Question> guard;
    std::vector<Question> then;
    std::vector<Question> happened;
    // Members whose facts are read before it begins, or whom its begin is about; and after it.
    std::vector<int> concerns_before;
    std::vector<int> concerns_after;
};

struct SkewPair {
    int role = 0;
    int with = 0;
    std::uint64_t one = 0;  // values of `running`
    std::uint64_t other = 0;
    const model::SkewRule* rule = nullptr;
};

// Where an exploration begins, if not where the plan was made: the facts and stores as another one
// left them.
struct Start {
    model::FactBook facts;
    std::map<std::string, Byte> formats;  // by store, or store/member
    std::map<std::string, Byte> copies;
    std::vector<std::string> modelled;  // keys of the facts that moved there: they count here, too
    bool written = false;               // the new side has taken writes
};

struct Site {
    explicit Site(const model::Plan& checked_plan, const Start* start = nullptr);

    const model::Plan& plan;
    run::Program program;
    Values values;
    std::vector<std::string> roles;
    std::vector<int> quorum;  // by role
    std::vector<std::vector<int>> members_of;
    std::vector<Member> members;
    std::vector<std::string> hosts;
    std::vector<std::vector<int>> members_on;
    std::vector<Act> acts;
    std::vector<Place> cells;  // of each action's status and failures
    std::vector<Store> stores;
    std::vector<Rise> rises;
    std::vector<SkewPair> skews;
    std::size_t crowds = 0;
    std::vector<std::size_t> return_gates;
    std::vector<std::size_t> unmodelled;  // actions with conditions that are answered both ways
    std::map<std::string, Place> places;  // of facts, by key
    Byte serves = k_absent;               // `ready`: the value of a member that serves
    Byte started = k_absent;              // `service`
    Byte stopped = k_absent;
    Place serving = k_nowhere;
    Place writes = k_nowhere;    // the fact that tells whether writes are accepted
    std::uint64_t accepted = 0;  // its values that say so
    Place written = k_nowhere;
    Place used = k_nowhere;   // budgets, one after the other; the last of a row
    std::uint32_t size = 0;   // of a row
    std::vector<Byte> first;  // the row where it begins

    [[nodiscard]] Byte status(const Byte* row, std::size_t action) const {
        return row[cells[action]] & 0xFU;
    }

    [[nodiscard]] Byte& used_of(Byte* row, Fault fault) const {
        return row[used + static_cast<Place>(fault)];
    }

    // The run as a row tells it. Attempts are not kept: 1 for what is in flight.
    void unpack(const Byte* row, run::State& run) const;
    void pack_action(const run::State& run, std::size_t action, Byte* row) const;
    void pack(const run::State& run, Byte* row) const;
    // Whether the plan expects the member to be up (run::members_up).
    [[nodiscard]] bool expected_up(const Byte* row, int member) const;
    [[nodiscard]] bool came_up(const Byte* row, std::string_view name) const;
    // As a survey would find it; and how an exploration of another plan would go on from here.
    [[nodiscard]] model::FactBook facts(const Byte* row) const;
    [[nodiscard]] Start start(const Byte* row) const;
};

// The answer to all of `questions`: what the modelled ones say; `open` if one is not modelled.
struct Answer {
    model::Tri modelled = model::Tri::yes;
    bool open = false;
};

[[nodiscard]] Answer
answer(const Site& site, const std::vector<Question>& questions, const Byte* row);

}  // namespace drydock::checker
