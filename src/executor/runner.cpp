// The loop of the runner: ask next(), carry out its commands, commit, send, wait for replies.
//
// One turn has a fixed order, and the order is the point:
//
//   take_requests()    people's requests become events
//   accept_new_work()  next() until it says nothing new; questions are submitted, events applied
//   commit()           all events of the turn in one record
//   send()             commands that depend on them leave
//
// So a command never leaves without its durable intent, and a crash between commit and send leaves
// an intent whose command never left: the next conductor asks the host. The other files of the
// class hold records, requests, results, progress and soaks.
#include "executor/runner.h"

#include "base/coverage_mark.h"
#include "executor/run_history.h"
#include "executor/unrestored_facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

using model::Action;
using run::Command;
using run::CommandKind;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

// A command whose guard looks at no facts has this long to begin after its judgement.
constexpr std::int64_t k_begin_ms_max = 10'000;
constexpr std::size_t k_batch_threshold =
    32;  // with this many actions in flight, replies are gathered
constexpr std::int64_t k_gather_ms = 20;
constexpr const char* k_remedy = "see `drydock log`; `drydock resume` tries it again";
constexpr std::int64_t k_tell_ms = 500;  // the shortest pause between two reports of a wait

// Joins the reason of a failure to the words of the cancellation of the last attempt. A failure by
// the cancellation itself has no other reason.
std::string with_cancellation(const std::string& cancelled, const Json& failure) {
    const std::string& reason = failure["because"].as_string();
    if (cancelled.empty()) {
        return reason;
    }
    const bool is_same = reason.empty() || failure["cancelled"].as_bool();
    return is_same ? cancelled : fmt::format("{}; {}", cancelled, reason);
}

// Marks the rare ways in which a run learns the outcome of an action. Tests report marks that were
// never reached.
void mark(const Event& event) {
    if (event.type == EventType::facts_read && event.purpose == Purpose::happened) {
        if (event.outcome == Outcome::yes) {
            COVERAGE_MARK("runner: the probe says that it happened");
        } else if (event.outcome == Outcome::no) {
            COVERAGE_MARK("runner: the probe says that it did not happen");
        } else {
            COVERAGE_MARK("runner: nobody can tell whether it happened");
        }
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::skip) {
        COVERAGE_MARK("runner: not for this cluster");
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::no) {
        COVERAGE_MARK("runner: it does not hold in time");
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::cannot_tell) {
        COVERAGE_MARK("runner: nobody can tell in time whether it holds");
    } else if (event.type == EventType::action_ended && event.outcome == Outcome::failed) {
        COVERAGE_MARK("runner: an action failed");
    } else if (event.type == EventType::run_halted) {
        COVERAGE_MARK("runner: halted");
    } else if (event.type == EventType::run_resumed) {
        COVERAGE_MARK("runner: resumed by a person");
    }
}

}  // namespace

Runner::Runner(const model::Plan& plan,
               run::State state,
               journal::Journal& journal,
               AgentPool& hosts,
               os::Clock& clock,
               run::Observer& observer,
               Settings settings)
    : plan_(plan)
    , program_(plan)
    , state_(std::move(state))
    , journal_(journal)
    , hosts_(hosts)
    , clock_(clock)
    , observer_(observer)
    , settings_(std::move(settings))
    , codec_(plan)
    , judge_(plan,
             state_,
             hosts,
             clock,
             settings_.inquiries ? settings_.inquiries
                                 : std::make_shared<ReadPlanCache>(plan.sources))
    , failures_(std::move(settings_.failures))
    , records_(settings_.records) {
}

// Applies an event at once; commit() makes it durable before anything that depends on it leaves.
void Runner::apply(Event event) {
    note_begin(event, state_, settings_.epoch, settings_.begin_epochs);
    run::apply(program_, state_, event);
    mark(event);
    if (is_failure(event)) {
        failures_[event.action] = event.detail;
    }
    pending_.push_back(std::move(event));
}

// Records the intent of an attempt. Facts read so far are void from now on, for the action may
// change them.
void Runner::begin(const Command& command) {
    cancelled_.erase(command.action);
    progress_.erase(command.action);
    apply({{EventType::action_intended,
            command.action,
            command.attempt,
            Outcome::none,
            Purpose::none},
           {}});
    judge_.forget_facts();
    to_send_.push_back(command);
}

// Asks the host for the outcome of an attempt, unless that request is under way.
void Runner::submit(const Command& command) {
    if (asking_.insert(command.action).second) {
        judge_.forget_facts();
        to_send_.push_back(command);
    }
}

