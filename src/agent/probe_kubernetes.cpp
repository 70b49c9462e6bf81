// The probe `kubernetes`: reads objects, and asks what the server would allow.
//
// Probes of one set that read the same objects share one reading, so that their facts belong
// together. An object that is not there is absent. A server that is not reached tells nothing: its
// objects are unknown.
//
// probe_change() waits with a watch. It is a wake-up: whoever is woken asks the probe itself anew.
#include "agent/action_key.h"
#include "agent/kubernetes_request.h"
#include "agent/probe.h"
#include "kubernetes/read.h"
#include "kubernetes/watch.h"

#include <fmt/format.h>

#include <atomic>

namespace drydock::agent {
namespace {

using kubernetes::Client;
using kubernetes::Effort;

ProbeResult of_error(const Error& error) {
    return error.code == "kubernetes.not_found" ? absent(error.message) : cannot_tell(error.text());
}

// True if the user of the context has the right to each of the verbs.
ProbeResult ask_rights(Client& client, const Json& probe, const Effort& effort) {
    Json denied{Json::Array{}};
    for (const Json& verb : probe["may"].items()) {
        const auto allowed = kubernetes::may(client,
                                             {verb.as_string(),
                                              read_resource(probe),
                                              probe["subresource"].as_string(),
                                              probe["name"].as_string()},
                                             effort);
        if (!allowed) {
            return of_error(allowed.error());
        }
        if (!*allowed) {
            denied.push(verb);
        }
    }
    const bool all = denied.items().empty();
    return known(all, all ? Json(Json::Object{}) : Json().set("denied", std::move(denied)));
}

// True if the server would accept the change, false if it would refuse it. Nothing is written.
ProbeResult try_out(Client& client, const Json& probe, const Effort& effort) {
    Json request = probe;
    for (const auto& [key, value] : probe["dry_run"].members()) {
        request.set(key, value);
    }
    const auto change = change_kubernetes(client, request, true, effort);
    const bool is_answer = change.end != kubernetes::ChangeEnd::unknown
                           && (!change.error || change.error->kind != ErrorClass::transient
                               || change.error->code == "kubernetes.port_leaked");
    const bool is_told =
        is_answer && (!change.error || change.error->code != "kubernetes.not_allowed");
    if (!is_told) {
        return cannot_tell(change.error ? change.error->text() : "no answer");
    }
    Json evidence(Json::Object{});
    if (change.error) {
        evidence.set("refused", to_utf8(change.error->message)).set("code", change.error->code);
    }
    return known(!change.error, std::move(evidence));
}

Result<Json> read_document(Client& client, const Json& probe, const Effort& effort) {
    if (probe.contains("name")) {
        return kubernetes::read_object(client, read_object_name(probe), effort);
    }
    return kubernetes::list_objects(
        client, read_resource(probe), probe["labels"].as_string(), effort);
}

ProbeResult pick(const Json& probe, const Json& document) {
    if (probe["count"].as_bool()) {
        return known(static_cast<std::int64_t>(document["items"].items().size()));
    }
    return extract_from_json(probe, document)
        .value_or(cannot_tell("the probe does not say which value is meant"));
}

// Says what was read, and at which version: of the object, or of the store for a list.
void add_source(const Json& probe, const Json& document, ProbeResult& finding) {
    const bool one = probe.contains("name");
    const std::string& where =
        probe.contains("proxy") ? probe["proxy"].as_string() : probe["context"].as_string();
    finding.evidence.set(
        "source",
        to_utf8(fmt::format("{} at {}",
                            one ? read_object_name(probe).text() : read_resource(probe).text(),
                            where)));
    const Json& version =
        one ? document["metadata"]["resourceVersion"] : document["resourceVersion"];
    if (!version.is_null()) {
        finding.evidence.set("version", version);
    }
    if (one && !document.is_null()) {
        finding.evidence.set("uid", document["metadata"]["uid"]);
    }
}

ProbeResult read_one(const Json& probe, const Result<Json>& document) {
    ProbeResult finding = document ? pick(probe, *document) : of_error(document.error());
    add_source(probe, document ? *document : Json(), finding);
    return finding;
}

}  // namespace

std::vector<ProbeResult> probe_kubernetes(const std::vector<Json>& probes,
                                          std::int64_t timeout_ms) {
    const Json& first = probes.front();
    const auto client = Client::open(read_access(first));
    if (!client) {
        return std::vector<ProbeResult>(probes.size(), cannot_tell(client.error().text()));
    }
    const Effort effort(timeout_ms);
    std::vector<ProbeResult> findings;
    if (first.contains("may") || first.contains("dry_run")) {
        for (const Json& probe : probes) {
            findings.push_back(probe.contains("may") ? ask_rights(**client, probe, effort)
                                                     : try_out(**client, probe, effort));
            add_source(probe, {}, findings.back());
        }
        return findings;
    }
    const auto document = read_document(**client, first, effort);
    for (const Json& probe : probes) {
        findings.push_back(read_one(probe, document));
    }
    return findings;
}

namespace {

constexpr std::int64_t k_look_ms = 5'000;   // for the reading in front of a watch
constexpr std::int64_t k_answer_ms = 500;   // between the end of a watch and the deadline
constexpr std::int64_t k_watch_ms = 2'000;  // a shorter one is not worth its requests
// Each holds a thread of the pool, and readings need the others.
constexpr int k_waits_max = 8;

// The waits of this process that are under way.
class WaitCount {
public:
    WaitCount() : number_(++count()) {}

    ~WaitCount() { --count(); }

    WaitCount(const WaitCount&) = delete;
    WaitCount& operator=(const WaitCount&) = delete;

    [[nodiscard]] bool is_too_many() const { return number_ > k_waits_max; }

private:
    static std::atomic<int>& count() {
        static std::atomic<int> instance = 0;
        return instance;
    }

    int number_;
};

bool is_as_seen(const Json& probe, ProbeResult finding) {
    const Json fact = to_fact(probe["of"], std::move(finding), {});
    return fact["status"] == probe["seen"]["status"] && fact["value"] == probe["seen"]["value"];
}

// The version comes first: what changes behind it is an event of the watch.
Result<bool> wait_for_change(Client& client, const Json& probe, std::int64_t timeout_ms) {
    const Json& of = probe["of"];
    const kubernetes::Watched watched{
        read_resource(of), of["name"].as_string(), of["labels"].as_string()};
    const Effort look(std::min(timeout_ms, k_look_ms));
    const Effort wait(timeout_ms - k_answer_ms);
    DRYDOCK_TRY_ASSIGN(const std::string version, kubernetes::version_of(client, watched, look));
    if (!is_as_seen(probe, read_one(of, read_document(client, of, look)))) {
        return true;
    }
    return kubernetes::wait_for_event(client, watched, version, wait);
}

}  // namespace

ProbeResult probe_change(const Json& probe, std::int64_t timeout_ms) {
    const Json& of = probe["of"];
    const bool is_told =
        of["kind"] == Json("kubernetes") && !of.contains("may") && !of.contains("dry_run");
    if (!is_told || timeout_ms < k_watch_ms) {
        return cannot_tell(is_told ? "too little time for a watch"
                                   : "nothing tells of its changes");
    }
    const WaitCount waits;
    if (waits.is_too_many()) {
        return cannot_tell("too many changes are waited for on this host");
    }
    const auto client = Client::open(read_access(of));
    if (!client) {
        return cannot_tell(client.error().text());
    }
    const auto changed = wait_for_change(**client, probe, timeout_ms);
    return changed ? known(*changed) : cannot_tell(changed.error().text());
}

}  // namespace drydock::agent
