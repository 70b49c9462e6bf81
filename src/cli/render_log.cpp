// Renders events as lines: for `log`, and for a run whose output is no terminal.
//
// event_words() writes for people and leaves out events that only the machine needs. log_words()
// keeps every event, for people in search of a cause. All texts pass one_line(), because details
// come from hosts.
#include "base/text.h"
#include "cli/plan_summary.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/visible.h"
#include "run/progress.h"
#include "run/request.h"

namespace drydock::cli {

namespace {

using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

constexpr std::string_view k_goes_on = " (the run goes on without it)";

// Finds the sentence in an event's detail. Writers of different kinds use different keys for it.
std::string reason_in(const Json& detail) {
    for (const char* pointer : {"/because", "/cause", "/error/message", "/message"}) {
        const Json* reason = detail.find(pointer);
        if (reason != nullptr && reason->is_string() && !reason->as_string().empty()) {
            return reason->as_string();
        }
    }
    return {};
}

std::string with_reason(const std::string& words, const Json& detail) {
    const std::string reason = reason_in(detail);
    return reason.empty() ? words : words + ": " + reason;
}

// A cancelled action has an unknown outcome by intent, so its reason is shown and no alarm.
std::string ended_words(Outcome outcome, const Json& detail) {
    if (outcome == Outcome::done) {
        return "done";
    }
    const bool is_unknown = outcome == Outcome::unknown;
    if (outcome == Outcome::paused || (detail["cancelled"].as_bool() && is_unknown)) {
        return reason_in(detail);
    }
    const char* words = outcome == Outcome::failed ? "FAILED" : "nobody knows whether it happened";
    return with_reason(words, detail);
}

// Words for an action that a new conductor found on its host.
std::string attached_words(Outcome outcome) {
    return outcome == Outcome::running ? "still runs; waiting for its end"
           : outcome == Outcome::none  ? "was never begun"
                                       : "was begun, and its end is not known";
}

// Conditions that hold are silent where another line follows: a guard is followed by its action.
std::string judged_words(const Event& event, const model::Action& action) {
    switch (event.outcome) {
    case Outcome::skip:
        return "not needed";
    case Outcome::yes:
        if (event.purpose == Purpose::guard) {
            return action.request.is_null() && !action.is_gate() && action.postconditions.empty()
                       ? "holds"
                       : "";
        }
        return event.purpose == Purpose::then ? "seen" : "has happened";
    case Outcome::no:
        return with_reason(event.purpose == Purpose::happened ? "has not happened"
                                                              : "DOES NOT HOLD",
                           event.detail);
    case Outcome::cannot_tell:
        return with_reason("cannot be told", event.detail);
    case Outcome::none:
    case Outcome::done:
    case Outcome::failed:
    case Outcome::unknown:
    case Outcome::running:
    case Outcome::interrupted:
    case Outcome::paused:
        break;
    }
    return "";
}

std::string by_whom(const Json& detail) {
    const std::string& person = detail["who"].as_string();
    return person.empty() ? "" : " by " + person;
}

// Names the temporary facts that an end leaves other than they were.
std::string left_behind_words(const Json& detail) {
    std::string words;
    for (const Json& fact : detail["left_behind"].items()) {
        words += say("{} {} is {}, was {}",
                     words.empty() ? "; not as before:" : ",",
                     fact["fact"].as_string(),
                     fact["found"].as_string(),
                     fact["expected"].as_string());
    }
    return words;
}

// A note shows its text, any other request its kind. That it was noted says nothing new.
std::string noted_words(const Json& detail) {
    const std::string& answer = detail["answer"].as_string();
    const std::string words = detail["kind"].as_string() == name_of(run::RequestKind::note)
                                  ? detail["text"].as_string()
                                  : detail["kind"].as_string();
    return say("{}: {}{}",
               detail["who"].as_string(),
               words,
               answer.empty() || answer == run::k_noted_answer ? "" : ", " + answer);
}

// A report with nothing in it is recorded at the end of a wait.
std::string progress_words(const Json& detail) {
    const std::string words = run::report_text(detail);
    return words.empty() ? "waits no more" : words;
}

// Returns the words of an event about an action; empty for events about the run. All types are
// listed, so that the compiler reports a new one.
std::string action_words(const Event& event, const model::Action& action) {
    switch (event.type) {
    case EventType::action_intended:
        return event.attempt > 1 ? say("begun, attempt {}", event.attempt) : "begun";
    case EventType::action_ended:
        return ended_words(event.outcome, event.detail);
    case EventType::action_attached:
        return attached_words(event.outcome);
    case EventType::facts_read:
        return judged_words(event, action);
    case EventType::soak_started:
        return say("soak of {}", about(action.soak_ms));
    case EventType::gate_opened:
        return "waits for a person";
    case EventType::gate_approved:
        return say("approved{}: {}", by_whom(event.detail), event.detail["words"].as_string());
    case EventType::action_progress:
        return progress_words(event.detail);
    case EventType::run_noted:
    case EventType::run_created:
    case EventType::conductor_started:
    case EventType::drift_found:
    case EventType::run_paused:
    case EventType::run_resumed:
    case EventType::run_halted:
    case EventType::run_finished:
    case EventType::run_returned:
    case EventType::run_aborted:
        break;
    }
    return "";
}

// True if the action failed and is optional, so that its failure does not halt the run.
bool goes_on_without(const Event& event, const model::Action& action) {
    const bool failed = event.outcome == Outcome::failed || event.outcome == Outcome::no
                        || event.outcome == Outcome::cannot_tell;
    return action.optional && failed;
}

// Returns "; hop 2 of the journey 20261121-205840-7f3a to 3.6.1", or nothing for a run of no
// journey.
std::string of_journey(const Json& detail) {
    const Json& journey = detail["journey"];
    const auto& stops = journey["stops"].items();
    return stops.empty() ? ""
                         : say("; hop {} of the journey {} to {}",
                               journey["hop"].as_int(),
                               journey["id"].as_string(),
                               stops.back().as_string());
}

// Returns the words of an event about the run; empty for events about an action.
std::string run_words(const Event& event) {
    switch (event.type) {
    case EventType::run_created:
        return "the run begins" + by_whom(event.detail) + of_journey(event.detail);
    case EventType::conductor_started:
        return "a conductor takes the run" + by_whom(event.detail);
    case EventType::drift_found:
        return with_reason("the world moved", event.detail);
    case EventType::run_paused:
        return with_reason("paused", event.detail);
    case EventType::run_resumed:
        return "goes on" + by_whom(event.detail);
    case EventType::run_halted:
        return with_reason("HALTED", event.detail);
    case EventType::run_finished:
        return "finished" + left_behind_words(event.detail);
    case EventType::run_returned:
        return "taken back";
    case EventType::run_aborted:
        return "given up" + by_whom(event.detail) + left_behind_words(event.detail);
    case EventType::run_noted:
        return noted_words(event.detail);
    case EventType::action_progress:
    case EventType::action_intended:
    case EventType::action_ended:
    case EventType::action_attached:
    case EventType::facts_read:
    case EventType::soak_started:
    case EventType::gate_opened:
    case EventType::gate_approved:
        break;
    }
    return "";
}

// Keeps the machine's own words for purpose and outcome, so that a line can be searched in the
// journal.
std::string log_words(const Json& event) {
    std::string words;
    for (const char* key : {"purpose", "outcome"}) {
        words += event[key].is_null() ? "" : event[key].show() + " ";
    }
    if (event["attempt"].as_int() > 1) {
        words += "attempt " + event["attempt"].show() + " ";
    }
    words += by_whom(event["detail"]) + of_journey(event["detail"]);
    words += run::report_text(event["detail"]);
    const std::string reason = reason_in(event["detail"]);
    return trim(reason.empty() ? words : words + " " + reason);
}

}  // namespace

// A gate is called by its name and any other action by its words, each with its member before it.
std::string event_words(const Event& event, const model::Plan& plan) {
    const std::string about_run = run_words(event);
    if (!about_run.empty() || event.action >= plan.actions.size()) {
        return one_line(about_run);
    }
    const model::Action& action = plan.actions[event.action];
    const std::string words = action_words(event, action);
    if (words.empty()) {
        return "";
    }
    const std::string member = action.member.empty() ? "" : action.member + ": ";
    const std::string title =
        action.is_gate() ? say("gate \"{}\"", action.gate) : words_of(action, plan);
    return one_line(member + title + ": " + words
                    + std::string(goes_on_without(event, action) ? k_goes_on : ""));
}

// Reasons are cut at the width of the screen: one event is one line, as in the journal.
std::string render_log(const std::vector<app::LogLine>& lines, const Screen& screen) {
    Table table;
    for (const app::LogLine& line : lines) {
        table.add({std::to_string(line.sequence),
                   show_time(line.wall_ms),
                   line.event["type"].as_string(),
                   line.event["action"].as_string(),
                   shorten(log_words(line.event), std::max<std::size_t>(screen.width, 60))});
    }
    return lines.empty() ? "no events\n" : table.text(0);
}

}  // namespace drydock::cli
