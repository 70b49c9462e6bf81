// Runs: apply, resume, approve, downgrade, pause, abort, and what people ask about them.
#include "app/internal.h"
#include "base/text.h"
#include "conduct/reading.h"
#include "os/files.h"
#include "transport/local/local.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace drydock::app {

namespace {

using run::Event;
using run::EventType;

constexpr std::int64_t k_drift_ms_max =
    5'000;  // so long a difference may last before it counts as one: elections pass
constexpr std::int64_t k_drift_poll_ms = 100;
constexpr std::int64_t k_pause_ms_max = 60'000;

std::string who_am_i() {
    const passwd* user = ::getpwuid(::getuid());
    return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

journal::Holder this_conductor() {
    os::RealClock clock;
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return {host.data(), ::getpid(), clock.wall_ms()};
}

Event plain(EventType type, Json detail = {}) {
    return {type, 0, 0, run::Outcome::none, run::Purpose::none, std::move(detail)};
}

// DRYDOCK_CRASH="17:before": where a test ends the process.
conduct::Crash crash_from_environment() {
    const char* text = std::getenv("DRYDOCK_CRASH");
    const auto parts = split(text != nullptr ? text : "", ':');
    if (parts.size() != 2) {
        return {};
    }
    return {std::strtoull(parts[0].c_str(), nullptr, 10), parts[1]};
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

std::string_view word_of(run::Phase phase) {
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

tl::unexpected<Failure> moved(std::vector<run::Drift> drift) {
    Failure failure;
    failure.exit_code = k_exit_moved;
    failure.errors.push_back(
        {"run.drift", "the world moved; nothing was changed now", "", ErrorClass::permanent});
    failure.drift = std::move(drift);
    return tl::unexpected(std::move(failure));
}

Json to_json(const std::vector<run::Drift>& drift) {
    Json list = Json::Array{};
    for (const run::Drift& one : drift) {
        Json json;
        json.set("fact", one.key)
            .set("expected", one.expected)
            .set("found", one.found)
            .set("evidence", one.evidence);
        list.push(std::move(json));
    }
    return list;
}

// Standing requirements of the plan that have been met once and must go on to hold.
void add_broken_requirements(const model::Plan& plan,
                             const run::State& state,
                             const model::FactBook& facts,
                             std::vector<run::Drift>& drift) {
    const auto up = run::members_up(plan, state);
    const model::FactView view = {facts, facts, plan.planned, up, ""};
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (!plan.actions[i].keep || state.status(i) != run::Status::done) {
            continue;
        }
        for (const model::Condition& condition : plan.actions[i].guard) {
            const auto verdict = model::evaluate(condition, view);
            const bool known = std::any_of(drift.begin(), drift.end(), [&](const run::Drift& one) {
                return verdict.because.starts_with(one.key + " ");
            });
            if (verdict.outcome != model::Tri::yes && !known) {
                drift.push_back({condition.fact,
                                 model::describe(condition),
                                 verdict.because,
                                 plan.actions[i].title,
                                 verdict.outcome == model::Tri::cannot_tell});
            }
        }
    }
}

std::vector<std::string> facts_to_compare(const model::Plan& plan, const run::State& state) {
    std::vector<std::string> keys;
    for (const auto& [key, expectation] : run::expected_world(plan, state)) {
        if (plan.sources.contains(key)) {
            keys.push_back(key);
        }
    }
    for (const model::Action& action : plan.actions) {
        if (action.keep) {
            auto more = model::facts_of(action.guard, plan, "");
            std::move(more.begin(), more.end(), std::back_inserter(keys));
        }
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

// Everything that conducting one run needs, in the order in which it is taken.
struct Conducting {
    Options options;
    Store store;
    Replayed run;
    std::uint64_t epoch = 0;
    Json secrets;
};

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

Answer<RunStatus> finish(Conducting& conducting) {
    Store& store = conducting.store;
    auto again = replay(store, conducting.run.info);
    if (!again) {
        return tl::unexpected(again.error());
    }
    if (Status set = store.journal().set_state(again->info.run.id,
                                               std::string(word_of(again->state.phase())));
        !set) {
        return refuse(set.error());
    }
    store.journal().release_lease(again->info.run.id);
    os::RealClock clock;
    return status_of(*again, clock.wall_ms());
}

tl::unexpected<Failure> cannot_record(Error error) {
    error.remedy =
        error.remedy.empty()
            ? "nothing was sent that is not recorded: cure the cause, then drydock resume"
            : error.remedy;
    return refuse(std::move(error), k_exit_halted);
}

// From here to the end, a gate, a pause or a halt. `first` are the events that the start itself
// makes durable.
Answer<RunStatus> conduct_run(Conducting& conducting,
                              Observer& observer,
                              const std::vector<Event>& first,
                              bool compare) {
    os::RealClock clock;
    transport::LocalTransport transport;
    const model::Plan& plan = conducting.run.plan;
    conduct::Hosts hosts(transport,
                         clock,
                         addresses(plan.hosts, conducting.options, plan.state),
                         conducting.epoch,
                         conducting.secrets);
    Relay relay(plan, observer);
    conduct::Settings settings = {plan.run, conducting.epoch, {}, crash_from_environment()};
    settings.pause_requested = [&] {
        return ::access(conducting.store.pause_file().c_str(), F_OK) == 0;
    };
    conduct::Runner runner(
        plan, conducting.run.state, conducting.store.journal(), hosts, clock, relay, settings);
    for (const auto& [action, wall_ms] : conducting.run.soak_started) {
        runner.set_soak_started(action, wall_ms);
    }
    Json started;
    started.set("epoch", conducting.epoch)
        .set("who", who_am_i())
        .set("host", this_conductor().host)
        .set("pid", std::int64_t{::getpid()});
    observer.on_start(plan, conducting.run.state);
    if (Status recorded = runner.record(plain(EventType::conductor_started, std::move(started)));
        !recorded) {
        return cannot_record(recorded.error());
    }
    if (auto drift = compare ? look_for_drift(plan, runner.state(), hosts, clock)
                             : std::vector<run::Drift>();
        !drift.empty()) {
        Json detail;
        detail.set("drift", to_json(drift))
            .set("cause",
                 fmt::format("{} is {}, expected {}",
                             drift.front().key,
                             drift.front().found,
                             drift.front().expected))
            .set("remedy", "see the list; drydock resume looks again");
        if (Status recorded = runner.record(plain(EventType::drift_found, std::move(detail)));
            !recorded) {
            return cannot_record(recorded.error());
        }
        finish(conducting);
        return moved(std::move(drift));
    }
    for (const Event& event : first) {
        if (Status recorded = runner.record(event); !recorded) {
            return cannot_record(recorded.error());
        }
    }
    if (Status ran = runner.run(); !ran) {
        return cannot_record(ran.error());
    }
    std::error_code ignored;
    std::filesystem::remove(conducting.store.pause_file(), ignored);
    return finish(conducting);
}

// The policy `on_failure: return`: what halted goes back by itself, while that is possible.
Answer<RunStatus>
return_if_asked(const Options& options, Answer<RunStatus> ended, Observer& observer) {
    const bool halted = ended && ended->state.phase() == run::Phase::halted;
    if (!halted || ended->plan.on_failure != "return" || !ended->plan.returns_from.empty()) {
        return ended;
    }
    Options back = options;
    back.cluster_file = ended->plan.cluster_file;
    auto returned = downgrade(back, observer);
    return returned ? returned : ended;
}

tl::unexpected<Failure> run_in_progress(const journal::RunInfo& info, const std::string& file) {
    const std::string held = info.holder ? fmt::format(", conducted by process {} on {} since {}",
                                                       info.holder->pid,
                                                       info.holder->host,
                                                       show_time(info.holder->since_ms))
                                         : std::string();
    return refuse(
        {"run.in_progress",
         fmt::format("run {} is not over ({}{})",
                     info.run.id,
                     info.state.empty() ? "created" : info.state,
                     held),
         fmt::format("drydock resume -c {0}, drydock downgrade -c {0}, or drydock abort -c {0}",
                     file),
         ErrorClass::permanent});
}

Status mark_returned(Store& store, const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(const journal::RunInfo info, store.journal().find_run(plan.returns_from));
    DRYDOCK_TRY_ASSIGN(const std::uint64_t epoch,
                       store.journal().take_lease(info.run.id, this_conductor()));
    (void)epoch;
    os::RealClock clock;
    Json event;
    event.set("type", std::string(run::name_of(EventType::run_returned)));
    event.set("detail", Json(Json::Object{{"by", Json(plan.run)}}));
    DRYDOCK_TRY(
        store.journal().append(info.run.id, clock.wall_ms(), {event}).map([](const auto&) {}));
    DRYDOCK_TRY(store.journal().set_state(info.run.id, "returned"));
    store.journal().release_lease(info.run.id);
    return {};
}

Status create(Store& store, const model::Plan& plan) {
    os::RealClock clock;
    DRYDOCK_TRY(store.save_plan(plan));
    return store.journal().create_run({plan.run, clock.wall_ms(), plan.digest()});
}

Answer<Store> store_of(const Options& options) {
    auto project = open_project(options);
    if (!project) {
        return tl::unexpected(project.error());
    }
    return Store::open(project->cluster.state, false);
}

// The plan that a person holds may not differ from the one that runs.
Status check_plan_file(const Replayed& replayed) {
    const std::string& path = replayed.created["plan_file"].as_string();
    std::error_code ignored;
    if (path.empty() || !std::filesystem::exists(path, ignored)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 64U << 20U));
    const auto json = Json::parse(text);
    const auto plan =
        json ? model::plan_from_json(*json) : Result<model::Plan>(tl::unexpected(json.error()));
    if (plan && plan->run != replayed.plan.run) {
        return {};  // a later plan under the same name
    }
    if (!plan || plan->digest() != replayed.plan.digest()) {
        return fail(
            "plan.edited",
            fmt::format("{} was changed after run {} began with it", path, replayed.plan.run),
            fmt::format(
                "put it back ({}/runs/{}.json is the run's own copy) or move it away; then resume",
                replayed.plan.state,
                replayed.plan.run));
    }
    return {};
}

}  // namespace

std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                       const run::State& state,
                                       conduct::Hosts& hosts,
                                       os::Clock& clock) {
    const auto keys = facts_to_compare(plan, state);
    const std::int64_t deadline = clock.monotonic_ms() + k_drift_ms_max;
    while (true) {
        const auto facts = conduct::read_now(plan.sources, keys, hosts);
        auto drift = run::find_drift(plan, state, facts);
        add_broken_requirements(plan, state, facts, drift);
        if (drift.empty() || clock.monotonic_ms() >= deadline) {
            return drift;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(k_drift_poll_ms));
    }
}

Answer<RunStatus> apply(const Options& options, const model::Plan& plan, Observer& observer) {
    os::RealClock clock;
    auto secrets = read_secrets(plan.secrets);
    if (!secrets) {
        return refuse(secrets.error());
    }
    {
        transport::LocalTransport transport;
        conduct::Hosts hosts(
            transport, clock, addresses(plan.hosts, options, plan.state), 0, *secrets);
        auto drift = look_for_drift(plan, run::State(plan.actions.size()), hosts, clock);
        if (!drift.empty()) {
            return moved(std::move(drift));
        }
    }
    if (options.dry_run) {
        RunStatus status;
        status.plan = plan;
        status.state = run::State(plan.actions.size());
        status.run = plan.run;
        return status;
    }
    auto store = Store::open(plan.state, true);
    if (!store) {
        return tl::unexpected(store.error());
    }
    if (auto active = store->current_run(false); active && active->run.id != plan.returns_from) {
        return run_in_progress(*active, plan.cluster_file);
    }
    if (Status created = create(*store, plan); !created) {
        return refuse(created.error());
    }
    if (Status marked = plan.returns_from.empty() ? Status() : mark_returned(*store, plan);
        !marked) {
        return refuse(marked.error());
    }
    auto info = store->journal().find_run(plan.run);
    if (!info) {
        return refuse(info.error());
    }
    auto conducting = take(options, std::move(*store), *info);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    Json detail;
    detail.set("plan", plan.digest())
        .set("plan_file", options.plan_file)
        .set("who", who_am_i())
        .set("title", fmt::format("{} {} -> {}", plan.procedure, plan.from, plan.to));
    return return_if_asked(options,
                           conduct_run(*conducting,
                                       observer,
                                       {plain(EventType::run_created, std::move(detail)),
                                        plain(EventType::run_resumed)},
                                       false),
                           observer);
}

Answer<RunStatus> resume(const Options& options, Observer& observer) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info = store->current_run(false);
    if (!info) {
        return tl::unexpected(info.error());
    }
    auto conducting = take(options, std::move(*store), *info);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    if (Status same = check_plan_file(conducting->run); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    std::error_code ignored;
    std::filesystem::remove(conducting->store.pause_file(), ignored);
    // A run that was killed before its first record has not been created in the journal's eyes.
    std::vector<Event> first = {plain(EventType::run_resumed)};
    return return_if_asked(options, conduct_run(*conducting, observer, first, true), observer);
}

Answer<RunStatus> downgrade(const Options& options, Observer& observer) {
    auto plan = plan_downgrade(options);
    if (!plan) {
        return tl::unexpected(plan.error());
    }
    return apply(options, *plan, observer);
}

namespace {

tl::unexpected<Failure>
gate_not_open(const Replayed& replayed, const RunStatus& status, const std::string& gate) {
    std::vector<std::string> gates;
    for (const model::Action& action : replayed.plan.actions) {
        if (action.is_gate()) {
            gates.push_back(action.gate);
        }
    }
    std::string why = fmt::format("gate `{}` is not open", gate);
    if (std::find(gates.begin(), gates.end(), gate) == gates.end()) {
        why = fmt::format("the plan has no gate `{}`; it has: {}", gate, join(gates, ", "));
    } else if (status.soak_left_ms > 0) {
        why = fmt::format(
            "gate `{}` opens after the soak, in {}", gate, show_duration(status.soak_left_ms));
    }
    return refuse({"gate.not_open",
                   why,
                   fmt::format("drydock status -c {}", replayed.plan.cluster_file),
                   ErrorClass::permanent});
}

// An event that a person causes while nobody conducts.
Answer<RunStatus> record_by_hand(Conducting& conducting, const Event& event) {
    const run::EventCodec codec(conducting.run.plan);
    os::RealClock clock;
    if (auto head = conducting.store.journal().append(
            conducting.run.plan.run, clock.wall_ms(), {codec.encode(event)});
        !head) {
        return cannot_record(head.error());
    }
    return finish(conducting);
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
    return take(options, std::move(*store), *info);
}

}  // namespace

Answer<RunStatus> approve(const Options& options, const std::string& gate) {
    auto conducting = take_current(options);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    const Replayed& run = conducting->run;
    for (std::size_t i = 0; i < run.plan.actions.size(); ++i) {
        if (run.plan.actions[i].gate != gate || run.state.status(i) != run::Status::open) {
            continue;
        }
        Json detail;
        detail.set("gate", gate).set("who", who_am_i()).set("words", run.plan.actions[i].reason);
        if (options.dry_run) {
            os::RealClock clock;
            return status_of(run, clock.wall_ms());
        }
        return record_by_hand(*conducting,
                              {EventType::gate_approved,
                               i,
                               0,
                               run::Outcome::none,
                               run::Purpose::none,
                               std::move(detail)});
    }
    os::RealClock clock;
    return gate_not_open(run, status_of(run, clock.wall_ms()), gate);
}

Answer<RunStatus> abort(const Options& options) {
    auto conducting = take_current(options);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    if (options.dry_run) {
        os::RealClock clock;
        return status_of(conducting->run, clock.wall_ms());
    }
    Json detail;
    detail.set("who", who_am_i());
    return record_by_hand(*conducting, plain(EventType::run_aborted, std::move(detail)));
}

Answer<RunStatus> pause(const Options& options) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info = store->current_run(false);
    if (!info) {
        return tl::unexpected(info.error());
    }
    if (!info->holder) {
        return refuse({"pause.nobody",
                       fmt::format("nobody conducts run {} right now: there is nothing to pause",
                                   info->run.id),
                       "",
                       ErrorClass::permanent});
    }
    if (options.dry_run) {
        return status(options, info->run.id);
    }
    if (Status asked = os::write_file_durable(store->pause_file(), info->run.id + "\n"); !asked) {
        return refuse(asked.error());
    }
    os::RealClock clock;
    const std::int64_t deadline = clock.monotonic_ms() + k_pause_ms_max;
    while (clock.monotonic_ms() < deadline) {
        auto now = store->journal().find_run(info->run.id);
        if (now && !now->holder) {
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return status(options, info->run.id);
}

Answer<RunStatus> status(const Options& options, const std::string& run) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info =
        run.empty() ? store->current_run(true) : Answer<journal::RunInfo>(journal::RunInfo());
    if (!run.empty()) {
        auto found = store->journal().find_run(run);
        if (!found) {
            return refuse(found.error());
        }
        info = *found;
    }
    if (!info) {
        return tl::unexpected(info.error());
    }
    auto replayed = replay(*store, *info);
    if (!replayed) {
        return tl::unexpected(replayed.error());
    }
    os::RealClock clock;
    return status_of(*replayed, clock.wall_ms());
}

Answer<std::vector<LogLine>> log(const Options& options, const std::string& run) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto current = store->current_run(true);
    if (!current) {
        return tl::unexpected(current.error());
    }
    auto records = store->journal().read(run.empty() ? current->run.id : run);
    if (!records) {
        return refuse(records.error());
    }
    std::vector<LogLine> lines;
    for (const journal::Record& record : *records) {
        for (const Json& event : record.events) {
            lines.push_back({record.sequence, record.wall_ms, event});
        }
    }
    return lines;
}

Answer<std::vector<Verified>> verify_journal(const Options& options) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto runs = store->journal().list_runs();
    if (!runs) {
        return refuse(runs.error());
    }
    std::vector<Verified> verified;
    for (const journal::RunInfo& info : *runs) {
        auto head = store->journal().verify(info.run.id);
        if (!head) {
            return refuse(head.error());
        }
        auto plan = store->load_plan(info);
        if (!plan) {
            return refuse(plan.error());
        }
        verified.push_back({info.run.id, head->records, to_hex(head->hash)});
    }
    return verified;
}

}  // namespace drydock::app
