// Plan: the program that a run carries out, as data. What is proved, shown, reviewed, digested and
// run is this.
//
// plan.json is its canonical JSON (RFC 8785) with a SHA-256 digest over everything else in it. A
// plan is complete: it holds how every fact is read and what every action asks of its host, so that
// running it needs neither the pack nor the cluster file. It holds no secret, only where secrets
// come from.
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

// What an action does to the modelled world (core.md section 2).
struct Effect {
    std::string kind;  // becomes: a fact takes a value; raises, lowers: a store's format; copies: a
                       // copy of a store exists
    std::string member;  // empty: the system
    std::string name;    // fact or store
    Json value;
};

struct Action {
    std::string id;     // "roll/m3/stop"
    std::string phase;  // "roll"
    Verb verb = Verb::require;
    std::string title;  // what a person reads
    std::string why;
    std::string remedy;  // what a person does when it fails
    std::string source;  // "packs/etcd/procedures/upgrade.yaml:31:9"
    std::string member;  // empty: the system
    std::string host;    // where request is carried out; empty if there is none
    std::vector<std::size_t> after;
    std::vector<Condition> when;
    std::vector<Condition> guard;
    std::vector<Condition> then;
    std::vector<Condition> happened;
    std::vector<Condition> broken;  // while waiting for `then`: if one holds, waiting is in vain
    Repeatable repeatable = Repeatable::probe;
    int attempts = 1;
    std::int64_t within_ms = 0;
    std::int64_t patience_ms = 0;
    std::int64_t stall_ms = 0;  // > 0: it times out only without progress for so long
    std::int64_t takes_ms = 0;  // what it usually takes, for the plan's table; 0: not told
    bool cancellable = false;   // pause and abort end it early
    bool keep = false;
    bool optional = false;  // if it fails, the run goes on without it
    Json request;           // the agent's action; null: nothing is done on a host
    std::vector<Effect> effects;
    std::string gate;  // verb gate: its name
    std::int64_t soak_ms = 0;
    std::string reason;         // verb gate: the words that are approved
    bool returns_here = false;  // the gate of the point of no return

    [[nodiscard]] bool is_gate() const { return verb == Verb::gate; }

    // How long the agent may be silent about it: its limit, or its limit between two steps of
    // progress.
    [[nodiscard]] std::int64_t silence_ms() const { return stall_ms > 0 ? stall_ms : within_ms; }
};

struct ReturnPoint {
    bool exists = false;
    std::string action;  // the first action after which the law can fire
    std::string gate;    // the gate that stands before it
    std::string store;
    std::string law;                  // "when_all"
    std::string because;              // one sentence
    std::string source;               // "packs/etcd/releases.yaml:9:3"
    std::vector<std::string> others;  // further actions that may close the way back first
};

// A law of a store as this plan meets it: once its condition holds, the format may rise at any
// moment, unasked.
struct Law {
    std::string store;
    std::string role;                 // whose members' releases it looks at
    std::vector<std::string> levels;  // keys of the facts that tell the store's format
    std::string raises;               // as in Raises; or "on_destroy": a step destroys the store
    std::string series;               // the series whose law it is
    std::string becomes;              // the format it raises to
    bool closes = false;  // the release that the plan comes from cannot read `becomes`, and nothing
                          // lowers it again
    std::string source;   // "packs/etcd/releases.yaml:9:3"
};

// A store, and how the two releases of this plan treat it.
struct PlanStore {
    std::string name;
    std::string role;                      // that owns it
    std::vector<std::string> opened_by;    // roles whose members open it when they start
    bool shared = false;                   // one for all members, else one each
    std::vector<std::string> levels;       // keys of the facts that tell its format
    std::vector<std::string> formats;      // oldest first
    std::map<std::string, StoreLaw> laws;  // by release: the plan's `from` and `to`
};

struct WayBack {
    std::string phase;    // "before the gate", "after the gate"
    std::string kind;     // downgrade, rebuild, restore
    std::string cost;     // "nothing lost"
    std::string command;  // what to type
};

struct RiskNote {
    std::string id;
    std::string because;
    std::string source;
    std::string state;  // "present", "cannot tell", "absent"
};

// The members of one role.
struct PlanRole {
    std::string name;
    int quorum = 0;                    // members that must be ready at any time; 0: no quorum
    std::vector<std::string> members;  // in the order in which the plan takes them
};

struct Plan {
    std::string run;  // the id of the run that it becomes; a plan is run once
    std::string cluster;
    std::string cluster_file;
    std::string state;  // the folder of the journal
    std::string system;
    std::string pack_digest;
    std::string procedure;
    std::string kind;
    std::string title;
    std::string from;
    std::string to;
    std::vector<std::string> route;  // versions, from first to last
    std::vector<PlanRole> roles;     // all of the pack's, in the order in which the plan meets them
    std::map<std::string, Host> hosts;
    FactSources sources;
    std::map<std::string, std::string> member_hosts;
    FactBook planned;             // the facts it is bound to: values only, no evidence
    FactBook seen;                // what else the survey told: a way back is compiled from both
    std::vector<Action> actions;  // in an order that respects `after`
    std::vector<Law> laws;
    std::vector<PlanStore> stores;
    std::vector<SkewRule> skew;
    int series_apart = 0;  // `from` and `to`
    ReturnPoint point_of_no_return;
    std::vector<WayBack> ways_back;
    std::vector<RiskNote> risks;
    std::vector<std::string>
        skipped;  // members already done, and other things that a reader should know
    std::string on_failure = "halt";
    std::map<std::string, SecretSource> secrets;
    std::string returns_from;  // the run that this plan takes back; empty for a way forward
    Json check;                // the checker's verdict, bound to the digest, of which it is no part

    [[nodiscard]] std::string facts_digest() const;
    [[nodiscard]] std::string digest() const;
    [[nodiscard]] const Action* find(std::string_view id) const;
    [[nodiscard]] std::vector<std::string> members() const;  // of all roles
    [[nodiscard]] Roster roster() const;
};

[[nodiscard]] Json to_json(const Plan& plan);  // with "format", "facts_digest" and "digest"
// Refuses what is no plan, another format, an edited plan (digest), dangling or circular `after`.
[[nodiscard]] Result<Plan> plan_from_json(const Json& json);

// The facts that conditions look at.
[[nodiscard]] std::vector<std::string>
facts_of(const std::vector<Condition>& conditions, const Plan& plan, const std::string& member);

}  // namespace drydock::model
