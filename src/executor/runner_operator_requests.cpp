// Requests of people to a live conductor: approve, pause, abort, note.
//
// Requests are rows of the journal. Each is heard once and answered in the commit of the record
// that carries it out, so that a request and its effect are durable together. A pause is answered
// when the run has stopped, an abort by the record that ends the run.
#include "base/coverage_mark.h"
#include "executor/gate_approval.h"
#include "executor/runner.h"
#include "run/request.h"

#include <fmt/format.h>

namespace drydock::executor {

using run::Event;
using run::EventType;
using run::RequestKind;

// Reads open requests at most once in `turn_ms_max`: the read is a query to the journal.
Status Runner::take_requests() {
    const std::int64_t now = clock_.monotonic_ms();
    if (now < requests_due_ms_) {
        return {};
    }
    requests_due_ms_ = now + settings_.turn_ms_max;
    const auto open = journal_.open_requests(settings_.run);
    if (!open) {
        return open.error().kind == ErrorClass::transient ? Status() : tl::unexpected(open.error());
    }
    for (const journal::Request& request : *open) {
        if (heard_requests_.insert(request.number).second) {
            take_request(request);
        }
    }
    return {};
}

Status Runner::refuse(const journal::Request& request, const std::string& reason) {
    heard_requests_.insert(request.number);
    note(request, run::refusal(reason));
    return commit();
}

// While the run is drained for a purpose, a request to stop is refused with that purpose.
void Runner::take_request(const journal::Request& request) {
    const auto kind = run::k_request_kinds.parse(request.kind);
    if (!kind) {
        note(request, run::refusal(fmt::format("there is no request `{}`", request.kind)));
    } else if (run::is_stop(*kind) && !drained_for_.empty()) {
        note(request, run::refusal(drained_for_));
    } else if (*kind == RequestKind::pause) {
        COVERAGE_MARK("runner: a person asks for a pause");
        waiting_requests_.push_back(request.number);
        drain();
    } else if (*kind == RequestKind::abort) {
        COVERAGE_MARK("runner: a person asks to abort");
        abort_request_ = request;  // answered by the record that ends the run
        drain();
    } else if (*kind == RequestKind::approve) {
        take_approval(request);
    } else {
        note(request, std::string(run::k_noted_answer));
    }
}

void Runner::take_approval(const journal::Request& request) {
    const std::string& gate = request.detail["gate"].as_string();
    const auto open = find_open_gate(plan_, state_, gate);
    if (!open) {
        note(request, run::refusal(fmt::format("gate `{}` is not open", gate)));
        return;
    }
    answers_.push_back({request.number, "approved"});
    apply(approval_of(plan_, *open, request.author));
}

// Answers a request and records person, kind, text and answer.
void Runner::note(const journal::Request& request, const std::string& answer) {
    Json detail;
    detail.set("who", request.author).set("kind", request.kind);
    detail.set("text", request.detail["text"].as_string()).set("answer", answer);
    answers_.push_back({request.number, answer});
    apply({{EventType::run_noted}, std::move(detail)});
}

}  // namespace drydock::executor
