// Probes: typed queries about a host. Each result has the value and its evidence: text and source.
//
// known: the value was read. absent: the probe looked for it, and there is none. unknown: the
// probe could not decide. A probe never writes. All run at once on a bounded pool of threads;
// identical HTTP requests, and readings of the same Kubernetes objects, are made once in a set.
// Each probe has a result at its deadline, also if its thread hangs, say on a file system that does
// not answer. Such a thread is abandoned and replaced, up to a limit.
#pragma once

#include "agent/host.h"
#include "model/fact.h"

#include <functional>
#include <memory>

namespace drydock::agent {

struct ProbeResult {
    model::ObservationStatus status = model::ObservationStatus::unknown;
    Json value = {};
    Json evidence = Json(Json::Object{});
};

[[nodiscard]] ProbeResult known(Json value, Json evidence = Json(Json::Object{}));
[[nodiscard]] ProbeResult absent(std::string_view note, Json evidence = Json(Json::Object{}));
[[nodiscard]] ProbeResult cannot_tell(std::string_view problem,
                                      Json evidence = Json(Json::Object{}));

// Extracts the value from a text, as `probe` says: pointer | pointers | equal | collect | regex |
// matches | metric | key. Without any of them the value is the whole text, trimmed. `missing`
// replaces the value of a pointer that leads nowhere.
[[nodiscard]] ProbeResult extract(const Json& probe, const std::string& text);
// The same from parsed JSON, without its text as evidence. Returns nothing if the probe needs the
// text.
[[nodiscard]] std::optional<ProbeResult> extract_from_json(const Json& probe, const Json& document);

// Returns the result with its value as `type` (release, bool, integer, text, list; empty: as it
// is); unknown if the value has no such form.
[[nodiscard]] ProbeResult convert(ProbeResult finding, std::string_view type);

// The time at which a fact was read.
struct ReadTime {
    std::int64_t wall_ms = 0;
    std::int64_t after_ms = 0;  // after the probe was requested, by a monotonic clock
};

// Returns the fact of a probe: {"after_ms", "at_ms", "evidence", "id", "status", "value"}. The
// value has the type that the probe asks for.
[[nodiscard]] Json to_fact(const Json& probe, ProbeResult finding, ReadTime read_time);

// Each runs one probe and blocks for up to `timeout_ms`.
[[nodiscard]] ProbeResult probe_file(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_disk(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_digest(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_link(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_service(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_process(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_exe(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_sql(const Json& probe, std::int64_t timeout_ms);
[[nodiscard]] ProbeResult probe_command(const Json& probe, std::int64_t timeout_ms);

// Returns the results of all `probes` (each an `http` probe with the same request) from one
// exchange.
[[nodiscard]] std::vector<ProbeResult> probe_http(const std::vector<Json>& probes,
                                                  std::int64_t timeout_ms);

// Returns the results of all `probes` (each a `kubernetes` probe of the same objects) from one
// reading.
[[nodiscard]] std::vector<ProbeResult> probe_kubernetes(const std::vector<Json>& probes,
                                                        std::int64_t timeout_ms);

// Waits until the fact of the probe `of` may differ from `seen` ({status, value}), or until the time
// is over; then it is to be read anew. Unknown: nothing tells when that fact changes.
[[nodiscard]] ProbeResult probe_change(const Json& probe, std::int64_t timeout_ms);

// Runs one probe and blocks until it has a result, which should be within `timeout_ms`.
using ProbeRunner = std::function<ProbeResult(const Json& probe, std::int64_t timeout_ms)>;

[[nodiscard]] ProbeResult run_probe(const Json& probe, std::int64_t timeout_ms);

class ProbePool;

// Starts sets of probes. Destroying it waits for probes that are within their deadline, and not
// for probes that hang.
class Prober {
public:
    // Calls `woken` from the pool's threads whenever a result has come. A test passes an `ask` of
    // its own.
    explicit Prober(std::function<void()> woken, ProbeRunner ask = run_probe);
    ~Prober();
    Prober(const Prober&) = delete;
    Prober& operator=(const Prober&) = delete;

    [[nodiscard]] std::unique_ptr<ProbeRun> start(const Json& probes);

private:
    std::shared_ptr<ProbePool> pool_;  // shared with runs and with threads that hang
    ProbeRunner run_probe_;
};

}  // namespace drydock::agent
