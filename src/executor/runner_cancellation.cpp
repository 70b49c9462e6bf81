// The early end of actions when the run is to stop.
//
// The agent is asked once to end each attempt that can end early: at a safe place if the command
// can find one, else at once. The request is repeated only if the agent did not hear it or could
// not do it yet.
#include "agent/action.h"
#include "executor/runner.h"
#include "run/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

using model::Action;

// The pause between two requests to cancel an attempt that the agent could not cancel yet.
constexpr std::int64_t k_cancel_again_ms = 1'000;

// True if a pause need not wait for the end of the action.
bool can_end_early(const Action& action) {
    return action.cancellable || action.request["stop_within_ms"].as_int() > 0;
}

}  // namespace

// Asks each attempt in flight that may end early to end, once the run is to stop.
void Runner::cancel_in_flight() {
    if (state_.phase() != run::Phase::pausing) {
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    for (const auto& [ticket, flight] : in_flight_) {
        const Action& action = plan_.actions[flight.action];
        if (!can_end_early(action)) {
            continue;
        }
        Cancellation& cancellation = cancellations_[flight.action];
        if (cancellation.attempt != flight.attempt) {
            cancellation = {.attempt = flight.attempt};
        }
        if (cancellation.ticket != 0 || cancellation.is_answered || now < cancellation.ask_ms) {
            continue;
        }
        Json request;
        request.set("do", "cancel").set("run", settings_.run).set("action", action.id);
        request.set("attempt", flight.attempt);
        cancellation.ticket =
            hosts_.submit(action.host, std::move(request), now + k_answer_grace_ms);
    }
}

// A permanent refusal answers the request, too: the attempt cannot be cancelled at all.
void Runner::take_cancellation(const Reply& reply) {
    const auto entry =
        std::find_if(cancellations_.begin(), cancellations_.end(), [&](auto& candidate) {
            return candidate.second.ticket == reply.ticket;
        });
    if (entry == cancellations_.end()) {
        return;
    }
    Cancellation& cancellation = entry->second;
    cancellation.ticket = 0;
    cancellation.ask_ms = clock_.monotonic_ms() + k_cancel_again_ms;
    cancellation.is_answered =
        reply.kind == Reply::Kind::answer
        || (reply.kind == Reply::Kind::refused && reply.error.kind == ErrorClass::permanent);
}

// Returns the agent's findings in the form that halts and logs read.
Json Runner::detail_of_end(const InFlight& flight, const Json& result) {
    Json detail;
    detail.set("evidence", result["evidence"]);
    if (result.contains("error")) {
        detail.set("because", result["error"]["message"]).set("remedy", result["error"]["remedy"]);
    }
    if (result["cancelled"].as_bool()) {
        Json ending = result["evidence"];
        if (result["outcome"].as_string() == agent::k_outcomes.of(agent::Outcome::paused)) {
            ending.set("paused", true);
        }
        detail.set("cancelled", true).set("because", run::cancelled_text(ending));
        cancelled_[flight.action] = std::move(ending);
    }
    return detail;
}

// Returns "cancelled at 3.2 of 10 GB; goes on from there on resume"; empty if the action was not
// cancelled.
std::string Runner::cancelled_words(std::size_t action) const {
    const auto entry = cancelled_.find(action);
    if (entry == cancelled_.end() || run::is_over(state_.status(action))) {
        return {};
    }
    return abort_request_ ? run::cancelled_text(entry->second)
                          : run::cancelled_for_resume_text(entry->second);
}

// Lists the attempts that were cancelled for this pause.
Json Runner::pause_detail() const {
    std::string because;
    for (const auto& [index, evidence] : cancelled_) {
        const Action& action = plan_.actions[index];
        const std::string words = cancelled_words(index);
        if (!words.empty()) {
            because += fmt::format("{}{}{}: {}",
                                   because.empty() ? "" : "; ",
                                   action.member.empty() ? "" : action.member + ": ",
                                   action.title,
                                   words);
        }
    }
    Json detail;
    return because.empty() ? detail : detail.set("because", because);
}

}  // namespace drydock::executor
