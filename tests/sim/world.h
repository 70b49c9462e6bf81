// World: a whole simulated site: three hosts, an etcd cluster, a journal, and conductors that come,
// die and come again. Everything but the hosts and the time is the real thing: pack, planner,
// runner, judge, agent sessions.
//
// conduct() is one conductor's life; a person's part (approving, repairing, resuming) is the
// caller's, or run_to_completion()'s.
#pragma once

#include "fake_etcd/fake_etcd.h"
#include "journal/memory/memory_journal.h"
#include "planner/planner.h"
#include "run/expected_facts.h"
#include "sim/simulation.h"

#include <memory>
#include <string>
#include <vector>

namespace drydock::sim {

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
    // The plan of the way back of a run, from what a survey finds now.
    [[nodiscard]] Result<model::Plan> compile_back(const model::Plan& forward,
                                                   const std::string& run);
    // What of the expected world is not so.
    [[nodiscard]] std::vector<run::Drift> drift(const model::Plan& plan, const run::State& state);

    // As the site's; the second judges the ending too.
    ConductorRun
    conduct(const model::Plan& plan, const CrashPoint& death = {}, bool approve = false);
    SimulationResult run_to_completion(const model::Plan& plan,
                                       const std::vector<CrashPoint>& deaths,
                                       int patience = 0);

    // For worlds by the thousand; `prepared` must outlive this one.
    void know(const Prepared& prepared) { site.use_prepared(prepared); }

    // A journal in memory from now on.
    void keep_in(std::shared_ptr<journal::MemoryStore> store);

    // Where the journal is in memory; null where it is on a disk.
    [[nodiscard]] const std::shared_ptr<journal::MemoryStore>& store() const { return store_; }

    // The journal from now on; in memory until then.
    void keep_in(std::function<std::unique_ptr<journal::Journal>()> open_journal,
                 std::function<void()> after_death);

    [[nodiscard]] std::unique_ptr<journal::Journal> open_journal() const { return open_journal_(); }

    // Where a person is asked, the way back must still be open.
    void check_gate(std::vector<Violation>& wrong) const;
    // What the system has seen that must never be; `over`: `plan` has ended well.
    void check_system(const model::Plan& plan, bool over, std::vector<Violation>& wrong);

    // Starts what should be up, on whatever release its link says.
    void repair(const model::Plan& plan, const ConductorRun& life);

    void advance_time(std::int64_t ms) { site.advance_time(ms); }

    transport::FakeClock clock;
    transport::Faults faults;

private:
    const model::Pack& pack_;
    const model::Cluster& cluster_;

    std::shared_ptr<journal::MemoryStore> store_ = journal::make_memory_store();
    std::function<std::unique_ptr<journal::Journal>()> open_journal_;
    std::function<void()> after_death_;

public:
    fake_etcd::FakeEtcd etcd;
    Simulation site;
    transport::FakeTransport& transport;

private:
    [[nodiscard]] Environment ground();
    void check_end(const model::Plan& plan, SimulationResult& ending);

    std::string from_;  // the series that the plan comes from; empty: nothing is asked at its gate
};

}  // namespace drydock::sim
