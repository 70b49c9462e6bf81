#include "app/conducting.h"

#include "base/text.h"
#include "transport/local/local.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace drydock::app {

namespace {

using run::Event;
using run::EventType;

// DRYDOCK_CRASH="17:before", or "run.finished:after": where a test ends the process.
conduct::Crash crash_from_environment() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* text = std::getenv("DRYDOCK_CRASH");
    const auto parts = split(text != nullptr ? text : "", ':');
    if (parts.size() != 2) {
        return {};
    }
    const std::uint64_t record = std::strtoull(parts[0].c_str(), nullptr, 10);
    return {record, record == 0 ? parts[0] : "", parts[1]};
}

// As the conductor's own crash_if(): the one record that is made by hand is the first.
void crash_by_hand(std::string_view where) {
    const conduct::Crash crash = crash_from_environment();
    if (crash.record == 1 && crash.where == where) {
        ::kill(::getpid(), SIGKILL);
    }
}

class Relay final : public conduct::Listener {
public:
    Relay(const model::Plan& plan, Observer& observer) : plan_(plan), observer_(observer) {}

    void on_event(const Event& event, const run::State& state) override {
        observer_.on_event(event, plan_, state);
    }

    void on_wait(const std::string& what, const run::State& state) override {
        observer_.on_wait(what, plan_, state);
    }

private:
    const model::Plan& plan_;
    Observer& observer_;
};

std::string word_of(run::Phase phase) {
    switch (phase) {
    case run::Phase::created:
    case run::Phase::running:
    case run::Phase::pausing:
        return "running";
    case run::Phase::paused:
        return "paused";
    case run::Phase::halted:
        return "halted";
    case run::Phase::finished:
        return "finished";
    case run::Phase::returned:
        return "returned";
    case run::Phase::aborted:
        return "aborted";
    }
    return "";
}

Json to_json(const std::vector<run::Drift>& drift) {
    Json list = Json::Array{};
    for (const run::Drift& one : drift) {
        Json json;
        json.set("fact", one.key).set("expected", one.expected);
        json.set("found", one.found).set("evidence", one.evidence);
        list.push(std::move(json));
    }
    return list;
}

Event started_event(const Conducting& conducting) {
    Json detail;
    detail.set("epoch", conducting.epoch).set("who", who_am_i());
    detail.set("host", this_conductor().host).set("pid", std::int64_t{::getpid()});
    return plain_event(EventType::conductor_started, std::move(detail));
}

Event drift_event(const std::vector<run::Drift>& drift) {
    const run::Drift& first = drift.front();
    Json detail;
    detail.set("drift", to_json(drift));
    detail.set("cause",
               fmt::format("{} is {}, expected {}", first.key, first.found, first.expected));
    detail.set("remedy", "bring it back, then drydock resume; or plan again from here");
    return plain_event(EventType::drift_found, std::move(detail));
}

// To the end, or to a gate that was not approved beforehand.
Status run_on(conduct::Runner& runner, const Conducting& conducting) {
    const model::Plan& plan = conducting.run.plan;
    while (true) {
        DRYDOCK_TRY(runner.run());
        const auto gate = open_gate(plan, runner.state(), conducting.options.approve);
        if (!gate) {
            return {};
        }
        DRYDOCK_TRY(runner.record(approval_of(plan, *gate)));
    }
}

// A new run: created, then conducted. Nothing can have moved since the plan was compared with the
// world just now.
Status begin_run(conduct::Runner& runner, const Conducting& conducting, const Event& created) {
    DRYDOCK_TRY(runner.record(created));
    DRYDOCK_TRY(runner.record(started_event(conducting)));
    return run_on(runner, conducting);
}

// A run that goes on: what `drift` gets ends it before the first write.
Status go_on(conduct::Runner& runner,
             const Conducting& conducting,
             const std::function<std::vector<run::Drift>()>& compare,
             std::vector<run::Drift>& drift) {
    DRYDOCK_TRY(runner.record(started_event(conducting)));
    drift = compare();
    if (!drift.empty()) {
        return runner.record(drift_event(drift));
    }
    DRYDOCK_TRY(runner.record(plain_event(EventType::run_resumed)));
    return run_on(runner, conducting);
}

tl::unexpected<Failure> cannot_record(Error error) {
    if (error.remedy.empty()) {
        error.remedy = "nothing was sent that is not recorded: cure the cause, then drydock resume";
    }
    return refuse(std::move(error), k_exit_halted);
}

}  // namespace

