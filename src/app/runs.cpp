// Runs begin, go on and go back.
#include "app/conducting.h"
#include "base/text.h"
#include "os/files.h"
#include "transport/local/local.h"

#include <fmt/format.h>

#include <filesystem>

namespace drydock::app {

namespace {

using run::EventType;

// The policy `on_failure: return`: what halted goes back by itself, while that is possible.
Answer<RunStatus>
return_if_asked(const Options& options, Answer<RunStatus> ended, Observer& observer) {
    const bool halted = ended && ended->state.phase() == run::Phase::halted;
    if (!halted || ended->plan.on_failure != "return" || !ended->plan.returns_from.empty()) {
        return ended;
    }
    Options back = options;
    back.cluster_file = ended->plan.cluster_file;
    back.approve.clear();  // was said of the way forward
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

// The forward run that a downgrade takes back is over from the moment in which the downgrade
// begins. Idempotent: a conductor that died in between leaves it to the next one.
Status mark_returned(Store& store, const model::Plan& plan) {
    if (plan.returns_from.empty()) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const journal::RunInfo info, store.journal().find_run(plan.returns_from));
    if (is_over(info.state) || store.ended_unseen(info)) {
        return {};
    }
    DRYDOCK_TRY(store.journal().take_lease(info.run.id, this_conductor()));
    os::RealClock clock;
    Json event;
    event.set("type", run::name_of(EventType::run_returned));
    event.set("detail", Json(Json::Object{{"by", Json(plan.run)}}));
    DRYDOCK_TRY(store.journal().append(info.run.id, clock.wall_ms(), {event}));
    DRYDOCK_TRY(store.journal().set_state(info.run.id, "returned"));
    store.journal().release_lease(info.run.id);
    return {};
}

Status create(Store& store, const model::Plan& plan) {
    os::RealClock clock;
    DRYDOCK_TRY(store.save_plan(plan));
    return store.journal().create_run({plan.run, clock.wall_ms(), plan.digest()});
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

// What is expected at that state of the run, compared with what is there now; only reads.
Answer<std::vector<run::Drift>>
moved_since(const Options& options, const model::Plan& plan, const run::State& state) {
    auto secrets = read_secrets(plan.secrets);
    if (!secrets) {
        return refuse(secrets.error());
    }
    os::RealClock clock;
    transport::LocalTransport transport;
    conduct::Hosts hosts(transport, clock, addresses(plan.hosts, options, plan.state), 0, *secrets);
    return look_for_drift(plan, state, hosts, clock);
}

RunStatus not_begun(const model::Plan& plan) {
    RunStatus status;
    status.plan = plan;
    status.state = run::State(plan.actions.size());
    status.run = plan.run;
    return status;
}

// A new run in the journal, and its lease.
Answer<Conducting> begin(const Options& options, const model::Plan& plan) {
    auto store = Store::open(plan.state, true);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto active = store->current_run(false);
    if (active && active->run.id != plan.returns_from && !store->ended_unseen(*active)) {
        return run_in_progress(*active, plan.cluster_file);
    }
    if (Status created = create(*store, plan); !created) {
        return refuse(created.error());
    }
    auto info = store->journal().find_run(plan.run);
    if (!info) {
        return refuse(info.error());
    }
    return take(options, std::move(*store), *info);
}

Answer<RunStatus>
go(Conducting& conducting, Observer& observer, const std::optional<run::Event>& created) {
    if (Status marked = mark_returned(conducting.store, conducting.run.plan); !marked) {
        return refuse(marked.error());
    }
    auto ended = conduct_run(conducting, observer, created);
    const model::Plan& plan = conducting.run.plan;
    if (!ended && ended.error().exit_code == k_exit_moved && !plan.returns_from.empty()) {
        ended.error().left = ways_left(conducting.options, plan.from, plan.to, plan.returns_from);
    }
    return return_if_asked(conducting.options, std::move(ended), observer);
}

// What `resume` looks at before it goes on.
Answer<RunStatus> would_resume(const Options& options, Store& store, const journal::RunInfo& info) {
    auto replayed = replay(store, info);
    if (!replayed) {
        return tl::unexpected(replayed.error());
    }
    if (Status same = check_plan_file(*replayed); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    auto drift = moved_since(options, replayed->plan, replayed->state);
    if (!drift) {
        return tl::unexpected(drift.error());
    }
    os::RealClock clock;
    return drift->empty() ? Answer<RunStatus>(status_of(*replayed, clock.wall_ms()))
                          : moved(std::move(*drift));
}

// A plan is run once; what is left of it is gone on with, or planned again.
Status not_run_before(const model::Plan& plan) {
    auto store = Store::open(plan.state, false);
    auto info =
        store ? store->journal().find_run(plan.run) : Result<journal::RunInfo>(fail("", ""));
    if (!info) {
        return {};
    }
    const bool over = is_over(info->state);
    return fail("plan.used",
                fmt::format("this plan was run already: run {} is {}",
                            plan.run,
                            over ? info->state : "not over"),
                over ? fmt::format("plan again: drydock plan -c {} --to {} -o plan.json",
                                   plan.cluster_file,
                                   plan.to)
                     : fmt::format("go on with it: drydock resume -c {}", plan.cluster_file));
}

Answer<RunStatus> carry_out(const Options& options, const model::Plan& plan, Observer& observer) {
    if (Status checked = check_state(plan.state); !checked) {
        return refuse(checked.error());
    }
    if (Status fresh = not_run_before(plan); !fresh) {
        return refuse(fresh.error());
    }
    auto drift = moved_since(options, plan, run::State(plan.actions.size()));
    if (!drift) {
        return tl::unexpected(drift.error());
    }
    if (!drift->empty()) {
        return moved(std::move(*drift));
    }
    if (options.dry_run) {
        return not_begun(plan);
    }
    auto conducting = begin(options, plan);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    Json detail;
    detail.set("plan", plan.digest()).set("plan_file", options.plan_file).set("who", who_am_i());
    detail.set("title", fmt::format("{} {} -> {}", plan.procedure, plan.from, plan.to));
    detail.set("checked", plan.check["verdict"]);
    if (!options.unproved.empty()) {
        detail.set("unproved", options.unproved);
    }
    return go(*conducting, observer, plain_event(EventType::run_created, std::move(detail)));
}

// Nothing of the run that is to be taken back may be at work while the way back is planned.
Status quiet_first(const Options& options,
                   Store& store,
                   const journal::RunInfo& info,
                   Observer& observer) {
    const auto forward = replay(store, info);
    return forward ? let_work_end(options, *forward, observer) : Status();
}

}  // namespace

Answer<RunStatus> apply(const Options& options, const model::Plan& plan, Observer& observer) {
    if (Status proved = is_proved(plan); !proved && options.unproved.empty()) {
        return refuse(proved.error());
    }
    return carry_out(options, plan, observer);
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
    if (options.dry_run) {
        return would_resume(options, *store, *info);
    }
    const bool ended = store->ended_unseen(*info);
    auto conducting = take(options, std::move(*store), *info);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    if (ended) {
        return give_back(*conducting);
    }
    if (Status same = check_plan_file(conducting->run); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    std::error_code ignored;
    std::filesystem::remove(conducting->store.pause_file(), ignored);
    return go(*conducting, observer, std::nullopt);
}

Answer<RunStatus> downgrade(const Options& options, Observer& observer) {
    if (auto store = store_of(options)) {
        auto info = store->current_run(false);
        if (info && info->holder) {
            return run_in_progress(*info, options.cluster_file);
        }
        if (Status ended = info ? quiet_first(options, *store, *info, observer) : Status();
            !ended) {
            return refuse(ended.error());
        }
    }
    auto plan = plan_downgrade(options);
    if (!plan) {
        return tl::unexpected(plan.error());
    }
    return carry_out(options, *plan, observer);
}

}  // namespace drydock::app
