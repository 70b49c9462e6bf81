// Patches: read, prepare, send with guards, settle, read back.
//
// The guards are the uid and the version that were read. They decide what a second request means
// after a lost answer:
//
// - 200: the first one never took effect, and this one did.
// - 409: the object is at another version. The first one took effect, or somebody else came between
//   and it never will: it is held to a version that is gone.
//
// So the object is read again after a conflict. If it is as asked, the change is done. If it is
// not, the patch is prepared anew: it has to hold for what stands there now, with all its tests.
//
// A refusal right after a lost answer proves less. A node port is taken in the server's allocator
// before the Service is written, so that the first request may stand in the way of the second.
#include "kubernetes/change.h"
#include "kubernetes/change_parts.h"
#include "kubernetes/json_patch.h"
#include "kubernetes/read.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

namespace drydock::kubernetes {
namespace {

constexpr int k_conflicts_max = 10;  // a busy object gives up to one conflict for each writer
constexpr std::int64_t k_leak_pause_ms = 3'000;  // a leaked port is freed after minutes
constexpr std::int64_t k_leak_ms_max = std::int64_t{12} * 60'000;
constexpr const char* k_server_wait = "the API server to answer";

// Returns the node ports that the server says are taken.
std::vector<std::int64_t> taken_ports(const Answer& answer) {
    static const RE2 pattern("Invalid value: ([0-9]+): provided port is already allocated");
    std::vector<std::int64_t> ports;
    for (const Cause& cause : answer.causes) {
        std::int64_t port = 0;
        if (RE2::PartialMatch(cause.message, pattern, &port)) {
            ports.push_back(port);
        }
    }
    return ports;
}

bool has_port(const Json& service, const std::vector<std::int64_t>& ports) {
    const auto& entries = service["spec"]["ports"].items();
    return std::any_of(entries.begin(), entries.end(), [&](const Json& entry) {
        return std::find(ports.begin(), ports.end(), entry["nodePort"].as_int()) != ports.end();
    });
}

// The numbers of replicas of a Scale: a zero is left out.
void fill_in_replicas(Json& scale) {
    if (!scale["spec"].contains("replicas")) {
        Json spec = scale["spec"].is_object() ? scale["spec"] : Json(Json::Object{});
        scale.set("spec", spec.set("replicas", 0));
    }
}

struct Target {
    Object object;
    std::string subresource;  // "scale"; empty: the object itself
    Json operations;
};

class Patcher {
public:
    Patcher(Client& client, Target target, const ChangeOptions& options, const Effort& effort)
        : client_(client)
        , target_(std::move(target))
        , options_(options)
        , effort_(effort) {}

    Change run() {
        const auto path = path_of(target_.object);
        if (!path) {
            return refused(path.error(), {});
        }
        path_ = *path + (target_.subresource.empty() ? "" : "/" + target_.subresource);
        while (conflicts_ <= k_conflicts_max) {
            if (auto end = begin()) {
                return std::move(*end);
            }
            if (auto end = settle()) {
                return std::move(*end);
            }
        }
        return refused({"kubernetes.conflict",
                        fmt::format("{} was changed by somebody else {} times in between",
                                    target_.object.text(),
                                    k_conflicts_max),
                        "end what writes to it all the time",
                        ErrorClass::transient},
                       evidence_);
    }

private:
    // Reads the object and prepares the patch. Returns the end if nothing is to be sent.
    std::optional<Change> begin() {
        Answer answer = client_.get(path_, effort_.request_ms());
        while (is_unsettled(answer.kind) && pause_for_server()) {
            answer = client_.get(path_, effort_.request_ms());
        }
        if (awaited_ == k_server_wait && !is_unsettled(answer.kind)) {
            end_wait();
        }
        if (answer.kind != AnswerKind::done) {
            return not_read(answer);
        }
        if (target_.subresource == "scale") {
            fill_in_replicas(answer.body);
        }
        return prepare(answer.body);
    }

