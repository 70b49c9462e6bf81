// Runs begin, go on and go back.
#include "app/local_session.h"
#include "app/signing.h"
#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>

#include <filesystem>
#include <future>

namespace drydock::app {

namespace {

using SessionPointer = std::unique_ptr<LocalSession>;

// The policy `on_failure: return`: a halted run goes back by itself, while that is possible.
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
    if (!returned && !returned.error().errors.empty()) {
        ended->cause += fmt::format("; going back by itself was refused: {}",
                                    returned.error().errors.front().message);
    }
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
                     info.state.word.empty() ? "created" : info.state.word,
                     held),
         fmt::format("drydock resume -c {0}, drydock downgrade -c {0}, or drydock abort -c {0}",
                     file),
         ErrorClass::permanent});
}

// The plan that a person holds may not differ from the one that runs.
Status check_plan_file(const model::Plan& running, const Json& created) {
    const std::string& path = created["plan_file"].as_string();
    std::error_code ignored;
    if (path.empty() || !std::filesystem::exists(path, ignored)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 64U << 20U));
    const auto json = Json::parse(text);
    const auto plan =
        json ? model::plan_from_json(*json) : Result<model::Plan>(tl::unexpected(json.error()));
    if (plan && plan->run != running.run) {
        return {};  // a later plan under the same name
    }
    if (!plan || plan->digest() != running.digest()) {
        return fail(
            "plan.edited",
            fmt::format("{} was changed after run {} began with it", path, running.run),
            fmt::format(
                "put it back ({}/runs/{}.json is the run's own copy) or move it away; then resume",
                running.state,
                running.run));
    }
    return {};
}

RunStatus not_begun(const model::Plan& plan) {
    RunStatus status;
    status.plan = plan;
    status.state = run::State(plan.actions.size());
    status.run = plan.run;
    return status;
}

// A way back whose downgrade is closed by what moved still has other ways.
void name_ways_left(const Options& options, const model::Plan& plan, Answer<RunStatus>& ended) {
    if (!ended && ended.error().exit_code == k_exit_moved && !plan.returns_from.empty()) {
        ended.error().left = ways_left(options, plan.from, plan.to, plan.returns_from);
    }
}

Answer<RunStatus> conduct(const Options& options, LocalSession& session) {
    auto ended = session.status_after(session.run().conduct());
    name_ways_left(options, session.plan(), ended);
    if (ended && ended->state.phase() == run::Phase::aborted) {
        ended->exit_code = k_exit_no;  // a person gave it up meanwhile
    }
    return ended;
}

// A plan is run once; what is left of it is gone on with, or planned again.
Status not_run_before(Store& store, const model::Plan& plan) {
    const auto info = store.journal().find_run(plan.run);
    if (!info) {
        return {};
    }
    const bool over = info->state.is_over;
    return fail("plan.used",
                fmt::format("this plan was run already: run {} is {}",
                            plan.run,
                            over ? info->state.word : "not over"),
                over ? fmt::format("plan again: drydock plan -c {} --to {} -o plan.json",
                                   plan.cluster_file,
                                   plan.to)
                     : fmt::format("go on with it: drydock resume -c {}", plan.cluster_file));
}

// A plan in place leads back over no way that a run has closed, whenever it was made.
std::optional<Failure>
refuse_plan_back(const Options& options, Store& store, const model::Plan& plan) {
    return plan.procedure == "downgrade" ? refuse_closed_before(options, store, plan.to)
                                         : std::nullopt;
}

// Friendly and early; the journal looks again when the run begins.
Answer<bool> may_begin(const Options& options, Store& store, const model::Plan& plan) {
    if (auto closed = refuse_plan_back(options, store, plan)) {
        return tl::unexpected(std::move(*closed));
    }
    if (Status fresh = not_run_before(store, plan); !fresh) {
        return refuse(fresh.error());
    }
    auto active = store.current_run(false);
    if (active && active->run.id != plan.returns_from) {
        return run_in_progress(*active, plan.cluster_file);
    }
    return true;
}

Json created_detail(const Options& options, const model::Plan& plan) {
    Json detail;
    detail.set("plan", plan.digest()).set("plan_file", options.plan_file);
    detail.set("who", current_user()).set("grammar", k_grammar);
    detail.set("title", fmt::format("{} {} -> {}", plan.procedure, plan.from, plan.to));
    detail.set("checked", plan.check["verdict"]);
    if (!options.unproved.empty()) {
        detail.set("unproved", options.unproved);
    }
    if (!options.signed_by.empty()) {
        detail.set("signed_by", options.signed_by);
    }
    return detail;
}

tl::unexpected<Failure> cannot_begin(Store& store, const model::Plan& plan, const Error& error) {
    auto active = store.current_run(false);
    const bool open = error.code == "journal.run.open" || error.code == "journal.lease.held";
    return open && active ? run_in_progress(*active, plan.cluster_file) : refuse(error);
}

Answer<RunStatus> begin(const Options& options, Store& store, LocalSession& session) {
    const model::Plan& plan = session.plan();
    if (auto closed = refuse_plan_back(options, store, plan)) {
        return tl::unexpected(std::move(*closed));
    }
    if (Status saved = store.save_plan(plan); !saved) {
        return refuse(saved.error());
    }
    if (Status begun = session.run().begin(created_detail(options, plan)); !begun) {
        return cannot_begin(store, plan, begun.error());
    }
    return conduct(options, session);
}