// Builds the request of a command. An exec carries the head of the journal, which the host notes: a
// journal that lacks this head later is an older copy.
Json Runner::request_of(const Command& command) const {
    const Action& action = plan_.actions[command.action];
    Json request;
    request.set("run", settings_.run).set("action", action.id).set("attempt", command.attempt);
    if (const auto permission = permissions_.find(command.action);
        permission != permissions_.end()) {
        request.set("begin_by_ms", permission->second.until_ms);
    }
    if (command.kind == CommandKind::ask) {
        return request.set("do", "attach");
    }
    Json head;
    head.set("sequence", settings_.head.records).set("hash", to_hex(settings_.head.hash));
    request.set("head", std::move(head));
    return request.set("do", "exec").set("request", action.request);
}

// True if the facts that permitted the command have grown old, or may have while the clock stood
// still.
bool Runner::has_lapsed(const Command& command) const {
    const auto permission = permissions_.find(command.action);
    return permission == permissions_.end() || clock_.monotonic_ms() > permission->second.until_ms
           || permission->second.judged_ms < hosts_.clock_slipped_ms();
}

void Runner::send_one(const Command& command) {
    const Action& action = plan_.actions[command.action];
    const std::int64_t deadline = clock_.monotonic_ms() + action.silence_ms() + k_answer_grace_ms;
    const RequestId ticket = hosts_.submit(action.host, request_of(command), deadline);
    await_end(ticket,
              {command.action, command.attempt, deadline, command.kind == CommandKind::ask});
}

// Sends the commands of this turn. True if one was held back because its permission has lapsed: it
// is recorded as never begun, and its guards are judged anew.
bool Runner::send() {
    bool has_changed = false;
    for (const Command& command : std::exchange(to_send_, {})) {
        if (command.kind == CommandKind::begin && has_lapsed(command)) {
            COVERAGE_MARK("runner: a permission lapses before its command leaves");
            Json detail;
            detail.set("because", "the facts that permitted it grew old before it was sent");
            apply({{EventType::action_attached,
                    command.action,
                    command.attempt,
                    Outcome::none,
                    Purpose::none},
                   std::move(detail)});
            has_changed = true;
        } else {
            send_one(command);
        }
    }
    return has_changed;
}

// Words a halt at an action whose outcome no host could report.
Json Runner::unreached_detail(std::size_t index) const {
    COVERAGE_MARK("runner: nobody could be asked what became of it");
    const Action& action = plan_.actions[index];
    const bool forgotten = is_forgotten(index);
    Json result;
    result.set("action", action.id).set("source", action.source);
    result.set(
        "cause",
        fmt::format("{}: host {} {}: it may have ended, be under way still, or never have begun",
                    action.title,
                    action.host,
                    forgotten ? "has lost its records since it was to begin"
                              : "did not tell what became of it"));
    return result.set(
        "remedy",
        forgotten ? fmt::format("see on host {} what became of it, and that nothing works there; "
                                "`drydock resume` then takes it for never begun",
                                action.host)
                  : fmt::format("bring host {} back, or the way to it; `drydock resume` asks it "
                                "before anything is tried again",
                                action.host));
}

// True if the host remembers only epochs later than the one that began the action.
bool Runner::is_forgotten(std::size_t action) const {
    const auto begun = settings_.begin_epochs.find(action);
    return begun != settings_.begin_epochs.end()
           && hosts_.remembers_since(plan_.actions[action].host) > begun->second;
}

// Words a halt: the cause, the remedy and the evidence of the action that failed.
Json Runner::halt_detail(std::size_t index) const {
    if (state_.status(index) == run::Status::unreachable) {
        return unreached_detail(index);
    }
    const Action& action = plan_.actions[index];
    const auto last = failures_.find(index);
    const Json detail = last == failures_.end() ? Json() : last->second;
    const std::string reason = with_cancellation(cancelled_words(index), detail);
    Json result;
    result.set("action", action.id).set("source", action.source);
    result.set("cause",
               reason.empty()
                   ? fmt::format("{}: begun {} times, and nobody could tell how it ended",
                                 action.title,
                                 state_.attempt(index))
                   : fmt::format("{}: {}", action.title, reason));
    std::string remedy = detail["remedy"].as_string();
    remedy = remedy.empty() ? action.remedy : remedy;
    result.set("remedy", remedy.empty() ? k_remedy : remedy);
    result.set("evidence", detail["evidence"]);
    return result;
}

// Names the temporary facts that are not as they were; null if all are.
Json Runner::finish_detail() {
    Json left = read_left_behind(plan_, hosts_, clock_);
    return left.items().empty() ? Json() : Json(Json::Object{{"left_behind", std::move(left)}});
}

// Ends this run of the loop and answers the requests that waited for its end.
void Runner::end(EventType type, std::size_t action) {
    Json detail = type == EventType::run_halted   ? halt_detail(action)
                  : type == EventType::run_paused ? pause_detail()
                                                  : finish_detail();
    apply({{type, 0, 0, Outcome::none, Purpose::none}, std::move(detail)});
    for (const std::uint64_t number : std::exchange(waiting_requests_, {})) {
        answers_.push_back({number, run_state_of(state_.phase()).word});
    }
    ended_ = true;
}

