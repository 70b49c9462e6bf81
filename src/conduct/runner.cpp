#include "conduct/runner.h"

#include "base/probe.h"
#include "conduct/history.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

namespace drydock::conduct {

namespace {

using model::Action;
using run::Command;
using run::Do;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

// A command whose guard looks at no facts has so long to begin after its judgement.
constexpr std::int64_t k_begin_ms_max = 10'000;
// By how much two clocks that tell whole milliseconds may seem to run further together.
constexpr std::int64_t k_clocks_ms = 2;
// So long a journal that another process keeps locked is asked again.
constexpr std::int64_t k_busy_ms_max = 60'000;
constexpr std::int64_t k_busy_pause_ms = 50;
constexpr std::size_t k_crowd = 32;  // actions in flight from which on answers are gathered
constexpr std::int64_t k_gather_ms = 20;
constexpr const char* k_remedy = "see `drydock log`; `drydock resume` tries it again";
constexpr std::int64_t k_tell_ms = 500;  // how often a listener hears what is waited for

// Why an action failed, behind the cancellation of its last attempt.
std::string with_cancellation(const std::string& cancelled, const Json& because) {
    const std::string& why = because.as_string();
    if (cancelled.starts_with(why)) {
        return cancelled;
    }
    return cancelled.empty() ? why : fmt::format("{}; {}", cancelled, why);
}

// The rare ways in which a run learns what became of an action.
void mark(const Event& event) {
    if (event.type == EventType::facts_read && event.purpose == Purpose::happened) {
        if (event.outcome == Outcome::yes) {
            PROBE("runner: the probe says that it happened");
        } else if (event.outcome == Outcome::no) {
            PROBE("runner: the probe says that it did not happen");
        } else {
            PROBE("runner: nobody can tell whether it happened");
        }
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::skip) {
        PROBE("runner: not for this cluster");
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::no) {
        PROBE("runner: it does not hold in time");
    } else if (event.type == EventType::facts_read && event.outcome == Outcome::cannot_tell) {
        PROBE("runner: nobody can tell in time whether it holds");
    } else if (event.type == EventType::action_ended && event.outcome == Outcome::failed) {
        PROBE("runner: an action failed");
    } else if (event.type == EventType::run_halted) {
        PROBE("runner: halted");
    } else if (event.type == EventType::run_resumed) {
        PROBE("runner: resumed by a person");
    }
}

}  // namespace

Runner::Runner(const model::Plan& plan,
               run::State state,
               journal::Journal& journal,
               Hosts& hosts,
               os::Clock& clock,
               Listener& listener,
               Settings settings)
    : plan_(plan)
    , program_(plan)
    , state_(std::move(state))
    , journal_(journal)
    , hosts_(hosts)
    , clock_(clock)
    , listener_(listener)
    , settings_(std::move(settings))
    , codec_(plan)
    , judge_(plan,
             state_,
             hosts,
             clock,
             settings_.inquiries ? settings_.inquiries : std::make_shared<Inquiries>(plan.sources))
    , failures_(std::move(settings_.failures))
    , records_(settings_.records) {
}

void crash_at(const Crash& crash,
              std::uint64_t record,
              const std::vector<Event>& events,
              std::string_view where) {
    const bool is_named = std::any_of(events.begin(), events.end(), [&](const Event& event) {
        return run::name_of(event.type) == crash.event;
    });
    if (crash.where == where && (is_named || (crash.record > 0 && crash.record == record))) {
        ::kill(::getpid(), SIGKILL);
    }
}

void Runner::crash_if(std::string_view where) const {
    const bool dies_now = settings_.crash.record == records_ && settings_.crash.where == where;
    if (where == "sent" && dies_now) {
        (void)hosts_.poll(0);  // what was asked for leaves this process
    }
    crash_at(settings_.crash, records_, pending_, where);
}

journal::RunState run_state_of(run::Phase phase) {
    switch (phase) {
    case run::Phase::created:
    case run::Phase::running:
    case run::Phase::pausing:
        return {"running"};
    case run::Phase::paused:
        return {"paused"};
    case run::Phase::halted:
        return {"halted"};
    case run::Phase::finished:
        return {"finished", true};
    case run::Phase::returned:
        return {"returned", true};
    case run::Phase::aborted:
        return {"aborted", true};
    }
    return {};
}

void Runner::apply(Event event) {
    run::apply(program_, state_, event);
    mark(event);
    if (is_failure(event)) {
        failures_[event.action] = event.detail;
    }
    pending_.push_back(std::move(event));
}

journal::Entry Runner::entry_of(const std::vector<Event>& events) const {
    journal::Entry entry;
    entry.wall_ms = clock_.wall_ms();
    entry.events.reserve(events.size());
    for (const Event& event : events) {
        entry.events.push_back(codec_.encode(event));
    }
    if (state_.phase() != recorded_) {
        entry.state = run_state_of(state_.phase());
    }
    entry.answers = answers_;
    return entry;
}

// The same entry again, as long as another process keeps the journal locked, and once more if
// nobody knows whether it was written: the journal writes it once.
Status Runner::append(const journal::Entry& entry) {
    const std::int64_t deadline = clock_.monotonic_ms() + k_busy_ms_max;
    bool again = true;
    while (true) {
        auto head = journal_.append(settings_.run, settings_.head, entry);
        if (head) {
            settings_.head = *head;
            return {};
        }
        const bool busy = head.error().kind == ErrorClass::transient;
        const bool unknown = head.error().kind == ErrorClass::unknown_outcome;
        if (busy && clock_.monotonic_ms() < deadline) {
            PROBE("runner: the journal is busy");
            hosts_.pass_time(k_busy_pause_ms);
        } else if (unknown && std::exchange(again, false)) {
            PROBE("runner: the journal's answer is lost");
        } else {
            return tl::unexpected(head.error());
        }
    }
}

// One commit for all that happened in this turn.
Status Runner::commit() {
    if (pending_.empty()) {
        return {};
    }
    const journal::Entry entry = entry_of(pending_);
    ++records_;
    crash_if("before");
    DRYDOCK_TRY(append(entry));
    recorded_ = state_.phase();
    answers_.clear();
    crash_if("after");
    for (const Event& event : std::exchange(pending_, {})) {
        listener_.on_event(event, state_);
    }
    return {};
}

Status Runner::record(const Event& event) {
    apply(event);
    return commit();
}

void Runner::begin(const Command& command) {
    cancelled_.erase(command.action);
    progress_.erase(command.action);
    apply({{EventType::action_intended,
            command.action,
            command.attempt,
            Outcome::none,
            Purpose::none},
           {}});
    to_send_.push_back(command);
}

void Runner::ask(const Command& command) {
    if (asking_.insert(command.action).second) {
        to_send_.push_back(command);
    }
}

Json Runner::request_of(const Command& command) const {
    const Action& action = plan_.actions[command.action];
    Json request;
    request.set("run", settings_.run).set("action", action.id).set("attempt", command.attempt);
    if (const auto found = permissions_.find(command.action); found != permissions_.end()) {
        request.set("begin_by_ms", found->second.until_ms);
    }
    if (command.what == Do::ask) {
        return request.set("do", "attach");
    }
    return request.set("do", "exec").set("request", action.request);
}

// The facts that let it begin have grown old, or may have while the clock stood still.
bool Runner::has_lapsed(const Command& command) const {
    const auto found = permissions_.find(command.action);
    return found == permissions_.end() || clock_.monotonic_ms() > found->second.until_ms
           || found->second.judged_ms < hosts_.clock_slipped_ms();
}

void Runner::send_one(const Command& command) {
    const Action& action = plan_.actions[command.action];
    const std::int64_t deadline = clock_.monotonic_ms() + action.silence_ms() + k_answer_grace_ms;
    const Ticket ticket = hosts_.ask(action.host, request_of(command), deadline);
    await_end(ticket, {command.action, command.attempt, deadline, command.what == Do::ask});
}

// True if a command was not sent, because what permitted it is no longer so.
bool Runner::send() {
    bool changed = false;
    for (const Command& command : std::exchange(to_send_, {})) {
        if (command.what == Do::begin && has_lapsed(command)) {
            PROBE("runner: a permission lapses before its command leaves");
            Json detail;
            detail.set("because", "the facts that permitted it grew old before it was sent");
            apply({{EventType::action_attached,
                    command.action,
                    command.attempt,
                    Outcome::none,
                    Purpose::none},
                   std::move(detail)});
            changed = true;
        } else {
            send_one(command);
        }
    }
    return changed;
}

// Clocks of other boots are those of the hosts: a wall clock that is set ends no soak.
void Runner::soak(std::size_t action) {
    soak_started_[action] = clock_.monotonic_ms();
    Json clocks = hosts_.clocks();
    clocks.set(settings_.boot_id, clock_.monotonic_ms());
    Json detail;
    detail.set("clocks", std::move(clocks)).set("wall_ms", clock_.wall_ms());
    apply({{EventType::soak_started, action, 0, Outcome::none, Purpose::none}, std::move(detail)});
}

// The part of a soak that other conductors saw: as much as a clock tells that has run ever since.
void Runner::set_soak_started(std::size_t action, const Json& detail) {
    Json now = hosts_.clocks();
    now.set(settings_.boot_id, clock_.monotonic_ms());
    std::int64_t elapsed = 0;
    for (const auto& [boot, then_ms] : detail["clocks"].members()) {
        if (now.contains(boot)) {
            elapsed = std::max(elapsed, now[boot].as_int() - then_ms.as_int() - k_clocks_ms);
        }
    }
    soak_started_[action] = clock_.monotonic_ms() - elapsed;
}

bool Runner::await_soak(std::size_t action) {
    const std::int64_t now = clock_.monotonic_ms();
    const std::int64_t elapsed = now - soak_started_.emplace(action, now).first->second;
    if (elapsed < plan_.actions[action].soak_ms) {
        return false;
    }
    Json detail;
    detail.set("gate", plan_.actions[action].gate).set("words", plan_.actions[action].reason);
    apply({{EventType::gate_opened, action, 0, Outcome::none, Purpose::none}, std::move(detail)});
    return true;
}

Json Runner::halt_detail(std::size_t index) const {
    const Action& action = plan_.actions[index];
    const auto last = failures_.find(index);
    const Json detail = last == failures_.end() ? Json() : last->second;
    const std::string why = with_cancellation(cancelled_words(index), detail["because"]);
    Json out;
    out.set("action", action.id).set("source", action.source);
    if (state_.status(index) == run::Status::unreached) {
        PROBE("runner: nobody could be asked what became of it");
        return out
            .set("cause",
                 fmt::format("{}: host {} did not tell what became of it: it may have ended, be "
                             "under way still, or never have begun",
                             action.title,
                             action.host))
            .set(
                "remedy",
                fmt::format("bring host {} back, or the way to it; `drydock resume` asks it before "
                            "anything is tried again",
                            action.host));
    }
    out.set("cause",
            why.empty() ? fmt::format("{}: begun {} times, and nobody could tell how it ended",
                                      action.title,
                                      state_.attempt(index))
                        : fmt::format("{}: {}", action.title, why));
    std::string remedy = detail["remedy"].as_string();
    remedy = remedy.empty() ? action.remedy : remedy;
    out.set("remedy", remedy.empty() ? k_remedy : remedy);
    out.set("evidence", detail["evidence"]);
    return out;
}

void Runner::end(EventType type, std::size_t action) {
    Json detail = type == EventType::run_halted   ? halt_detail(action)
                  : type == EventType::run_paused ? pause_detail()
                                                  : Json();
    apply({{type, 0, 0, Outcome::none, Purpose::none}, std::move(detail)});
    for (const std::uint64_t number : std::exchange(waiting_requests_, {})) {
        answers_.push_back({number, run_state_of(state_.phase()).word});
    }
    ended_ = true;
}

// True if the state has changed, so that next() has to be asked again.
bool Runner::carry_out(const Command& command) {
    switch (command.what) {
    case Do::judge:
        judge_.ask(command.action, command.purpose);
        return false;
    case Do::begin:
        begin(command);  // and nothing else can begin because of that
        return false;
    case Do::ask:
        ask(command);
        return false;
    case Do::soak:
        soak(command.action);
        return true;
    case Do::await_soak:
        return await_soak(command.action);
    case Do::await_person:
        return false;
    case Do::pause:
        end(EventType::run_paused, 0);
        return true;
    case Do::halt:
        end(EventType::run_halted, command.action);
        return true;
    case Do::finish:
        end(EventType::run_finished, 0);
        return true;
    }
    return false;
}

// Everything else has ended, and only people can go on.
bool Runner::await_person(const std::vector<Command>& commands) const {
    return !commands.empty() && in_flight_.empty() && to_send_.empty()
           && std::all_of(commands.begin(), commands.end(), [](const Command& one) {
                  return one.what == Do::await_person;
              });
}

void Runner::drain() {
    run::request_pause(state_);
}

// When time alone will have changed something.
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

void Runner::tell_wait(const std::vector<Command>& commands) {
    const std::int64_t now = clock_.monotonic_ms();
    if (now - told_ms_ < k_tell_ms) {
        return;
    }
    told_ms_ = now;
    std::string what = judge_.waits_for();
    for (const Command& command : commands) {
        if (what.empty() && command.what == Do::await_soak) {
            what = "soak";
        }
    }
    listener_.on_wait(what, state_);
}

// Where many hosts answer at about the same time, their answers share a commit.
void Runner::take_replies() {
    const bool crowd = in_flight_.size() >= k_crowd;
    for (const Reply& reply : hosts_.poll(wait_ms(), crowd ? k_gather_ms : 0)) {
        take(reply);
    }
}

void Runner::take_judgement(Judgement judgement) {
    const Event& event = judgement.event;
    if (event.purpose == Purpose::guard && event.outcome == Outcome::yes) {
        const std::int64_t now = clock_.monotonic_ms();
        permissions_[event.action] = {now,
                                      std::min(judgement.fresh_until_ms, now + k_begin_ms_max)};
    }
    apply(std::move(judgement.event));
}

// Carries out what next() says until it says nothing new; true if commands are left.
bool Runner::give_out() {
    bool changed = true;
    std::vector<Command> commands;
    while (changed && !ended_) {
        changed = false;
        run::next(program_, state_, commands);
        for (const Command& command : commands) {
            changed = carry_out(command) || changed;
        }
        for (Judgement& judgement : judge_.step()) {
            take_judgement(std::move(judgement));
            changed = true;
        }
    }
    tell_wait(commands);
    waits_for_person_ = await_person(commands);
    return !commands.empty();
}

Status Runner::run() {
    while (true) {
        DRYDOCK_TRY(take_requests());
        const bool has_commands = give_out();
        DRYDOCK_TRY(commit());
        const bool lapsed = send();
        cancel_in_flight();
        crash_if("sent");
        if (lapsed) {
            continue;
        }
        if (ended_ || (!has_commands && in_flight_.empty()) || waits_for_person_) {
            return {};
        }
        take_replies();
        if (hosts_.displaced()) {
            PROBE("runner: displaced by a later conductor");
            return tl::unexpected(*hosts_.displaced());
        }
    }
}

}  // namespace drydock::conduct
