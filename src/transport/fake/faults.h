// Faults: the failures of a simulated cluster, drawn from a seed.
//
// Each simulated part calls strikes() at each opportunity for a fault. The results depend
// only on the seed and the order of the calls. The rate of each fault is drawn from the seed, so
// that some runs have one kind of fault and others many. For tests, one fault can be aimed at its
// n-th opportunity. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace drydock::transport {

enum class Fault {
    request_lost,               // the connection breaks before the host has the request
    answer_lost,                // the host has it, and the connection breaks before the answer
    answer_twice,               // the same answer comes again, maybe late
    answer_late,                // by seconds
    host_away,                  // the host cannot be reached for a while
    interrupted_at_once,        // the action's supervisor dies when its folder was made
    interrupted_before_effect,  // ... before the effect
    interrupted_after_effect,   // ... after the effect
    interrupted_before_result,  // ... before the result is written
    action_fails,               // the system refuses, without any effect
    disk_full,                  // the host cannot make the action's folder
    member_dies,                // the service's process is killed
    host_reboots,               // at any time, if the system can do without it
    host_cut,                   // the network parts the host from the rest for a while
    clock_steps,                // the wall clock jumps, either way
    journal_full,               // the conductor's disk is full
    conductor_dies,             // the simulation draws it, and the next, for its conductors
    conductor_hangs,            // another one takes over, and the first wakes up again
    writes_lost,                // the host reboots before an agent's writes were synced
    request_late,     // the connection breaks, and its command still reaches the host later
    commit_slow,      // a commit of the journal takes up to 20 s
    commit_busy,      // another process keeps the journal locked
    commit_unknown,   // a commit is on disk, and its answer is lost
    probe_slow,       // a probe takes up to its deadline, which is when the agent answers
    agent_hangs,      // the agent stands still for a while, or for ever; at each request
    connect_slow,     // the greeting takes up to 20 s, or never comes
    process_stopped,  // the conductor stands still for a while (SIGSTOP), and goes on
    machine_stopped,  // the same with its clock (a machine that was suspended)
    member_restarts,  // a member that is down starts by itself
};

inline constexpr std::size_t k_faults = 29;

class Faults {
public:
    // No faults; latencies still come from the seed.
    explicit Faults(std::uint64_t seed);
    // A mix drawn from the seed, each fault at most `budget` times.
    static Faults hostile(std::uint64_t seed, int budget);
    // One fault, at its `nth` opportunity (1: the first) and at no other.
    static Faults at(std::uint64_t seed, Fault fault, int nth);

    [[nodiscard]] bool should_inject(Fault fault);
    // Stops all faults from now on.
    void stop_faults();

    // Calls `listener` at each injected fault, for reports and traces.
    void on_injection(std::function<void(Fault)> listener) { listener_ = std::move(listener); }

    // Returns a uniform number, both ends included.
    [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);

    [[nodiscard]] int injected(Fault fault) const { return mix(fault).injected; }

    // Returns how often strikes() was called for this fault.
    [[nodiscard]] int opportunities(Fault fault) const { return mix(fault).opportunities; }

private:
    struct Mix {
        int per_mille = 0;
        int budget = 0;
        int nth = 0;
        int opportunities = 0;
        int injected = 0;
    };

    std::uint64_t draw();
    void draw_mix(Mix& fault_mix, int budget);

    [[nodiscard]] Mix& mix(Fault fault) { return mixes_.at(static_cast<std::size_t>(fault)); }

    [[nodiscard]] const Mix& mix(Fault fault) const {
        return mixes_.at(static_cast<std::size_t>(fault));
    }

    std::uint64_t state_;
    std::array<Mix, k_faults> mixes_ = {};
    std::function<void(Fault)> listener_;
};

[[nodiscard]] std::string_view name_of(Fault fault);

}  // namespace drydock::transport
