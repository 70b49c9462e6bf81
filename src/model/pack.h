// A pack is drydock's knowledge of a system, as data. pack/ reads it from packs/<system>/, planner/
// uses it.
//
// Strings may hold:
//
//   ${name}                                       a setting of the member
//   ${member}, ${host}, ${run}, ${backup}         backup: the folder for copies
//   ${release}                                    the link to the release
//   ${from}, ${to}, ${from.series}, ${to.series}  releases and their series
//   ${release.from}, ${release.to}                their folders
//   ${side.source}, ${side.target}                names of the sides, as in the cluster file
//   ${successor.NAME}                             a setting or planned fact of the successor member
//   ${fact.NAME}                                  a planned fact of this member, or of the system;
//                                                 in probes a system fact of the same reading
#pragma once

#include "base/diagnostics.h"
#include "base/enum_names.h"
#include "base/json.h"
#include "model/condition.h"
#include "model/fact.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::model {

// How the members that must be ready are counted.
enum class QuorumKind : std::uint8_t {
    none,
    majority,
    at_least,  // `count` of them
    all_but,   // at most `count` of them are not ready
};
inline constexpr EnumNames<QuorumKind, QuorumKind::all_but>
    k_quorum_kinds({"none", "majority", "at_least", "all_but"});

// How many members of a role must be ready at any time. Members and hosts have labels.
struct QuorumRule {
    QuorumKind kind = QuorumKind::none;
    int count = 0;        // for at_least and all_but
    std::string within;   // a label: each of its values has a quorum of its own; empty: one for all
    std::string domains;  // a label: members with one value are counted as one, ready if all are
};

struct RoleSpec {
    std::string name;
    QuorumRule quorum;
    bool restarts = true;  // a member that is down may start by itself, with what is installed
    // Members are ready only while this many of the role run; 0: each by itself. See also below.
    int ready_with = 0;
    bool ready_with_majority = false;  // `ready_with: majority`
    bool sided = false;     // it has a source and a target side, each with members of its own
    bool optional = false;  // the cluster serves without it: `optional` steps may move its members
    std::vector<std::string> stores;
    Position position;
};

struct SettingSpec {
    std::string type;  // url, path, text, integer
    std::string help;
    bool required = true;
    bool shared = false;  // members on one host may have the same url or path
    std::string fallback;
    Position position;
};

// A fact as the pack declares it: for each member of a role, or for the system.
struct FactSpec {
    std::string name;
    std::string role;  // empty: the system's
    FactType type = FactType::text;
    StandardFact standard_fact = StandardFact::none;
    std::string help;
    bool is_volatile = false;
    bool identity = false;
    Temporary temporary = Temporary::no;
    std::optional<Json> at_rest;  // of a temporary fact: what an end restores; null: it is absent
    bool writes = false;  // the probe changes what it reads: never used in a survey or preflight
    std::string kind;     // the agent's probe kind; empty if derived
    Json probe;           // its parameters, not yet interpolated
    Derivation derive = Derivation::none;
    bool skips_unknown = false;       // `unknown: skip`
    std::vector<std::string> inputs;  // fact names that derive (or ${fact.NAME} in the probe) needs
    Position position;

    [[nodiscard]] bool is_derived() const { return derive != Derivation::none; }
};

// The event that raises the format of a store.
enum class FormatTrigger {
    never,
    on_start,          // the first start of the release
    when_all,          // every member runs the release
    on_finalize,       // a command
    on_migrate,        // a migration step
    when_all_running,  // every member that runs, runs the release; at least one does
    on_lead,           // a member of the release leads
    on_destroy,        // only in plans: a step destroys the store
    found,             // only in plans: the checker found it, without a rule
};
inline constexpr EnumNames<FormatTrigger, FormatTrigger::found>
    k_format_triggers({"never",
                       "on_start",
                       "when_all",
                       "on_finalize",
                       "on_migrate",
                       "when_all_running",
                       "on_lead",
                       "on_destroy",
                       "found"});

