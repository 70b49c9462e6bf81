// What the runner learns from hosts: answers, refusals, lines that broke, and silence.
#include "base/probe.h"
#include "conduct/runner.h"

namespace drydock::conduct {

namespace {

using run::Command;
using run::Do;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

Outcome outcome_from(const std::string& name) {
    if (name == "done") {
        return Outcome::done;
    }
    return name == "failed" ? Outcome::failed : Outcome::unknown;
}

Json detail_of(const Error& error) {
    Json detail;
    detail.set("code", error.code).set("because", error.message).set("remedy", error.remedy);
    return detail;
}

// What the agent found, in the form that halts and logs read.
Json detail_of_result(const Json& result) {
    Json detail;
    detail.set("evidence", result["evidence"]);
    if (result.contains("error")) {
        detail.set("because", result["error"]["message"]).set("remedy", result["error"]["remedy"]);
    }
    return detail;
}

}  // namespace

// An agent that was asked and knows no outcome cannot tell; one that does not answer might.
void Runner::take_ended(const InFlight& flight, const Json& answer) {
    const std::string& where = answer["state"].as_string();
    const Outcome told = outcome_from(answer["result"]["outcome"].as_string());
    if (where == "ended" && !(flight.asked && told == Outcome::unknown)) {
        apply({EventType::action_ended,
               flight.action,
               flight.attempt,
               told,
               Purpose::none,
               detail_of_result(answer["result"])});
    } else {
        const Outcome outcome = where == "none" ? Outcome::none : Outcome::torn;
        if (outcome == Outcome::none) {
            PROBE("runner: an action never began");
        } else {
            PROBE("runner: an action is torn");
        }
        if (!flight.asked) {
            apply({EventType::action_ended,
                   flight.action,
                   flight.attempt,
                   Outcome::unknown,
                   Purpose::none,
                   {}});
        }
        apply({EventType::action_attached,
               flight.action,
               flight.attempt,
               outcome,
               Purpose::none,
               {}});
    }
}

void Runner::ask_again(const InFlight& flight) {
    PROBE("runner: asked again after the line broke");
    asking_.insert(flight.action);
    const Command command = {Do::ask, flight.action, flight.attempt, Purpose::none};
    const std::string& host = plan_.actions[flight.action].host;
    in_flight_[hosts_.ask(host, request_of(command), flight.deadline_ms)] = flight;
}

// An exec that was refused never began; one that was lost may have. A question that was lost is
// asked again. A host that obeys a later conductor ends this one, before it does anything else.
void Runner::take_trouble(const InFlight& flight, const Reply& reply) {
    if (hosts_.displaced()) {
        return;  // nothing of what a displaced conductor hears counts
    }
    const bool lost = reply.kind == Reply::Kind::lost || reply.error.kind == ErrorClass::transient;
    if (flight.asked && lost && clock_.monotonic_ms() < flight.deadline_ms) {
        ask_again(flight);
        return;
    }
    const bool refused = reply.kind == Reply::Kind::refused && !flight.asked;
    if (refused) {
        PROBE("runner: refused by the host");
    } else {
        PROBE("runner: an answer is lost");
    }
    apply({EventType::action_ended,
           flight.action,
           flight.attempt,
           refused ? Outcome::failed : Outcome::unknown,
           Purpose::none,
           detail_of(reply.error)});
}

void Runner::take(const Reply& reply) {
    std::vector<Judgement> judgements;
    if (judge_.take(reply, judgements)) {
        for (Judgement& judgement : judgements) {
            take_judgement(std::move(judgement));
        }
        return;
    }
    const auto it = in_flight_.find(reply.ticket);
    if (it == in_flight_.end() || reply.kind == Reply::Kind::progress) {
        return;
    }
    const InFlight flight = it->second;
    in_flight_.erase(it);
    asking_.erase(flight.action);
    if (reply.kind == Reply::Kind::answer) {
        take_ended(flight, reply.body);
    } else {
        take_trouble(flight, reply);
    }
}

}  // namespace drydock::conduct
