#include "conduct/runner.h"

#include "base/probe.h"

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

// Added to an action's own limit before the conductor stops waiting for the agent to tell how it
// ended.
// By how much two clocks that tell whole milliseconds may seem to run further together.
constexpr std::int64_t k_clocks_ms = 2;
constexpr std::int64_t k_answer_grace_ms = 20'000;
// What has not begun so long after it was sent never begins (the agent says `none`): what let it
// begin was read just before, and grows old on a connection that holds the command back.
constexpr std::int64_t k_begin_ms_max = 10'000;
constexpr std::size_t k_crowd = 32;  // actions in flight from which on answers are gathered
constexpr std::int64_t k_gather_ms = 20;
constexpr const char* k_remedy = "see `drydock log`; `drydock resume` tries it again";
constexpr std::int64_t k_tell_ms = 500;  // how often a listener hears what is waited for

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
             settings_.inquiries ? settings_.inquiries
                                 : std::make_shared<Inquiries>(plan.sources)) {
}

void Runner::crash_if(const char* where) const {
    const Crash& crash = settings_.crash;
    const bool named = std::any_of(pending_.begin(), pending_.end(), [&](const Event& event) {
        return run::name_of(event.type) == crash.event;
    });
    if (crash.where == where && (named || (crash.record > 0 && crash.record == records_))) {
        if (crash.where == "sent") {
            (void)hosts_.poll(0);  // what was asked for leaves this process
        }
        ::kill(::getpid(), SIGKILL);
    }
}

void Runner::apply(Event event) {
    run::apply(program_, state_, event);
    mark(event);
    const bool trouble = event.outcome != Outcome::yes && event.outcome != Outcome::done
                         && event.outcome != Outcome::skip;
    if (trouble && !event.detail.is_null()) {
        last_detail_[event.action] = event.detail;
    }
    pending_.push_back(std::move(event));
}

// One commit for all that happened in this turn.
Status Runner::commit() {
    if (pending_.empty()) {
        return {};
    }
    std::vector<Json> events;
    events.reserve(pending_.size());
    for (const Event& event : pending_) {
        events.push_back(codec_.encode(event));
    }
    ++records_;
    crash_if("before");
    if (auto head = journal_.append(settings_.run, clock_.wall_ms(), events); !head) {
        return tl::unexpected(head.error());
    }
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
    if (const auto by = begin_by_.find(command.action); by != begin_by_.end()) {
        request.set("begin_by_ms", by->second);
    }
    if (command.what == Do::ask) {
        return request.set("do", "attach");
    }
    return request.set("do", "exec").set("epoch", settings_.epoch).set("request", action.request);
}

void Runner::send() {
    for (const Command& command : std::exchange(to_send_, {})) {
        const Action& action = plan_.actions[command.action];
        const std::int64_t now = clock_.monotonic_ms();
        const std::int64_t deadline = now + action.within_ms + k_answer_grace_ms;
        if (command.what == Do::begin) {
            begin_by_[command.action] = now + k_begin_ms_max;
        }
        const Ticket ticket = hosts_.ask(action.host, request_of(command));
        in_flight_[ticket] = {command.action, command.attempt, deadline, command.what == Do::ask};
    }
}

void Runner::soak(std::size_t action) {
    soak_started_[action] = clock_.monotonic_ms();
    Json detail;
    detail.set("wall_ms", clock_.wall_ms());
    apply({{EventType::soak_started, action, 0, Outcome::none, Purpose::none}, std::move(detail)});
}

// The part of a soak that other conductors saw is known by the wall clock only.
void Runner::set_soak_started(std::size_t action, std::int64_t wall_ms) {
    const std::int64_t elapsed =
        std::max<std::int64_t>(clock_.wall_ms() - wall_ms - k_clocks_ms, 0);
    soak_started_[action] = clock_.monotonic_ms() - elapsed;
}

bool Runner::await_soak(std::size_t action) {
    const std::int64_t elapsed = clock_.monotonic_ms() - soak_started_[action];
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
    const auto last = last_detail_.find(index);
    const Json detail = last == last_detail_.end() ? Json() : last->second;
    const std::string why = detail["because"].as_string();
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
    Json detail = type == EventType::run_halted ? halt_detail(action) : Json();
    apply({{type, 0, 0, Outcome::none, Purpose::none}, std::move(detail)});
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
    return !commands.empty() && in_flight_.empty()
           && std::all_of(commands.begin(), commands.end(), [](const Command& one) {
                  return one.what == Do::await_person;
              });
}

void Runner::turn_time() {
    give_up_late();
    if (!pause_seen_ && settings_.pause_requested && settings_.pause_requested()) {
        pause_seen_ = true;
        run::request_pause(state_);
    }
}

// When time alone will have changed something.
std::int64_t Runner::next_due_ms() const {
    std::int64_t due = judge_.next_due_ms();
    for (const auto& [ticket, flight] : in_flight_) {
        due = std::min(due, flight.deadline_ms + 1);
    }
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

Status Runner::run() {
    while (true) {
        turn_time();
        bool changed = true;
        std::vector<Command> commands;
        while (changed && !ended_) {
            changed = false;
            run::next(program_, state_, commands);
            for (const Command& command : commands) {
                changed = carry_out(command) || changed;
            }
            for (Event& event : judge_.step()) {
                apply(std::move(event));
                changed = true;
            }
        }
        DRYDOCK_TRY(commit());
        send();
        crash_if("sent");
        if (ended_ || (commands.empty() && in_flight_.empty()) || await_person(commands)) {
            return {};
        }
        tell_wait(commands);
        take_replies();
        if (displaced_) {
            return tl::unexpected(*displaced_);
        }
    }
}

}  // namespace drydock::conduct