    // An object that is gone takes the patches that were held to it with it.
    Change not_read(const Answer& answer) {
        if (answer.kind == AnswerKind::not_found) {
            was_lost_ = false;
        }
        return ended_early(error_of_read(answer, target_.object.text()));
    }

    std::optional<Change> prepare(const Json& object) {
        const Json& metadata = object["metadata"];
        const std::string& uid = metadata["uid"].as_string();
        const std::string wanted = uid_.empty() ? options_.uid : uid_;
        if (!wanted.empty() && wanted != uid) {
            return refused({"kubernetes.recreated",
                            fmt::format("{} is another object than the one with uid {}",
                                        target_.object.text(),
                                        wanted),
                            "look at the new one; it was left alone"},
                           evidence_);
        }
        uid_ = uid;
        forget_lost(metadata["resourceVersion"].as_string());
        auto patch = prepare_patch(object, target_.operations);
        if (!patch) {
            return ended_early(patch.error());
        }
        if (patch->is_applied) {
            return end_of(was_sent_ ? ChangeEnd::changed : ChangeEnd::unchanged, evidence_);
        }
        if (!patch->failed_test.empty()) {
            return ended_early({"kubernetes.test_failed",
                                fmt::format("{}: {}", target_.object.text(), patch->failed_test),
                                "look who changed it; nothing was written"});
        }
        operations_ = guarded(patch->operations, uid_, version_);
        return {};
    }

    // A request that was lost is held to the version that was read then. It is dead once the object
    // has another one.
    void forget_lost(const std::string& version) {
        if (version != version_) {
            was_lost_ = false;
        }
        version_ = version;
        evidence_.set("uid", uid_).set("version", version_);
    }

    Change ended_early(Error error) {
        return was_lost_ ? unknown_end(std::move(error), evidence_)
                         : refused(std::move(error), evidence_);
    }

    // Sends the patch until it has a definite answer. Returns nothing if it has to be prepared
    // anew.
    std::optional<Change> settle() {
        for (;;) {
            const Answer answer = send();
            if (!is_unsettled(answer.kind) && taken_ports(answer).empty()) {
                end_wait();
            }
            if (answer.kind == AnswerKind::done) {
                return options_.dry_run ? end_of(ChangeEnd::changed, evidence_) : read_back();
            }
            // A test that failed is named after the next reading. An object that is gone is seen
            // there, too.
            if (answer.kind == AnswerKind::conflict || answer.kind == AnswerKind::test_failed
                || answer.kind == AnswerKind::not_found) {
                ++conflicts_;
                return std::nullopt;
            }
            if (answer.kind == AnswerKind::invalid && !taken_ports(answer).empty()) {
                if (auto end = port_is_taken(answer)) {
                    return end;
                }
                return std::nullopt;  // read again: a lost request may have taken it for this one
            }
            if (!is_unsettled(answer.kind) || !pause_for_server()) {
                return gave_up(answer, target_.object.text(), was_lost_, evidence_);
            }
        }
    }

    Answer send() {
        Request request;
        request.method = "PATCH";
        request.path = path_ + query_of(options_);
        request.content_type = "application/json-patch+json";
        request.body = operations_;
        Answer answer = client_.send(request, effort_.request_ms());
        was_sent_ |= answer.kind != AnswerKind::not_sent;
        was_lost_ |= answer.kind == AnswerKind::unknown;
        evidence_.set("requests", ++requests_);
        return answer;
    }

    // Returns the end, or nothing once it is worth another look.
    std::optional<Change> port_is_taken(const Answer& answer) {
        const auto ports = taken_ports(answer);
        const auto services = list_objects(client_, {"services", {}}, "", effort_);
        if (!services) {
            Error error = services.error();
            error.message = fmt::format("{}: who holds port {} cannot be told: {}",
                                        target_.object.text(),
                                        ports.front(),
                                        error.message);
            return ended_early(std::move(error));
        }
        for (const Json& service : (*services)["items"].items()) {
            const Json& metadata = service["metadata"];
            if (has_port(service, ports) && !(metadata["uid"] == Json(uid_))) {
                return ended_early({"kubernetes.port_taken",
                                    fmt::format("{}: {} (services/{} of namespace {} has it)",
                                                target_.object.text(),
                                                answer.message,
                                                metadata["name"].as_string(),
                                                metadata["namespace"].as_string()),
                                    "give that service another port, or this one"});
            }
        }
        return wait_for_leak(ports.front());
    }

