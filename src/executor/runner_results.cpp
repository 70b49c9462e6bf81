// Results of actions, as hosts report them: answers, refusals, broken lines, and silence.
//
// An exec that is answered ends its action. Everything else is about doubt. A lost exec may have
// been carried out, so its outcome is unknown and next() asks the host (attach). An attach has four
// results: the action ended, is under way, never began, or began and its end is not known
// (interrupted). A host without records cannot say "never began"; its answer counts as none.
#include "agent/action.h"
#include "agent/host.h"
#include "base/coverage_mark.h"
#include "executor/runner.h"

namespace drydock::executor {

namespace {

using agent::ActionPhase;
using run::Command;
using run::CommandKind;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

constexpr std::int64_t k_says_so_ms = 5'000;  // an agent reports a running action every half second

Outcome outcome_from(const std::string& name) {
    switch (agent::k_outcomes.parse(name).value_or(agent::Outcome::unknown)) {
    case agent::Outcome::done:
        return Outcome::done;
    case agent::Outcome::failed:
        return Outcome::failed;
    case agent::Outcome::paused:
        return Outcome::paused;
    case agent::Outcome::unknown:
        break;
    }
    return Outcome::unknown;
}

Json detail_of(const Error& error) {
    Json detail;
    detail.set("code", error.code).set("because", error.message).set("remedy", error.remedy);
    return detail;
}

}  // namespace

// Takes the answer of a host. After an attach, an unknown outcome means that the agent cannot tell;
// a host that does not answer might still.
void Runner::on_result(const InFlight& flight, const Json& answer) {
    const auto phase = agent::k_action_phases.parse(answer["state"].as_string());
    const Outcome result_outcome = outcome_from(answer["result"]["outcome"].as_string());
    if (phase == ActionPhase::ended && !(flight.is_attach && result_outcome == Outcome::unknown)) {
        apply({EventType::action_ended,
               flight.action,
               flight.attempt,
               result_outcome,
               Purpose::none,
               detail_of_end(flight, answer["result"])});
    } else if (phase == ActionPhase::none && flight.is_attach && is_forgotten(flight.action)) {
        // Simulated hosts never lose their records; core.unrepeatable_test comes here.
        apply({EventType::action_ended,
               flight.action,
               flight.attempt,
               Outcome::unknown,
               Purpose::none,
               {}});
    } else {
        const Outcome outcome = phase == ActionPhase::none ? Outcome::none : Outcome::interrupted;
        if (outcome == Outcome::none) {
            COVERAGE_MARK("runner: an action never began");
        } else {
            COVERAGE_MARK("runner: an action is torn");
        }
        if (!flight.is_attach) {
            apply({EventType::action_ended,
                   flight.action,
                   flight.attempt,
                   Outcome::unknown,
                   Purpose::none,
                   {}});
        }
        // A conductor that died may have missed the cancellation, so it is reported now.
        const Json& result = answer["result"];
        const bool is_news = result["cancelled"].as_bool() && !cancelled_.contains(flight.action);
        apply({EventType::action_attached,
               flight.action,
               flight.attempt,
               outcome,
               Purpose::none,
               is_news ? detail_of_end(flight, result) : Json()});
    }
}

void Runner::submit_again(const InFlight& flight) {
    COVERAGE_MARK("runner: asked again after the line broke");
    asking_.insert(flight.action);
    const Command command = {CommandKind::ask, flight.action, flight.attempt, Purpose::none};
    const std::string& host = plan_.actions[flight.action].host;
    await_end(hosts_.submit(host, request_of(command), flight.deadline_ms), flight);
}

// Takes the loss or refusal of a request. An exec that was refused never began; one that was lost
// may have. A lost attach is sent again. A host that obeys a later conductor ends this one before
// it does anything else.
void Runner::on_failed_reply(const InFlight& flight, const Reply& reply) {
    if (hosts_.superseded()) {
        return;  // a superseded conductor must not believe its replies
    }
    const bool is_lost =
        reply.kind == Reply::Kind::lost || reply.error.kind == ErrorClass::transient;
    if (flight.is_attach && is_lost && clock_.monotonic_ms() < flight.deadline_ms) {
        submit_again(flight);
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    if (flight.is_attach && flight.running_ms >= 0 && now - flight.running_ms < k_says_so_ms) {
        Json detail;
        detail.set("because", "its host says that it is under way still, long after its time");
        apply({EventType::action_ended,
               flight.action,
               flight.attempt,
               Outcome::running,
               Purpose::none,
               std::move(detail)});
        return;
    }
    const bool is_refused = reply.kind == Reply::Kind::refused && !flight.is_attach
                            && reply.error.kind != ErrorClass::unknown_outcome;
    if (is_refused) {
        COVERAGE_MARK("runner: refused by the host");
    } else {
        COVERAGE_MARK("runner: an answer is lost");
    }
    apply({EventType::action_ended,
           flight.action,
           flight.attempt,
           is_refused ? Outcome::failed : Outcome::unknown,
           Purpose::none,
           detail_of(reply.error)});
}

// Sorts a reply: to a reading, to a command in flight, or to a cancellation.
void Runner::on_reply(const Reply& reply) {
    std::vector<Judgement> judgements;
    if (judge_.on_reply(reply, judgements)) {
        for (Judgement& judgement : judgements) {
            take_judgement(std::move(judgement));
        }
        return;
    }
    const auto entry = in_flight_.find(reply.ticket);
    if (entry == in_flight_.end()) {
        take_cancellation(reply);
        return;
    }
    if (reply.kind == Reply::Kind::progress) {
        entry->second.running_ms = clock_.monotonic_ms();
        on_progress(reply.ticket, entry->second, reply.body);
        return;
    }
    const InFlight flight = entry->second;
    in_flight_.erase(entry);
    asking_.erase(flight.action);
    if (reply.kind == Reply::Kind::answer) {
        on_result(flight, reply.body);
    } else {
        on_failed_reply(flight, reply);
    }
}

}  // namespace drydock::executor
