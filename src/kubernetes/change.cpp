// Creating and deleting, and the ends that all changes share. patch_change.cpp has the patches.
#include "kubernetes/change.h"

#include "kubernetes/change_parts.h"
#include "kubernetes/json_patch.h"
#include "kubernetes/read.h"

#include <fmt/format.h>

namespace drydock::kubernetes {

Change end_of(ChangeEnd end, Json evidence) {
    return {end, {}, std::move(evidence)};
}

Change refused(Error error, Json evidence) {
    return {ChangeEnd::refused, std::move(error), std::move(evidence)};
}

// A server that was not reached at last says nothing of the request before.
Change unknown_end(Error error, Json evidence) {
    if (error.kind == ErrorClass::transient && error.code != "kubernetes.port_leaked") {
        error.code = "kubernetes.unknown_outcome";
        error.remedy = "read the object: it may have been changed";
    }
    error.kind = ErrorClass::unknown_outcome;
    return {ChangeEnd::unknown, std::move(error), std::move(evidence)};
}

Change gave_up(const Answer& last, const std::string& subject, bool was_lost, Json evidence) {
    Error error = error_of(last, subject);
    if (!was_lost) {
        return refused(std::move(error), std::move(evidence));
    }
    error.message =
        fmt::format("an answer was lost, and the time is over; last: {}", error.message);
    return unknown_end(std::move(error), std::move(evidence));
}

bool is_unsettled(AnswerKind kind) {
    return kind == AnswerKind::unknown || kind == AnswerKind::not_sent
           || kind == AnswerKind::try_later;
}

SettledAnswer send_until_settled(Client& client, const Request& request, const Effort& effort) {
    SettledAnswer settled;
    do {
        settled.answer = client.send(request, effort.request_ms());
        settled.was_lost |= settled.answer.kind == AnswerKind::unknown;
    } while (is_unsettled(settled.answer.kind) && effort.pause(k_change_pause_ms));
    return settled;
}

std::string query_of(const ChangeOptions& options) {
    return std::string("?fieldManager=drydock&fieldValidation=Strict")
           + (options.dry_run ? "&dryRun=All" : "");
}

namespace {

bool is_gone(const Error& error) {
    return error.code == "kubernetes.not_found";
}

class Creator {
public:
    Creator(Client& client,
            const Resource& kind,
            const Json& manifest,
            const ChangeOptions& options,
            const Effort& effort)
        : client_(client)
        , object_{kind, manifest["metadata"]["name"].as_string()}
        , manifest_(manifest)
        , options_(options)
        , effort_(effort) {}

    Change create() {
        const auto path = path_of(object_.kind);
        if (!path) {
            return refused(path.error(), {});
        }
        if (const auto name = path_of(object_); !name) {
            return refused(name.error(), {});
        }
        Request request;
        request.method = "POST";
        request.path = *path + query_of(options_);
        request.body = manifest_;
        // A second object of the name is impossible, so that the same may be sent again.
        return judge(send_until_settled(client_, request, effort_));
    }

private:
    Change judge(const SettledAnswer& settled) {
        const Answer& answer = settled.answer;
        if (answer.kind == AnswerKind::done) {
            return options_.dry_run ? end_of(ChangeEnd::changed, {})
                                    : read_back(ChangeEnd::changed);
        }
        if (answer.kind == AnswerKind::already_exists
            || (answer.kind == AnswerKind::invalid && is_there())) {
            return read_back(settled.was_lost ? ChangeEnd::changed : ChangeEnd::unchanged);
        }
        return gave_up(answer, object_.text(), settled.was_lost, {});
    }

    // The server allocates before it looks at the name. So it refuses the node ports of a Service
    // that is there already, since they are taken: by that Service.
    bool is_there() { return read_object(client_, object_, effort_).has_value(); }