// A plan is proved while its hosts are greeted; nothing begins before it is.
std::future<Status> start_proof(const Options& options, const model::Plan& plan) {
    return options.unproved.empty() ? std::async(std::launch::async | std::launch::deferred,
                                                 [&] { return prove_again(options, plan); })
                                    : std::async(std::launch::deferred, [] { return Status(); });
}

Answer<RunStatus> carry_out(const Options& options,
                            Store& store,
                            const model::Plan& plan,
                            Observer& observer,
                            std::future<Status>& proof) {
    auto allowed = may_begin(options, store, plan);
    if (!allowed) {
        return tl::unexpected(allowed.error());
    }
    auto session = LocalSession::open(options, store, plan, observer);
    if (!session) {
        return tl::unexpected(session.error());
    }
    auto obstacle = (*session)->run().look_before_begin();
    if (Status proved = proof.get(); !proved) {
        return refuse(proved.error());
    }
    if (obstacle.is_there()) {
        Answer<RunStatus> refused = refuse_obstacle(std::move(obstacle));
        name_ways_left(options, plan, refused);
        return refused;
    }
    return options.dry_run ? Answer<RunStatus>(not_begun(plan)) : begin(options, store, **session);
}

// Compares the world with what the run expects; changes nothing.
Answer<RunStatus> would_resume(LocalSession& session) {
    auto obstacle = session.run().look_before_resume();
    if (Status same = check_plan_file(session.plan(), session.run().history().created); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    return obstacle.is_there() ? refuse_obstacle(std::move(obstacle)) : session.status();
}

// Nothing of the run that is taken back may be at work while its way back is planned and begun.
// The session keeps the run's lease for that time.
Answer<SessionPointer> hold_forward(const Options& options, Store& store, Observer& observer) {
    auto info = store.current_run(false);
    if (!info) {
        const std::string& code = info.error().errors.front().code;
        const bool none = code == "run.over" || code == "run.none";
        return none ? Answer<SessionPointer>(SessionPointer()) : tl::unexpected(info.error());
    }
    if (info->holder) {
        return run_in_progress(*info, options.cluster_file);
    }
    auto session = LocalSession::open_current(options, store, observer);
    if (!session) {
        return session;
    }
    if (!(*session)->plan().returns_from.empty()) {
        return SessionPointer();  // plan_downgrade refuses it, and says why
    }
    conduct::RunSession& forward = (*session)->run();
    if (Status taken = forward.take(); !taken) {
        return refuse(taken.error());
    }
    if (auto closed = refuse_closed_before(options, store, (*session)->plan().from)) {
        return tl::unexpected(std::move(*closed));
    }
    if (Status drained = forward.drain("the run is being taken back"); !drained) {
        return refuse(drained.error());
    }
    return forward.obstacle().is_there() ? refuse_obstacle(forward.obstacle()) : std::move(session);
}

}  // namespace

Answer<RunStatus> apply(const Options& asked, const model::Plan& plan, Observer& observer) {
    auto signer = check_signature(asked, plan);
    if (!signer) {
        return tl::unexpected(signer.error());
    }
    Options options = asked;
    options.signed_by = signer->value_or("");
    if (Status checked = options.unproved.empty() ? is_proved(plan) : Status(); !checked) {
        return refuse(checked.error());
    }
    auto proof = start_proof(options, plan);
    auto store = options.dry_run ? Store::open_to_look(plan.state) : Store::open(plan.state, true);
    if (!store) {
        return tl::unexpected(store.error());
    }
    return return_if_asked(options, carry_out(options, *store, plan, observer, proof), observer);
}

Answer<RunStatus> resume(const Options& options, Observer& observer) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto last = store->current_run(true);
    if (last && last->state.word == "finished") {
        return status(options, last->run.id);  // nothing is left to do
    }
    auto session = LocalSession::open_current(options, *store, observer);
    if (!session) {
        return tl::unexpected(session.error());
    }
    if (options.dry_run) {
        return would_resume(**session);
    }
    if (Status taken = (*session)->run().take(); !taken) {
        return refuse(taken.error());
    }
    if (Status same = check_plan_file((*session)->plan(), (*session)->run().history().created);
        !same) {
        return refuse(same.error(), k_exit_moved);
    }
    auto ended = conduct(options, **session);
    session->reset();  // gives the lease back
    return return_if_asked(options, std::move(ended), observer);
}

Answer<RunStatus> downgrade(const Options& options, Observer& observer) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto forward = hold_forward(options, *store, observer);
    if (!forward) {
        return tl::unexpected(forward.error());
    }
    auto plan = plan_downgrade(options);
    if (!plan) {
        return tl::unexpected(plan.error());
    }
    // Made here, of a cluster file that is known here.
    if (Status known = remember_own(*plan); !known && options.trust != Trust::this_time) {
        return refuse(known.error());
    }
    auto proof = start_proof(options, *plan);
    return carry_out(options, *store, *plan, observer, proof);
}

}  // namespace drydock::app
