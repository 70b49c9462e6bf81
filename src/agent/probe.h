// Probes: typed questions about a host, each answered with what was read and where.
//
// known: it was read. absent: it was looked for, and there is none. unknown: it could not be told.
// A probe never writes. All run at once on a bounded pool of threads; identical HTTP requests in
// one set are sent once. Each probe is answered at its deadline, also when its thread hangs, say on
// a file system that does not answer: such a thread is given up, and a bounded number of threads
// take the place of those.
#pragma once

#include "agent/host.h"

#include <functional>
#include <memory>

namespace drydock::agent {

struct Finding {
    enum class Status { known, absent, unknown };
    Status status = Status::unknown;
    Json value = {};
    Json evidence = Json(Json::Object{});
};

[[nodiscard]] Finding known(Json value, Json evidence = Json(Json::Object{}));
[[nodiscard]] Finding absent(std::string_view note, Json evidence = Json(Json::Object{}));
[[nodiscard]] Finding cannot_tell(std::string_view problem, Json evidence = Json(Json::Object{}));

// Picks the value out of a text, as `probe` says: pointer | pointers | equal | collect | regex |
// metric | key; none of them: the whole text, trimmed. `missing` replaces what a pointer misses.
[[nodiscard]] Finding pick(const Json& probe, const std::string& text);
// The same from JSON that was read already, without its text as evidence; nothing where the probe
// needs the text.
[[nodiscard]] std::optional<Finding> pick_from_json(const Json& probe, const Json& document);

// The finding with its value as `type` (release, bool, integer, text, list; empty: as it is);
// unknown when it is none.
[[nodiscard]] Finding convert(Finding finding, std::string_view type);

// When a fact was read.
struct ReadAt {
    std::int64_t wall_ms = 0;
    std::int64_t after_ms = 0;  // so long after it was asked for, by a monotonic clock
};

// The fact that answers a probe: {"after_ms", "at_ms", "evidence", "id", "status", "value"}, the
// finding converted to the type that the probe asks for.
[[nodiscard]] Json to_fact(const Json& probe, Finding finding, ReadAt read_time);

// One probe each; they block for up to `timeout_ms`.
[[nodiscard]] Finding probe_file(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_disk(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_digest(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_link(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_service(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_process(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_exe(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_sql(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] Finding probe_command(const Json& probe, std::int64_t timeout_ms);

// Answers all of `probes` (each an `http` probe with the same request) from one exchange.
[[nodiscard]] std::vector<Finding> probe_http(const std::vector<Json>& probes,
                                              std::int64_t timeout_ms);

// Asks one probe and blocks until it has an answer, which should be within `timeout_ms`.
using AskProbe = std::function<Finding(const Json& probe, std::int64_t timeout_ms)>;

[[nodiscard]] Finding ask_probe(const Json& probe, std::int64_t timeout_ms);

class ProbePool;

// Starts sets of probes. Destroying it waits for probes that are within their deadline, and not for
// those that hang.
class Prober {
public:
    // `woken` is called from the pool's threads whenever an answer has come. A test passes an `ask`
    // of its own.
    explicit Prober(std::function<void()> woken, AskProbe ask = ask_probe);
    ~Prober();
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    [[nodiscard]] std::unique_ptr<ProbeRun> start(const Json& probes);

private:
    std::shared_ptr<ProbePool> pool_;  // shared with runs and with threads that hang
    AskProbe ask_;
};

}  // namespace drydock::agent
