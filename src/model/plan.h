// Start here: Plan, the program that a run carries out, as data. Then read condition.h and fact.h
// (the requirements and their facts), pack.h and cluster.h (the plan's sources), version.h.
//
// The plan is the artifact that is checked, shown, reviewed, digested and run. plan.json is its
// canonical JSON (RFC 8785) with a SHA-256 digest over everything else in it; docs/formats/plan.md
// lists the keys. A plan is complete: it holds how every fact is read and the request of every
// action to its host. So a run needs neither the pack nor the cluster file. It holds no secret,
// only the origin of secrets.
#pragma once

#include "base/json.h"
#include "model/cluster.h"
#include "model/condition.h"
#include "model/fact.h"
#include "model/pack.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::model {

inline constexpr int k_plan_format = 1;

// The change that an action makes in the modelled cluster.
struct Effect {
    EffectKind kind = EffectKind::becomes;
    std::string member;  // empty: the system
    std::string name;    // fact or store
    Json value;
    bool own = false;  // of raises and lowers: its member's own instance, and no other
};

struct Action {
    std::string id;     // "roll/m3/stop"
    std::string phase;  // "roll"
    Verb verb = Verb::require;
    std::string title;  // for people
    std::string rationale;
    std::string remedy;  // the advice to a person if it fails
    std::string source;  // "packs/etcd/procedures/upgrade.yaml:31:9"
    std::string member;  // empty: the system
    std::string host;    // where request is carried out; empty if there is none
    std::vector<std::size_t> predecessors;
    std::vector<Condition> applies_if;
    std::vector<Condition> preconditions;
    std::vector<Condition> postconditions;
    std::vector<Condition> completion_check;
    std::vector<Condition> fail_fast_if;  // waiting for `then` is in vain if one of these holds
    Repeatable repeatable = Repeatable::probe;
    int attempts = 1;
    std::int64_t timeout_ms = 0;
    std::int64_t guard_timeout_ms = 0;
    std::int64_t stall_ms = 0;     // > 0: it times out only after this long without progress
    std::int64_t expected_ms = 0;  // the usual duration, for the plan's table; 0: not given
    bool cancellable = false;      // pause and abort end it early
    bool standing = false;
    bool optional = false;  // if it fails, the run goes on without it
    Json request;           // the agent's action; null: nothing happens on a host
    std::vector<Effect> effects;
    std::vector<Effect> meanwhile;   // hold from its begin, and stay if it is cut off
    std::vector<std::string> alone;  // stores, else a role, that no other such action may use
    std::string gate;                // verb gate: its name
    std::int64_t soak_ms = 0;
    std::string reason;                  // verb gate: the words to approve
    bool is_point_of_no_return = false;  // the gate of the point of no return

    [[nodiscard]] bool is_gate() const { return verb == Verb::gate; }

    // Returns how long the agent may be silent about it: its limit, or its limit between two
    // reports of progress.
    [[nodiscard]] std::int64_t silence_ms() const { return stall_ms > 0 ? stall_ms : timeout_ms; }
};

struct ReturnPoint {
    bool exists = false;
    std::string action;  // the first action after which the rule can fire
    std::string gate;    // the gate that stands before it
    std::string store;
    std::string law;                           // "when_all"
    std::string because;                       // one sentence
    std::string source;                        // "packs/etcd/releases.yaml:9:3"
    std::vector<std::string> further_actions;  // further actions that may close the way back first
};

// A rule of a store as this plan meets it. Once its condition holds, the format may rise at any
// moment, without any command.
struct FormatRule {
    std::string store;
    std::string role;                 // the role whose members' releases it looks at
    std::vector<std::string> levels;  // keys of the facts that tell the store's format
    FormatTrigger trigger = FormatTrigger::never;
    std::string series;   // the series that has the rule
    std::string becomes;  // the format it raises to
    bool blocks_downgrade =
        false;  // the plan's old release cannot read `becomes`, and nothing lowers it again
    std::string source;  // "packs/etcd/releases.yaml:9:3"
};

// A store, and the rules of this plan's two releases for it.
struct PlanStore {
    std::string name;
    std::string role;                    // the role that owns it
    std::vector<std::string> opened_by;  // roles whose members open it when they start
    bool shared = false;                 // one for all members, else one each
    std::vector<std::string> levels;     // keys of the facts that tell its format
    std::vector<std::string> formats;    // oldest first
    std::map<std::string, FormatSupport>
        laws;                             // by release: `from` and `to`, or those of `read_by`
    bool leader_only = false;             // only a member that leads opens it
    std::vector<std::string> clean_stop;  // keys of facts: true if it was left clean
    bool newest_last_stopped = false;     // who stopped last has the newest copy
    // The fact of a member whose value is the release that reads it; empty: the release it runs.
    std::string read_by;
};