// How a release treats one store.
struct FormatSupport {
    std::vector<std::string> reads;
    // Further formats on which it starts, but may not serve clients before they are migrated.
    std::vector<std::string> starts_on;
    std::string writes;
    FormatTrigger trigger = FormatTrigger::never;
    bool lowers_on_request = false;  // it has a call that lowers the format again (etcd 3.6)
    bool alone = false;  // two starts that raise the format may not be under way at the same time
    Position position;
};

struct StoreSpec {
    std::string name;
    std::string role;
    bool shared = false;  // one for all members (etcd's cluster version), else one a member
    std::string level;    // the fact that tells its format: the system's, or each member's own
    std::vector<std::string> formats;  // oldest first
    bool leader_only = false;          // only the leader of a role opens it
    std::string clean_stop;            // the fact that tells whether it was left clean
    bool newest_last_stopped = false;  // who stopped last has the newest copy
    std::string read_by;  // an axis whose releases have its laws; empty: the member's own release
    Position position;
};

// A second version of each member, such as that of its image: a fact tells it, and its releases
// have laws for stores.
struct AxisSpec {
    std::string name;
    std::string fact;
    std::map<std::string, std::map<std::string, FormatSupport>> releases;  // release -> store
    Position position;
};

struct ReleaseSpec {
    std::string version;
    std::string series;
    std::map<std::string, FormatSupport>
        laws;  // by store; the series' laws, with the release's own on top
    std::map<std::string, std::string>
        needs;                // runtime: a version range, or words with | between them
    std::string unavailable;  // why it cannot be installed: withdrawn, no file; empty: it can
    Position position;
};

// A rule of the makers for hops between releases.
enum class RouteRule {
    adjacent_only,              // `series`: one series at a time; `release`: one release at a time
    no_series_skip,             // no series that has a release to install is passed over
    consecutive,                // within a series: no release is passed over
    latest_of_previous_series,  // a series is left from its latest release only
    max_skew,                   // at most so many series apart
    never,                      // a range of releases that are never a target
    runtime,                    // the runtime that a release needs must be there
    stop_at,                    // series on the way in which a route stops for a while
    at_most,                    // a hop goes over so many series at most
    at_least_patch,  // releases: their series is left for a later one from them or later ones
};
inline constexpr EnumNames<RouteRule, RouteRule::at_least_patch>
    k_route_rules({"adjacent_only",
                   "no_series_skip",
                   "consecutive",
                   "latest_of_previous_series",
                   "max_skew",
                   "never",
                   "runtime",
                   "stop_at",
                   "at_most",
                   "at_least_patch"});

struct RoutePolicy {
    RouteRule rule = RouteRule::never;
    std::string argument;
    std::vector<std::string> versions;  // for stop_at: series; for at_least_patch: releases
    std::string fact;                   // for runtime: the system fact that tells it
    bool yields_to_chain = false;       // holds no more where the chains show the hop to be clean
    std::string source;
    Position position;
};

// Releases that may serve together: a running member of `role` and one of `peer_role` are at most
// `max_skew` series apart.
struct SkewRule {
    std::string role;
    std::string peer_role;  // may be the same role
    int max_skew = 0;       // in series
    bool newer = true;      // whether `role` may be newer than `peer_role`
    std::string source;
    Position position;
};

struct Risk {
    std::string id;
    std::string from_range;  // version ranges; empty: every version
    std::string to_range;
    std::vector<Condition>
        conditions;  // on facts; a risk that cannot be evaluated counts as present
    std::string because;
    std::string source;
    std::string fixed_in;
    bool blocks = true;  // false: the risk is only shown
    Position position;
};