std::string who_am_i() {
    const passwd* user = ::getpwuid(::getuid());  // NOLINT(concurrency-mt-unsafe): one thread asks
    return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

journal::Holder this_conductor() {
    os::RealClock clock;
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return {host.data(), ::getpid(), clock.wall_ms()};
}

Event plain_event(EventType type, Json detail) {
    return {type, 0, 0, run::Outcome::none, run::Purpose::none, std::move(detail)};
}

std::optional<std::size_t>
open_gate(const model::Plan& plan, const run::State& state, const std::string& name) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const bool open =
            state.phase() == run::Phase::running && state.status(i) == run::Status::open;
        if (open && plan.actions[i].gate == name) {
            return i;
        }
    }
    return std::nullopt;
}

Event approval_of(const model::Plan& plan, std::size_t gate) {
    Json detail;
    detail.set("gate", plan.actions[gate].gate).set("who", who_am_i());
    detail.set("words", plan.actions[gate].reason);
    return {EventType::gate_approved,
            gate,
            0,
            run::Outcome::none,
            run::Purpose::none,
            std::move(detail)};
}

tl::unexpected<Failure> moved(std::vector<run::Drift> drift) {
    Failure failure;
    failure.exit_code = k_exit_moved;
    failure.errors.push_back(
        {"run.drift", "the world moved; nothing was changed now", "", ErrorClass::permanent});
    failure.drift = std::move(drift);
    return tl::unexpected(std::move(failure));
}

Answer<Conducting> take(const Options& options, Store store, const journal::RunInfo& info) {
    auto epoch = store.journal().take_lease(info.run.id, this_conductor());
    if (!epoch) {
        return refuse(epoch.error());
    }
    auto replayed = replay(store, info);
    if (!replayed) {
        return tl::unexpected(replayed.error());
    }
    auto secrets = read_secrets(replayed->plan.secrets);
    if (!secrets) {
        return refuse(secrets.error());
    }
    return Conducting{options, std::move(store), std::move(*replayed), *epoch, std::move(*secrets)};
}

Answer<Conducting> take_current(const Options& options) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info = store->current_run(false);
    if (!info) {
        return tl::unexpected(info.error());
    }
    if (store->ended_unseen(*info)) {
        return refuse({"run.over",
                       fmt::format("run {} is over", info->run.id),
                       fmt::format("drydock status -c {}", options.cluster_file),
                       ErrorClass::permanent});
    }
    return take(options, std::move(*store), *info);
}

Answer<RunStatus> give_back(Conducting& conducting) {
    Store& store = conducting.store;
    auto again = replay(store, conducting.run.info);
    if (!again) {
        return tl::unexpected(again.error());
    }
    if (Status set = store.journal().set_state(again->info.run.id, word_of(again->state.phase()));
        !set) {
        return refuse(set.error());
    }
    store.journal().release_lease(again->info.run.id);
    again->info.holder.reset();
    os::RealClock clock;
    return status_of(*again, clock.wall_ms());
}

Answer<RunStatus> record_by_hand(Conducting& conducting, const Event& event) {
    const run::EventCodec codec(conducting.run.plan);
    os::RealClock clock;
    auto& journal = conducting.store.journal();
    crash_by_hand("before");
    if (auto head = journal.append(conducting.run.plan.run, clock.wall_ms(), {codec.encode(event)});
        !head) {
        return cannot_record(head.error());
    }
    crash_by_hand("after");
    return give_back(conducting);
}

Answer<RunStatus>
conduct_run(Conducting& conducting, Observer& observer, const std::optional<Event>& created) {
    os::RealClock clock;
    transport::LocalTransport transport;
    const model::Plan& plan = conducting.run.plan;
    conduct::Hosts hosts(transport,
                         clock,
                         addresses(plan.hosts, conducting.options, plan.state),
                         conducting.epoch,
                         conducting.secrets);
    Relay relay(plan, observer);
    const std::string pause_file = conducting.store.pause_file();
    const auto pause_requested = [&] { return ::access(pause_file.c_str(), F_OK) == 0; };
    conduct::Runner runner(plan,
                           conducting.run.state,
                           conducting.store.journal(),
                           hosts,
                           clock,
                           relay,
                           {plan.run, conducting.epoch, pause_requested, crash_from_environment()});
    for (const auto& [action, wall_ms] : conducting.run.soak_started) {
        runner.set_soak_started(action, wall_ms);
    }
    observer.on_start(plan, conducting.run.state);
    const auto look = [&] { return look_for_drift(plan, runner.state(), hosts, clock); };
    std::vector<run::Drift> drift;
    const Status ran =
        created ? begin_run(runner, conducting, *created) : go_on(runner, conducting, look, drift);
    if (!ran) {
        return cannot_record(ran.error());
    }
    std::error_code ignored;
    std::filesystem::remove(pause_file, ignored);
    auto ended = give_back(conducting);
    return drift.empty() || !ended ? std::move(ended) : moved(std::move(drift));
}

}  // namespace drydock::app
