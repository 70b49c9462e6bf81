// Start here: host.h (this interface), fences.h and heads.h (the right to command a host),
// session.h (the protocol), local_host.h (the real machine), serve.h (the main loop). Then an
// attempt's way: attempt.h, fork_server.h, supervisor.cpp, containment.h, action.h and its kinds,
// service.h. Then probe.h, prober.cpp and the kinds of probes. secrets.h, digest.h,
// http_request.h and kubernetes_request.h serve both.
//
// Host: the machine that a conversation acts on.
//
// session.h holds the protocol and is pure but for this interface. LocalHost implements it on the
// real machine, the fake transport in memory. Calls do not block for longer than a disk write, but
// for the destructor of a ProbeRun. Not thread-safe.
#pragma once

#include "agent/fences.h"
#include "agent/heads.h"
#include "base/enum_names.h"
#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

// The version in hello; version 1 knew no owners of a fence, version 2 no heads.
inline constexpr std::int64_t k_protocol = 3;

// One attempt of one action of one run. The same key never starts twice on a host.
struct ActionKey {
    std::string run;
    std::string action;  // may hold "/", such as "stop/m1"
    std::int64_t attempt = 0;

    auto operator<=>(const ActionKey&) const = default;
};

struct RunningAction {
    ActionKey key;
    std::string journal;  // of the conductor that began it; empty: unknown
};

// The permission to begin an action.
struct Permit {
    Commander commander = {};
    // The record before the request; nothing if its sender named none.
    std::optional<NotedHead> head = {};
    // The latest time to begin, by the host's monotonic clock. After it the action never begins.
    std::optional<std::int64_t> begin_by_ms = {};

    [[nodiscard]] bool is_late(std::int64_t now_ms) const {
        return begin_by_ms && now_ms > *begin_by_ms;
    }
};

enum class ActionPhase {
    none,         // never begun here; it never will be, if the key was buried
    running,      // its supervisor lives, or processes that a dead one left behind
    ended,        // there is a result
    interrupted,  // begun, and all its processes ended without a result: its progress is unknown
};
inline constexpr EnumNames<ActionPhase, ActionPhase::interrupted>
    k_action_phases({"none", "running", "ended", "torn"});

struct ActionState {
    ActionPhase phase = ActionPhase::none;
    // ended: {"outcome": done|failed|unknown|paused, "evidence", "error"?, "cancelled"?,
    // "started_ms", "ended_ms"}
    // running: {"output_bytes", "output_tail", "done"?, "of"?, "bytes"?, "rate"?, "unit"?,
    // "left_behind"?} or null
    Json detail;
};

// A set of probes that runs. Destroying it abandons the probes.
class ProbeRun {
public:
    virtual ~ProbeRun() = default;
    // [{"id", "status": known|absent|unknown, "value", "evidence", "at_ms", "after_ms"}] in the
    // order of the probes, once all have an answer; returns nothing before. A probe without an
    // answer at its deadline is unknown.
    [[nodiscard]] virtual std::optional<Json> poll() = 0;

    // Returns the monotonic time at which poll() returns more even if nothing wakes the caller.
    [[nodiscard]] virtual std::optional<std::int64_t> next_deadline_ms() const { return {}; }
};

struct FilePart {
    std::string bytes;
    std::int64_t size = 0;  // of the whole file
};

struct PutPart {
    std::string path;  // absolute
    std::int64_t offset = 0;
    std::string bytes;
    unsigned mode = 0600;
    std::optional<std::string> last;  // set on the last part: SHA-256 (hex) of the whole file
};

class Host {
public:
    virtual ~Host() = default;

    // {"version", "boot_id", "wall_ms", "fence", "owners", "protocol", "host"}. If the
    // registry cannot be read, "fence_error" stands in place of "fence" and "owners".
    [[nodiscard]] virtual Json facts() = 0;

    // Registers an owner durably, by the rules of FenceRegistry::fence(). When it returns, no call
    // of a lower epoch or of a displaced journal is half done.
    [[nodiscard]] virtual Result<std::int64_t> fence(Owner owner, bool take_over) = 0;
    // "agent.fenced" if that commander was displaced. Registers nothing.
    [[nodiscard]] virtual Status check(const Commander& commander) = 0;

    // Starts the action unless the key is known here; a known key is a success without effect.
    // `secrets` ({NAME: value}) never reach the disk. "agent.fenced" as FenceRegistry::admit()
    // says, and "agent.attempt_running" while another attempt of the same action runs here. A key
    // that comes after the permit's time is buried instead; the time is checked right before the
    // start. An error means that the action surely never runs.
    [[nodiscard]] virtual Status
    begin(const Permit& permit, const ActionKey& key, const Json& request, const Json& secrets) = 0;
    // Makes sure, durably, that a key unknown here never begins. Does nothing to a known one.
    [[nodiscard]] virtual Status bury(const ActionKey& key) = 0;
    [[nodiscard]] virtual ActionState query(const ActionKey& key) = 0;
    // Asks a running action to end early; its result will say so. Ends the processes that a dead
    // supervisor left behind. Success if nothing runs.
    [[nodiscard]] virtual Status cancel(const Commander& commander, const ActionKey& key) = 0;
    // Returns all actions that run here now, of any run and epoch, sorted. An error means that
    // this is unknown.
    [[nodiscard]] virtual Result<std::vector<RunningAction>> running() = 0;
    // Returns the heads in the run's actions here; with an empty run, those of all runs and those
    // beside the owners.
    [[nodiscard]] virtual std::set<NotedHead> heads(const std::string& run) = 0;

    [[nodiscard]] virtual std::unique_ptr<ProbeRun> probe(const Json& probes) = 0;

    // Writes a part of a file under a temporary name; the last part checks the digest and renames.
    [[nodiscard]] virtual Status put(const Commander& commander, const PutPart& part) = 0;
    [[nodiscard]] virtual Result<FilePart>
    get(const std::string& path, std::int64_t offset, std::int64_t size) = 0;

    // Returns a descriptor that is readable when a probe or an action may have ended; -1 if the
    // host has none. With it the caller need not wait for the next tick.
    [[nodiscard]] virtual int wake_descriptor() const { return -1; }

    // Must be called when wake_descriptor() was readable: handles the event and clears it.
    virtual void on_wake() {}
};

}  // namespace drydock::agent
