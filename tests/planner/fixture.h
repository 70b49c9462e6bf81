// A site for planner tests: a pack, a cluster of so many members, and the facts that a survey of it
// would find, all at rest. Tests change single facts and compile.
#pragma once

#include "model/cluster.h"
#include "model/pack.h"
#include "planner/planner.h"

#include <functional>
#include <optional>
#include <string>

namespace drydock::planner {

struct Fixture {
    model::Pack pack;
    model::Cluster cluster;
    model::FactBook facts;

    // `fact` of `member` (empty: the system's) is read as `value`; null: absent.
    void set(const std::string& member, const std::string& fact, const Json& value);
    void set_unknown(const std::string& member, const std::string& fact);

    // `hint`: where the checker has found that the way back closes.
    [[nodiscard]] Compiled compile(const std::string& from,
                                   const std::string& to,
                                   const std::string& procedure = "upgrade",
                                   const std::optional<model::ReturnPointHint>& hint = {}) const;
};

// Compiles the downgrade from `to` back to `from` on given facts, as the checker asks for it. The
// fixture has to live as long.
[[nodiscard]] std::function<Result<model::Plan>(const model::FactBook&)>
downgrades_of(const Fixture& site, const std::string& from, const std::string& to);

// packs/etcd with members m1..mN, m`leader` leading, all on `version`.
[[nodiscard]] Fixture etcd_site(int members, const std::string& version = "3.4.23", int leader = 3);
// A member as it is after a stop, a switch of its release, and a start.
void stop(Fixture& site, const std::string& member);
void install(Fixture& site, const std::string& member, const std::string& version);
void start(Fixture& site, const std::string& member, const std::string& version);

// A pack of tests/packs, whose only role is `node`: facts running, installed, ready, service.
[[nodiscard]] Fixture small_site(const std::string& pack, int members, const std::string& version);

// tests/packs/offline with keepers k1.., nodes n1.., names o1.. and no viewer, all on `version`.
struct OfflineSizes {
    int keepers = 1;
    int nodes = 3;
    int names = 1;
    int viewers = 0;
};

[[nodiscard]] Fixture offline_site(const std::string& version, const OfflineSizes& sizes = {});

// A pack by its folder in the source tree, and a cluster file's text read with it; neither may have
// a problem.
[[nodiscard]] model::Pack load_site_pack(const std::string& folder);
// The same with other words in one file, each of which must be there.
[[nodiscard]] model::Pack
changed_pack(const std::string& folder,
             const std::string& file,
             const std::vector<std::pair<std::string, std::string>>& words);
[[nodiscard]] model::Cluster read_site_cluster(const std::string& text, const model::Pack& pack);

// Each problem on a line.
[[nodiscard]] std::string text(const Compiled& compiled);
// The plan on one screen: each action with what it waits for and how many guards it has.
[[nodiscard]] std::string outline(const model::Plan& plan);

}  // namespace drydock::planner
