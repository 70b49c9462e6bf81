// World: a whole simulated site: three hosts, an etcd cluster, a journal, and conductors that come,
// die and come again. Everything but the hosts and the time is the real thing: pack, planner,
// runner, judge, agent sessions.
//
// conduct() is one conductor's life; a person's part (approving, repairing, resuming) is the
// caller's, or see_through()'s.
#pragma once

#include "conduct/runner.h"
#include "fake_etcd/fake_etcd.h"
#include "journal/memory/memory_journal.h"
#include "planner/planner.h"
#include "run/world.h"
#include "transport/fake/fake_transport.h"

#include <memory>
#include <string>
#include <vector>

namespace drydock::sim {

// Where a conductor dies: at the n-th record of its life.
struct Death {
    enum class Where { before_commit, after_commit, after_send };
    std::uint64_t record = 0;  // 0: it lives
    Where where = Where::before_commit;
};

struct Life {
    bool died = false;
    std::uint64_t records = 0;  // that it wrote, or was about to
    run::State state;
    std::string gate;  // that waits for a person; empty: none
    Json halt;         // detail of run.halted, if it ended so
    Error error;       // the journal's, if it refused
};

struct Ending {
    Life last;
    int conductors = 0;
    int halts = 0;
    std::vector<std::string> wrong;  // what must never be, in words; empty is good
};

class World {
public:
    // All members run `version`.
    World(transport::Faults faults, const std::string& version);

    [[nodiscard]] const model::Pack& pack() const { return pack_; }

    [[nodiscard]] const model::Cluster& cluster() const { return cluster_; }

    [[nodiscard]] model::FactBook survey();
    // The plan of one hop from what a survey finds now.
    [[nodiscard]] planner::Compiled compile(const std::string& procedure,
                                            const std::string& from,
                                            const std::string& to,
                                            const std::string& run);
    // What of the expected world is not so.
    [[nodiscard]] std::vector<run::Drift> drift(const model::Plan& plan, const run::State& state);

    // One conductor, until the run ends, waits for a person, or the conductor dies. With `approve`
    // an open gate is approved first.
    Life conduct(const model::Plan& plan, const Death& death = {}, bool approve = false);

    // Conductors one after the other, as long as they die; a person approves each gate, starts
    // members that died, and resumes what halted, `patience` times. The n-th conductor dies as
    // deaths[n] says. Checks on the way what must never be.
    Ending see_through(const model::Plan& plan, const std::vector<Death>& deaths, int patience = 0);

    // The state of a run as the journal tells it.
    [[nodiscard]] run::State replay(const model::Plan& plan);
    [[nodiscard]] std::vector<run::Event> events(const model::Plan& plan);

    // Starts what is down, on whatever release its link says.
    void repair();
    void let_pass(std::int64_t ms);

    transport::FakeClock clock;
    transport::Faults faults;

private:
    model::Pack pack_;
    model::Cluster cluster_;

public:
    fake_etcd::FakeEtcd etcd;
    transport::FakeTransport transport;

private:
    void check_gate(const model::Plan& plan, std::vector<std::string>& wrong) const;
    void check_end(const model::Plan& plan, Ending& ending);

    std::shared_ptr<journal::MemoryStore> store_ = journal::make_memory_store();
};

// Actions that may not run twice whose effect took place more often than that.
[[nodiscard]] std::vector<std::string> done_twice(World& world, const model::Plan& plan);

}  // namespace drydock::sim