// Carries out one command of next(). True if the state has changed, so that next() has to be called
// again.
bool Runner::dispatch(const Command& command) {
    switch (command.kind) {
    case CommandKind::judge:
        judge_.submit(command.action, command.purpose);
        return false;
    case CommandKind::begin:
        begin(command);  // no further command becomes possible by that
        return false;
    case CommandKind::ask:
        submit(command);
        return false;
    case CommandKind::soak:
        soak(command.action);
        return true;
    case CommandKind::await_soak:
        return await_soak(command.action);
    case CommandKind::await_person:
        return false;
    case CommandKind::pause:
        end(EventType::run_paused, 0);
        return true;
    case CommandKind::halt:
        end(EventType::run_halted, command.action);
        return true;
    case CommandKind::finish:
        end(EventType::run_finished, 0);
        return true;
    }
    return false;
}

// True if everything else has ended, and only a person can go on.
bool Runner::await_person(const std::vector<Command>& commands) const {
    return !commands.empty() && in_flight_.empty() && to_send_.empty()
           && std::all_of(commands.begin(), commands.end(), [](const Command& command) {
                  return command.kind == CommandKind::await_person;
              });
}

void Runner::drain(std::string purpose) {
    drained_for_ = std::move(purpose);
    run::request_pause(state_);
}

// Returns when time alone will change something.
std::int64_t Runner::next_due_ms() const {
    std::int64_t due = judge_.next_due_ms();
    for (const auto& [action, started_ms] : soak_started_) {
        if (state_.status(action) == run::Status::soaking) {
            due = std::min(due, started_ms + plan_.actions[action].soak_ms);
        }
    }
    return due;
}

std::int64_t Runner::wait_ms() const {
    const std::int64_t due = next_due_ms() - clock_.monotonic_ms();
    return std::clamp<std::int64_t>(due, 0, settings_.turn_ms_max);
}

// Reports a wait at most twice a second: the condition that is read, or a soak.
void Runner::report_wait(const std::vector<Command>& commands) {
    const std::int64_t now = clock_.monotonic_ms();
    if (now - told_ms_ < k_tell_ms) {
        return;
    }
    told_ms_ = now;
    std::string subject = judge_.waits_for();
    for (const Command& command : commands) {
        if (subject.empty() && command.kind == CommandKind::await_soak) {
            subject = "soak";
        }
    }
    observer_.on_wait(subject, plan_, state_);
}

// Where many hosts answer at about the same time, their answers share one commit.
void Runner::take_replies() {
    const bool is_crowded = in_flight_.size() >= k_batch_threshold;
    for (const Reply& reply : hosts_.poll(wait_ms(), is_crowded ? k_gather_ms : 0)) {
        on_reply(reply);
    }
}

// Turns a judgement into an event. A guard that held becomes a permission with an end.
void Runner::take_judgement(Judgement judgement) {
    const Event& event = judgement.event;
    if (event.purpose == Purpose::guard && event.outcome == Outcome::yes) {
        const std::int64_t now = clock_.monotonic_ms();
        permissions_[event.action] = {now,
                                      std::min(judgement.fresh_until_ms, now + k_begin_ms_max)};
    }
    apply(std::move(judgement.event));
}

// Carries out the commands of next() until none changes the state. True if commands are left.
bool Runner::accept_new_work() {
    bool has_changed = true;
    std::vector<Command> commands;
    while (has_changed && !ended_) {
        has_changed = false;
        run::next(program_, state_, commands);
        for (const Command& command : commands) {
            has_changed = dispatch(command) || has_changed;
        }
        for (Judgement& judgement : judge_.step(in_flight_.empty() && to_send_.empty())) {
            take_judgement(std::move(judgement));
            has_changed = true;
        }
    }
    report_wait(commands);
    waits_for_person_ = await_person(commands);
    return !commands.empty();
}

// Ends when the run ended, when there is nothing to do and nothing in flight, or when only a person
// can go on. A conductor that was superseded stops at once, before it does anything more.
Status Runner::run() {
    while (true) {
        DRYDOCK_TRY(take_requests());
        const bool has_commands = accept_new_work();
        DRYDOCK_TRY(commit());
        const bool has_lapse = send();
        cancel_in_flight();
        crash_if("sent");
        if (has_lapse) {
            continue;
        }
        if (ended_ || (!has_commands && in_flight_.empty()) || waits_for_person_) {
            return {};
        }
        take_replies();
        if (hosts_.superseded()) {
            COVERAGE_MARK("runner: displaced by a later conductor");
            return tl::unexpected(*hosts_.superseded());
        }
    }
}

}  // namespace drydock::executor