    // The server's own repair frees a leaked port: some rounds of three minutes after it started.
    std::optional<Change> wait_for_leak(std::int64_t port) {
        evidence_.set("leaked_port", port);
        const std::string subject =
            fmt::format("the API server to free node port {}, which no service has", port);
        if (awaited_ != subject) {
            effort_.tell(fmt::format("port {} is taken, and no service has it: it leaked, and the "
                                     "server frees it within 12 minutes\n",
                                     port));
            begin_wait(subject,
                       "nothing: it does that by itself, mostly within 7 minutes. Delete no "
                       "service, and give none that port",
                       k_leak_ms_max);
        }
        if (!options_.dry_run && effort_.pause(k_leak_pause_ms)) {
            return {};
        }
        return ended_early({"kubernetes.port_leaked",
                            fmt::format("{}: port {} is taken, and no service has it",
                                        target_.object.text(),
                                        port),
                            "the server frees a leaked port within 12 minutes: give the step that "
                            "time, and delete nothing",
                            ErrorClass::transient});
    }

    // Reports a wait; one that goes on is reported once.
    void begin_wait(std::string subject, std::string remedy, std::int64_t longest_ms) {
        if (subject != awaited_) {
            awaited_ = subject;
            effort_.report_wait(Wait{
                std::move(subject), std::move(remedy), std::min(longest_ms, effort_.left_ms())});
        }
    }

    void end_wait() {
        if (!awaited_.empty()) {
            awaited_.clear();
            effort_.report_wait(std::nullopt);
        }
    }

    // Returns false once the effort is over.
    bool pause_for_server() {
        begin_wait(k_server_wait, "see that it runs, and its etcd", effort_.left_ms());
        return effort_.pause(k_change_pause_ms);
    }

    // The answer has the object already; this also sees what others make of it.
    Change read_back() {
        const std::string before = version_;
        was_lost_ = false;
        const auto end = begin();
        evidence_.set("version_before", before);
        if (end && end->end == ChangeEnd::changed) {
            return end_of(ChangeEnd::changed, evidence_);
        }
        return unknown_end(end && end->error ? *end->error
                                             : Error{"kubernetes.changed_since",
                                                     fmt::format("{} was patched, and is not as "
                                                                 "asked any more",
                                                                 target_.object.text()),
                                                     "look who changes it"},
                           evidence_);
    }

    Client& client_;
    Target target_;
    const ChangeOptions& options_;
    const Effort& effort_;
    std::string path_;
    std::string uid_;      // of the object that was read first; only this one is changed
    std::string version_;  // that was read last
    Json operations_;
    Json evidence_ = Json(Json::Object{});
    std::string awaited_;  // the subject of the wait that was reported; empty: none
    int requests_ = 0;
    int conflicts_ = 0;
    bool was_sent_ = false;
    bool was_lost_ = false;  // a request may still take effect
};

}  // namespace

Change patch_object(Client& client,
                    const Object& object,
                    const Json& operations,
                    const ChangeOptions& options,
                    const Effort& effort) {
    return Patcher(client, {object, "", operations}, options, effort).run();
}

Change scale_object(Client& client,
                    const Object& object,
                    std::int64_t replicas,
                    const ChangeOptions& options,
                    const Effort& effort) {
    Json operations{Json::Array{}};
    operations.push(Json().set("op", "add").set("path", "/spec/replicas").set("value", replicas));
    return Patcher(client, {object, "scale", operations}, options, effort).run();
}

}  // namespace drydock::kubernetes
