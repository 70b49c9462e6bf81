// A night: what several people do to one simulated cluster until it serves on one release again,
// while faults strike. They apply, resume, approve, abort, plan anew, go back, do so at the same
// time, lose the journal, and work beside another cluster on the same hosts.
//
// Every conductor and every person's command is a real session (executor/run_session.h). The dice
// decide who does what; after the calm the night ends with whatever run is open then. One thread.
#pragma once

#include "journal/memory/memory_journal.h"
#include "sim/world.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::sim {

// How often each kind of command came to something.
struct NightCount {
    int applied = 0;
    int resumed = 0;
    int aborted = 0;
    int returned = 0;
    int take_overs = 0;
    int refused = 0;
};

class Night {
public:
    // `world` and `dice` must outlive the night. `calm_ms`: from then on nothing goes wrong.
    Night(World& world, transport::Faults& dice, std::int64_t calm_ms);

    // From the first plan to the end of the last run.
    [[nodiscard]] SimulationResult play(const model::Plan& first);

    [[nodiscard]] const NightCount& count() const { return count_; }

private:
    [[nodiscard]] bool is_calm() const;
    [[nodiscard]] bool chance(int percent);
    void turn();
    void rest();
    void apply();
    void resume();
    void abort();
    void downgrade();
    void lose_journal();
    void copy_journal();
    void put_journal_back();
    void greet_from_neighbour();
    void act_beside(const model::Plan& plan);
    void conduct(bool approve);
    void request_later(const model::Plan& plan);
    void take(const ConductorRun& life, const std::string& run);
    void play_on(const model::Plan& plan);
    [[nodiscard]] const model::Plan& keep(model::Plan plan);
    void adopt_open_run();
    void wait_for_people();
    void look_after_outlived();
    [[nodiscard]] CrashPoint draw_death();
    [[nodiscard]] const model::Plan* make_plan();  // null: it is refused
    [[nodiscard]] bool has_open_run();
    [[nodiscard]] bool is_closed();
    [[nodiscard]] std::string next_run();
    void check(SimulationResult& ending);

    World& world_;
    transport::Faults& dice_;
    std::int64_t calm_ms_;

    // A plan that became a run or was tried, and what its conductors share.
    struct Played {
        explicit Played(model::Plan made)
            : plan(std::move(made))
            , prepared(plan, "digest of " + plan.run) {}

        model::Plan plan;
        Prepared prepared;
    };

    std::vector<std::unique_ptr<Played>> played_;
    const model::Plan* plan_ = nullptr;           // of the open run, or of the last one
    std::shared_ptr<journal::MemoryStore> copy_;  // null: none was made
    bool is_lost_ = false;                        // its journal is
    bool is_outlived_ = false;                    // the lost journal is, by a conductor that hangs
    ConductorRun last_;
    NightCount count_;
    int journals_ = 1;
    int runs_ = 0;
    int drifts_ = 0;  // resumes in a row that found the world moved
    int conductors_ = 0;
    int halts_ = 0;
    bool is_over_ = false;
    std::vector<Violation> wrong_;
};

}  // namespace drydock::sim
