// Host: what a conversation needs of the machine it runs on.
//
// session.h holds the protocol and is pure but for this interface. LocalHost (local_host.h) does it
// on the real machine; the fake transport does it in memory. Calls do not block for longer than a
// disk write, but for the destructor of a ProbeRun. Not thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

// One attempt of one action of one run. The same key never starts twice on a host.
struct ActionKey {
    std::string run;
    std::string action;  // may hold "/", such as "stop/m1"
    std::int64_t attempt = 0;

    auto operator<=>(const ActionKey&) const = default;
};

enum class ActionPhase {
    none,     // never begun here
    running,  // its supervisor lives
    ended,    // there is a result
    torn,     // begun, and ended without a result: nobody knows how far it came
};

struct ActionState {
    ActionPhase phase = ActionPhase::none;
    // ended: {"outcome": done|failed|unknown, "evidence", "error"?, "started_ms", "ended_ms"}
    // running: what progress there is to show, or null
    Json detail;
};

// Probes that are being asked. Destroying it abandons them.
class ProbeRun {
public:
    virtual ~ProbeRun() = default;
    // [{"id", "status": known|absent|unknown, "value", "evidence", "at_ms", "after_ms"}] in the
    // order asked, once all have an answer; nothing before.
    [[nodiscard]] virtual std::optional<Json> poll() = 0;
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

    // {"version", "boot_id", "wall_ms", "fence", "host"}.
    [[nodiscard]] virtual Json facts() = 0;

    // Makes `epoch` the lowest one that is obeyed, durably, unless a higher one is known. Answers
    // the fence that holds now. When it returns, no call of a lower epoch is half done.
    [[nodiscard]] virtual Result<std::int64_t> fence(std::int64_t epoch) = 0;

    // Starts the action unless the key is known here (then: nothing happens, and that is success).
    // `secrets` ({NAME: value}) never reach the disk. A call with an epoch under the fence is
    // refused with "agent.fenced"; one over it raises the fence.
    [[nodiscard]] virtual Status
    begin(std::int64_t epoch, const ActionKey& key, const Json& request, const Json& secrets) = 0;
    [[nodiscard]] virtual ActionState look(const ActionKey& key) = 0;
    // Asks a running action to end early; its result will say so. Success when nothing runs.
    [[nodiscard]] virtual Status cancel(std::int64_t epoch, const ActionKey& key) = 0;
    // All actions that run here now, of whatever run and epoch, sorted.
    [[nodiscard]] virtual std::vector<ActionKey> running() = 0;

    [[nodiscard]] virtual std::unique_ptr<ProbeRun> probe(const Json& probes) = 0;

    // Writes a part of a file under a temporary name; the last part checks the digest and renames.
    [[nodiscard]] virtual Status put(std::int64_t epoch, const PutPart& part) = 0;
    [[nodiscard]] virtual Result<FilePart>
    get(const std::string& path, std::int64_t offset, std::int64_t size) = 0;

    // Readable when a probe or an action may have ended, so that nobody need wait for the next
    // tick; -1 when there is no such thing.
    [[nodiscard]] virtual int wake_descriptor() const { return -1; }

    // To be called when it was readable: takes note and makes it quiet again.
    virtual void on_wake() {}
};

}  // namespace drydock::agent