    Change read_back(ChangeEnd end) {
        const auto present = read_object(client_, object_, effort_);
        if (!present) {
            return unknown_end(present.error(), {});
        }
        Json evidence;
        evidence.set("uid", (*present)["metadata"]["uid"]);
        if (contains(*present, manifest_)) {
            return end_of(end, std::move(evidence));
        }
        return refused(
            {"kubernetes.exists",
             fmt::format("{} is there, and is another one than asked for", object_.text()),
             "look whose it is; nothing was written"},
            std::move(evidence));
    }

    Client& client_;
    Object object_;
    const Json& manifest_;
    const ChangeOptions& options_;
    const Effort& effort_;
};

class Deleter {
public:
    Deleter(Client& client,
            const Object& object,
            std::string propagation,
            const ChangeOptions& options,
            const Effort& effort)
        : client_(client)
        , object_(object)
        , propagation_(std::move(propagation))
        , options_(options)
        , effort_(effort) {}

    Change remove() {
        const auto path = path_of(object_);
        if (!path || options_.uid.empty()) {
            return refused(path ? Error{"kubernetes.uid",
                                        fmt::format("{}: no uid is given", object_.text()),
                                        "give the uid of the object that is meant"}
                                : path.error(),
                           {});
        }
        Request request;
        request.method = "DELETE";
        request.path = *path;
        request.body = body();
        return judge(send_until_settled(client_, request, effort_));
    }

private:
    [[nodiscard]] Json body() const {
        Json body;
        body.set("apiVersion", "v1").set("kind", "DeleteOptions");
        body.set("preconditions", Json().set("uid", options_.uid));
        if (!propagation_.empty()) {
            body.set("propagationPolicy", propagation_);
        }
        if (options_.dry_run) {
            body.set("dryRun", Json(Json::Array{Json("All")}));
        }
        return body;
    }

    Change judge(const SettledAnswer& settled) {
        const Answer& answer = settled.answer;
        if (answer.kind == AnswerKind::done) {
            return options_.dry_run ? end_of(ChangeEnd::changed, {}) : wait_until_gone();
        }
        if (answer.kind == AnswerKind::not_found) {
            return end_of(settled.was_lost ? ChangeEnd::changed : ChangeEnd::unchanged, {});
        }
        if (answer.kind == AnswerKind::conflict) {
            return refused({"kubernetes.recreated",
                            fmt::format("{} is another object than the one with uid {}",
                                        object_.text(),
                                        options_.uid),
                            "look at the new one; it was left alone"},
                           {});
        }
        return gave_up(answer, object_.text(), settled.was_lost, {});
    }

    // An object with finalizers stays until others have done their work.
    Change wait_until_gone() {
        Json evidence;
        do {
            const auto present = read_object(client_, object_, effort_);
            if (!present) {
                return is_gone(present.error()) ? end_of(ChangeEnd::changed, std::move(evidence))
                                                : unknown_end(present.error(), std::move(evidence));
            }
            const Json& metadata = (*present)["metadata"];
            if (!(metadata["uid"] == Json(options_.uid))) {
                evidence.set("name_taken_by", metadata["uid"]);
                return end_of(ChangeEnd::changed, std::move(evidence));
            }
            evidence.set("finalizers", metadata["finalizers"]);
        } while (effort_.pause(k_change_pause_ms));
        return unknown_end(
            {"kubernetes.still_there",
             fmt::format("{}: its deletion was accepted, and it is still there", object_.text()),
             "see who has to remove its finalizers"},
            std::move(evidence));
    }

    Client& client_;
    const Object& object_;
    std::string propagation_;
    const ChangeOptions& options_;
    const Effort& effort_;
};

}  // namespace

Change create_object(Client& client,
                     const Resource& kind,
                     const Json& manifest,
                     const ChangeOptions& options,
                     const Effort& effort) {
    return Creator(client, kind, manifest, options, effort).create();
}

Change delete_object(Client& client,
                     const Object& object,
                     const std::string& propagation,
                     const ChangeOptions& options,
                     const Effort& effort) {
    return Deleter(client, object, propagation, options, effort).remove();
}

}  // namespace drydock::kubernetes