enum class Verb {
    require,
    stop,
    start,
    restart,
    install,
    run,
    wait,
    backup,
    restore,
    move,
    migrate,
    quiesce,
    release,
    gate,
    finalize,
    cutover,
    destroy,
};
inline constexpr EnumNames<Verb, Verb::destroy> k_verbs({"require",
                                                         "stop",
                                                         "start",
                                                         "restart",
                                                         "install",
                                                         "run",
                                                         "wait",
                                                         "backup",
                                                         "restore",
                                                         "move",
                                                         "migrate",
                                                         "quiesce",
                                                         "release",
                                                         "gate",
                                                         "finalize",
                                                         "cutover",
                                                         "destroy"});

enum class Order { serial, all, batch };

// The members that a step or a phase is for.
struct Selection {
    std::string role;  // empty: the system as a whole
    Order order = Order::serial;
    int batch = 1;
    bool is_single = false;         // one matching member, else every one
    std::vector<Condition> filter;  // judged on the survey's facts
    std::vector<Condition> last;    // members for which this holds come last
    bool blocks = false;            // `each`: the steps of one member stay together
    bool per_host = false;          // one member of each host stands for all of its role there
    bool by_host = false;           // `each`: all steps for one host, then for the next
};

// The facts that an effect moves.
enum class Reach {
    member,  // this member's
    host,    // of the role's members on this member's host: a package, say
    role,    // of every member of the role
};

// The change that an effect makes to a fact or a store.
enum class EffectKind : std::uint8_t {
    becomes,   // a fact takes a value
    adds,      // a fact that is a list gets a value; a plan has the whole list, as `becomes`
    removes,   // a fact that is a list loses a value; see `adds`
    raises,    // a store's format
    lowers,    // a store's format
    copies,    // a copy of a store exists
    destroys,  // a store
    changes,   // a fact takes an unknown value
    restores,  // a store, from its copy
};
inline constexpr EnumNames<EffectKind, EffectKind::restores> k_effect_kinds({"becomes",
                                                                             "adds",
                                                                             "removes",
                                                                             "raises",
                                                                             "lowers",
                                                                             "copies",
                                                                             "destroys",
                                                                             "changes",
                                                                             "restores"});

struct EffectSpec {
    EffectKind kind = EffectKind::becomes;
    std::string name;  // the fact or store
    Json value;        // for becomes, adds and removes
    std::string role;  // the role that has it; empty: the system
    Reach reach = Reach::member;
    bool own = false;  // of raises and lowers: the member's own instance, and no other
    Position position;
};

enum class Repeatable { yes, no, probe };
inline constexpr EnumNames<Repeatable, Repeatable::probe> k_repeatables({"yes", "no", "probe"});

struct StepSpec {
    std::string id;
    Verb verb = Verb::require;
    std::string object;  // the value of the verb's key: a title, a role, a release, a store
    std::string title;
    std::string rationale;
    std::string remedy;
    std::optional<Selection> selection;
    std::vector<Condition> applies_if;
    std::vector<Condition> preconditions;
    std::vector<Condition> postconditions;
    std::vector<Condition> completion_check;
    std::vector<Condition> fail_fast_if;  // waiting for `then` is in vain if one of these holds
    bool once_a_host = false;  // in `each` by host: one action for all of the role's members there
    // Requires that enough of the role are ready without this member, or without all of them on its
    // host.
    std::optional<Reach> quorum_without;
    std::vector<std::string>
        raises;  // stores: the step is left out if the hop raises none; empty: never
    bool parallel_with_previous = false;  // begins when the step before it may begin
    bool on_old_release = false;          // start: on the release that the plan comes from
    std::vector<std::string> arguments;   // start: appended to the service's own, this once
    Json request;  // the agent's action, not yet interpolated; null for verbs without one, or with
                   // a request of their own
    std::string script;  // file in the pack that request's ${script} stands for
    std::vector<EffectSpec> effects;
    std::vector<EffectSpec> meanwhile;  // `while`: hold from its begin, and stay if it is cut off
    bool alone = false;  // no other such step on its stores, or on its role, at the same time
    Repeatable repeatable = Repeatable::probe;
    int attempts = 1;
    std::int64_t timeout_ms = 120'000;       // for the action, and again for `then`
    std::int64_t guard_timeout_ms = 30'000;  // for `when` and `guard` to be known and to hold
    std::int64_t stall_ms = 0;  // > 0: the command is ended only after this long without progress
    std::int64_t expected_ms = 0;  // what it usually takes, for the plan's table
    bool cancellable = false;      // pause and abort end its command early
    bool standing = false;  // `require`: must hold until the run ends; read again on a resume
    bool optional = false;  // if it fails, the run goes on without it
    Position position;
};