enum class RecoveryKind : std::uint8_t {
    downgrade,  // in place; nothing is lost
    rebuild,    // from a fresh copy that the new release made; an outage, nothing is lost
    restore,    // from an earlier copy; every write after it is lost
};
inline constexpr EnumNames<RecoveryKind, RecoveryKind::restore>
    k_recovery_kinds({"downgrade", "rebuild", "restore"});

struct RecoveryOption {
    std::string phase;  // "before the gate", "after the gate"
    RecoveryKind kind = RecoveryKind::downgrade;
    std::string cost;     // "nothing lost"
    std::string command;  // for the command line
};

enum class RiskState : std::uint8_t { present, cannot_tell, absent };
inline constexpr EnumNames<RiskState, RiskState::absent>
    k_risk_states({"present", "cannot tell", "absent"});

struct RiskNote {
    std::string id;
    std::string because;
    std::string source;
    RiskState state = RiskState::present;
};

// Members that have a quorum together. What is counted is a unit: a member, or all members with
// one domain. A unit is ready if all its members are that vote; one without voters does not count.
struct QuorumGroup {
    std::string name;  // "shard s1"; empty: the role
    QuorumKind kind = QuorumKind::none;
    int count = 0;  // see QuorumRule
    std::vector<std::string> members;
    std::vector<std::string> domains;  // of each member; empty: each is a unit by itself
};

// The members of one role.
struct PlanRole {
    std::string name;
    int quorum = 0;                        // members that must be ready at any time; 0: no quorum
    std::vector<std::string> members;      // in the order in which the plan takes them
    std::vector<QuorumGroup> groups = {};  // if one number cannot say it; then `quorum` is 0
    bool restarts = true;                  // members that are down may start by themselves
    int ready_with = 0;  // members are ready while this many run; 0: each by itself
};

// A temporary fact and the value that an end restores.
struct TemporaryFact {
    std::string key;
    Observation value;
    Temporary temporary = Temporary::always;
};

struct Plan {
    std::string run;  // the id of the run that it becomes; a plan is run once
    std::string cluster;
    std::string cluster_file;
    std::string state_dir;  // the folder of the journal
    std::string system;
    std::string pack_digest;
    std::string procedure;
    std::string kind;
    std::string title;
    std::string from_version;
    std::string to_version;
    std::vector<std::string> route;  // versions, from first to last
    std::vector<PlanRole> roles;     // all of the pack's, in the order of the plan
    std::map<std::string, Host> hosts;
    FactSources sources;
    std::map<std::string, std::string> member_hosts;
    FactBook bound_facts;  // the facts that the plan is bound to: values only, no evidence
    std::vector<TemporaryFact> temporaries;
    FactBook survey_facts;        // other facts of the survey: a downgrade is compiled from both
    std::vector<Action> actions;  // in an order that respects `after`
    std::vector<FormatRule> laws;
    std::vector<PlanStore> stores;
    std::vector<SkewRule> skew;
    int max_skew = 0;  // between `from` and `to`
    ReturnPoint point_of_no_return;
    std::vector<RecoveryOption> ways_back;
    std::vector<RiskNote> risks;
    std::vector<std::string> notes;  // members already done, and other notes for a reader
    FailurePolicy on_failure = FailurePolicy::halt;
    std::map<std::string, SecretSource> secrets;
    std::string reverts_run;  // the run that this plan takes back; empty for an upgrade
    std::string facts_file;   // where its facts come from; empty: a survey. Else it is never run
    Json check;               // the checker's verdict, bound to the digest and not covered by it

    [[nodiscard]] std::string facts_digest() const;
    [[nodiscard]] std::string digest() const;
    [[nodiscard]] const Action* find(std::string_view id) const;
    [[nodiscard]] std::vector<std::string> members() const;  // of all roles
    [[nodiscard]] Roster roster() const;
};

[[nodiscard]] Json to_json(const Plan& plan);  // with "format", "facts_digest" and "digest"
// Reads a plan. Refuses a file that is no plan, another format, an edited plan (digest), and a
// dangling or circular `after`.
[[nodiscard]] Result<Plan> plan_from_json(const Json& json);

[[nodiscard]] inline std::string_view name_of(RecoveryKind kind) {
    return k_recovery_kinds.of(kind);
}

[[nodiscard]] inline std::string_view name_of(RiskState state) {
    return k_risk_states.of(state);
}

// Returns the facts that the conditions look at.
[[nodiscard]] std::vector<std::string>
facts_of(const std::vector<Condition>& conditions, const Plan& plan, const std::string& member);

}  // namespace drydock::model
