// Start here: the planner turns survey facts, a pack and a cluster file into a route and a plan. It
// is pure. Then read compile.h (the passes in their order), interpolation.h (names in a pack's
// strings), make_action.h, closing_actions.h and gate.h (the point of no return), route_search.h,
// sides.h, rehearsal.h.
//
//   bind_sources   how every fact of this cluster is read (a survey reads these)
//   find_route     the hops from one version to another, with reasons
//   compile        the plan of one hop from any state of the cluster: passes, one file each
//
// A member that is done is skipped; one that is half-way is entered in the middle of its steps. The
// way back is the pack's own `downgrade` procedure, compiled by the same compiler.
#pragma once

#include "base/result.h"
#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"
#include "model/plan.h"
#include "model/return_point_hint.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::planner {

// Names that a plan adds for probes. Empty for a survey; facts that need one of them are then left
// out.
struct PlanNames {
    std::string from_version;
    std::string to_version;
    std::string run;
    std::string copy;
};

// Returns how each fact is read. Facts whose probe writes are left out: drydock's readings only
// read.
[[nodiscard]] Result<model::FactSources>
bind_sources(const model::Pack& pack, const model::Cluster& cluster, const PlanNames& naming = {});

struct Hop {
    std::string from_version;
    std::string to_version;
    std::string procedure;
    std::string because;
};

struct Route {
    std::vector<Hop> hops;  // empty: already there
    std::vector<std::string>
        forbidden;  // hops that were examined and are forbidden, each with the rule
    std::vector<std::string> notes;  // cases in which a fact beat a rule, or could not be told
    std::string alternative;         // the best route without the first stop: "a -> b -> c"
};

// The findings of chain/chain.h about a hop, from the packages of its two releases.
struct ChainVerdict {
    bool is_known = false;
    bool is_clean = false;
    std::string text;  // the change, where it is not clean
};

// Facts beyond the pack and the cluster file. All of them may be missing.
struct RouteFacts {
    std::function<ChainVerdict(const std::string& from_version, const std::string& to_version)>
        chain = {};
    const model::FactBook* facts = nullptr;
};

// Returns the shortest allowed chain of hops over the releases of the pack and the cluster file. If
// there is none, the error says why.
[[nodiscard]] Result<Route> find_route(const model::Pack& pack,
                                       const model::Cluster& cluster,
                                       const std::string& from_version,
                                       const std::string& to_version,
                                       const RouteFacts& route_facts = {});

// Returns the version of the cluster: the release that its members run or would run. For a way
// forward the lowest counts, for a way back the highest. Refuses a member whose version is not
// known.
[[nodiscard]] Result<std::string> current_version(const model::Pack& pack,
                                                  const model::Cluster& cluster,
                                                  const model::FactBook& facts,
                                                  const std::string& to_version);

struct Request {
    const model::Pack& pack;
    const model::Cluster& cluster;
    const model::FactBook& facts;
    std::string procedure;  // "upgrade", "downgrade", "rebuild", "restore"
    std::string from_version;
    std::string to_version;
    std::string run;          // id of the run to be
    std::string copy;         // for restore
    std::string reverts_run;  // the run that this plan takes back
    // The return point that the checker found; without it the rules of the stores alone decide.
    std::optional<model::ReturnPointHint> return_point_hint = {};
    // The result of bind_sources() for these releases, run and copy, if the caller has it. The
    // checker compiles a thousand downgrades with one result.
    const model::FactSources* sources = nullptr;
    // True if the plan keeps survey facts beyond its bound facts. The checker compiles downgrades
    // only to try them, and has those facts at hand.
    bool keeps_survey = true;
    // The temporary facts that the plan keeps; null: as surveyed. A way back keeps those of the
    // plan that it takes back, and a plan that is compiled again keeps its own.
    const std::vector<model::TemporaryFact>* temporaries = nullptr;
};

struct Compiled {
    std::optional<model::Plan> plan;
    std::vector<Error> problems;  // all reasons against the plan, if there is none
};

[[nodiscard]] Compiled compile(const Request& request);

// Returns the facts, with the state of each member's service as it follows from whether the member
// runs. The checker's model holds only facts that a plan moves: a death moves both.
[[nodiscard]] model::FactBook
with_services(const model::Pack& pack, const model::Cluster& cluster, const model::FactBook& facts);

// Returns the ways back between the two versions of the request, but for the downgrade, with their
// cost.
[[nodiscard]] std::vector<model::RecoveryOption> remaining_options(const Request& request);

}  // namespace drydock::planner