struct PhaseSpec {
    std::string name;
    std::string title;
    std::optional<Selection> selection;
    std::vector<std::string>
        raises;  // stores: the phase is left out if the hop raises none of them; empty: never
    std::vector<StepSpec> steps;
    Position position;
};

// The procedures that drydock itself asks for. A pack may have others.
inline constexpr std::string_view k_upgrade = "upgrade";
inline constexpr std::string_view k_downgrade = "downgrade";
inline constexpr std::string_view k_rebuild = "rebuild";
inline constexpr std::string_view k_restore = "restore";
inline constexpr std::string_view k_rehearsal = "rehearsal";  // changes only a copy

struct ProcedureSpec {
    std::string name;
    std::string kind;  // rolling, offline, ...
    std::string title;
    std::string from_range;  // version ranges
    std::string to_range;
    std::vector<Condition> applies_while;
    std::string copy;  // restore: where a run's copy is, for `--restore`
    std::string cost;  // "nothing lost", "loses every write since the copy": for ways back
    std::vector<PhaseSpec> phases;
    Position position;
};

struct Pack {
    std::string name;
    std::string title;
    std::string folder;
    std::string digest;  // SHA-256 over its files
    std::map<std::string, RoleSpec> roles;
    std::map<std::string, std::map<std::string, SettingSpec>> settings;  // by role
    std::vector<FactSpec> facts;
    std::map<std::string, StoreSpec> stores;
    std::map<std::string, AxisSpec> axes;
    std::map<std::string, std::map<std::string, FormatSupport>> series;  // series -> store -> law
    std::vector<std::string> series_order;                               // oldest first
    std::map<std::string, ReleaseSpec> releases;
    std::vector<RoutePolicy> policies;
    std::vector<SkewRule> skew;
    std::vector<Risk> risks;
    std::vector<ProcedureSpec> procedures;
    std::map<std::string, std::string> scripts;  // name -> content
};

// Returns "server@source": a role's members of one side, or a store of theirs, as conditions,
// selections and plans name them. Returns the name itself if `side` is empty.
[[nodiscard]] std::string sided(std::string_view name, std::string_view side);
[[nodiscard]] std::string without_side(std::string_view name);

// True if the pack starts, stops or asks after members of the role by the `service` of the cluster
// file. Members of another role, such as one that Kubernetes runs, need none.
[[nodiscard]] bool needs_service(const Pack& pack, std::string_view role);
// The same for their `release`: its link, its folders or its environments.
[[nodiscard]] bool needs_release(const Pack& pack, std::string_view role);

// True if the verb stops, switches or starts a member.
[[nodiscard]] bool changes_running_release(Verb verb);

[[nodiscard]] inline std::string_view name_of(Verb verb) {
    return k_verbs.of(verb);
}

[[nodiscard]] inline std::string_view name_of(RouteRule rule) {
    return k_route_rules.of(rule);
}

[[nodiscard]] inline std::string_view name_of(FormatTrigger trigger) {
    return k_format_triggers.of(trigger);
}

[[nodiscard]] inline std::string_view name_of(QuorumKind kind) {
    return k_quorum_kinds.of(kind);
}

[[nodiscard]] inline std::string_view name_of(EffectKind kind) {
    return k_effect_kinds.of(kind);
}

[[nodiscard]] inline std::string_view name_of(Repeatable repeatable) {
    return k_repeatables.of(repeatable);
}

}  // namespace drydock::model
