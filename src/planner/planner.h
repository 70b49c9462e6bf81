// The planner: survey facts + pack + cluster file -> route -> plan. Pure.
//
//   bind_sources   how every fact of this cluster is read (what a survey reads)
//   find_route     the hops from one version to another, and why
//   compile        the plan of one hop, from whatever state the cluster is in: an ordered list of
//   passes, one file each
//
// A member that is done is skipped, one that is half-way is entered where it stands; the way back
// is the pack's own `downgrade` procedure compiled by the same compiler.
#pragma once

#include "base/result.h"
#include "model/closing.h"
#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"
#include "model/plan.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::planner {

// What a plan adds to the names that probes may use. Empty: a survey; facts that need one of them
// are then left out.
struct Naming {
    std::string from;
    std::string to;
    std::string run;
    std::string copy;
};

// Facts whose probe writes are left out: drydock's readings only read.
[[nodiscard]] Result<model::FactSources>
bind_sources(const model::Pack& pack, const model::Cluster& cluster, const Naming& naming = {});

struct Hop {
    std::string from;
    std::string to;
    std::string procedure;
    std::string because;
};

struct Route {
    std::vector<Hop> hops;  // empty: already there
    std::vector<std::string>
        forbidden;                   // hops that were looked at and may not be, each with the rule
    std::vector<std::string> notes;  // where a fact beat a rule, or could not be told
    std::string alternative;         // the best route without the first stop: "a -> b -> c"
};

// What the packages of two releases say of a hop (chain/chain.h).
struct ChainWord {
    bool is_known = false;
    bool is_clean = false;
    std::string text;  // what happens, where it is not clean
};

// What is known beyond the pack and the cluster file. All of it may be missing.
struct RouteFacts {
    std::function<ChainWord(const std::string& from, const std::string& to)> chain = {};
    const model::FactBook* facts = nullptr;
};

// The shortest allowed chain of hops over the releases known to the pack or named in the cluster
// file. The error of a route that does not exist says what stands in the way.
[[nodiscard]] Result<Route> find_route(const model::Pack& pack,
                                       const model::Cluster& cluster,
                                       const std::string& from_version,
                                       const std::string& to_version,
                                       const RouteFacts& route_facts = {});

// The version the cluster is at: what its members run (or would run), the lowest of them for a way
// forward, the highest for a way back. Refuses a member whose version cannot be told.
[[nodiscard]] Result<std::string> current_version(const model::Pack& pack,
                                                  const model::Cluster& cluster,
                                                  const model::FactBook& facts,
                                                  const std::string& to_version);

struct Request {
    const model::Pack& pack;
    const model::Cluster& cluster;
    const model::FactBook& facts;
    std::string procedure;  // "upgrade", "downgrade", "rebuild", "restore"
    std::string from;
    std::string to;
    std::string run;           // id of the run to be
    std::string copy;          // for restore
    std::string returns_from;  // the run that is taken back
    // Where the checker found that the way back closes; without it the laws alone tell.
    std::optional<model::Closing> closing = {};
    // What bind_sources() says for these releases, this run and copy, if that is known already: who
    // compiles a thousand ways back asks once.
    const model::FactSources* sources = nullptr;
    // Whether the plan keeps what the survey saw beyond what it is bound to. Who asks for a way
    // back only to try it has that at hand.
    bool keeps_seen = true;
};

struct Compiled {
    std::optional<model::Plan> plan;
    std::vector<Error> problems;  // all that stand in the way, when there is no plan
};

[[nodiscard]] Compiled compile(const Request& request);

// The ways back other than downgrade from request.from to request.to, with what they cost now.
[[nodiscard]] std::vector<model::WayBack> ways_left(const Request& request);

}  // namespace drydock::planner
