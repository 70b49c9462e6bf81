#include "sim/night.h"

#include "base/coverage_mark.h"
#include "executor/work_on_hosts.h"
#include "journal/memory/memory_journal.h"
#include "run/return_point.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::sim {

namespace {

constexpr int k_turns_max = 300;                 // of one night; more means that it goes in circles
constexpr std::int64_t k_person_ms = 5'000;      // that a person takes to look and type, at least
constexpr std::int64_t k_look_ms_max = 60'000;   // and at most
constexpr std::int64_t k_rest_ms_max = 300'000;  // between two plans
constexpr int k_drifts_max = 5;                  // resumes that a person tries in a moved world
constexpr std::int64_t k_request_ms_max = 40'000;  // from a resume to a person's wish
constexpr std::int64_t k_record_max = 30;          // by which a conductor dies
constexpr std::uint64_t k_neighbour_epoch = 900;   // far over every epoch of a night

bool is_over(run::Phase phase) {
    return phase == run::Phase::finished || phase == run::Phase::returned
           || phase == run::Phase::aborted;
}

}  // namespace

Night::Night(World& world, transport::Faults& dice, std::int64_t calm_ms)
    : world_(world)
    , dice_(dice)
    , calm_ms_(calm_ms) {
    world_.site.on_takeover([this](const model::Plan& plan) { act_beside(plan); });
}

bool Night::is_calm() const {
    return world_.clock.monotonic_ms() >= calm_ms_;
}

bool Night::chance(int percent) {
    return dice_.between(1, 100) <= percent;
}

std::string Night::next_run() {
    return fmt::format("run-{}", ++runs_);
}

CrashPoint Night::draw_death() {
    if (is_calm() || chance(50)) {
        return {};
    }
    const auto where = static_cast<CrashPoint::Moment>(dice_.between(0, 2));
    return {static_cast<std::uint64_t>(dice_.between(1, k_record_max)), where, chance(25)};
}

bool Night::has_open_run() {
    const auto info = world_.open_journal()->find_run(plan_->run);
    return !is_lost_ && info && !info->state.is_over;
}

// A person repairs what is down, as the last halt tells, and takes their time.
void Night::wait_for_people() {
    world_.repair(*plan_, last_);
    world_.advance_time(is_calm() ? k_person_ms : dice_.between(k_person_ms, k_look_ms_max));
}

// Whoever began it: the open run is the one that is gone on with.
void Night::adopt_open_run() {
    const auto runs = world_.open_journal()->list_runs();
    for (const auto& played : played_) {
        const bool open = runs && std::any_of(runs->begin(), runs->end(), [&](const auto& info) {
                              return info.run.id == played->plan.run && !info.state.is_over;
                          });
        if (open) {
            plan_ = &played->plan;
            is_lost_ = false;
        }
    }
}

// What a conductor of `run` came to; meanwhile another run may have become the open one.
void Night::take(const ConductorRun& life, const std::string& run) {
    ++conductors_;
    halts_ += life.halt.is_null() ? 0 : 1;
    count_.refused += life.error.code.empty() ? 0 : 1;
    adopt_open_run();
    last_ = plan_->run == run ? life : world_.site.run_of(*plan_);
    const run::Phase phase = last_.state.phase();
    is_over_ = !last_.died && phase == run::Phase::finished;
    if (!is_over(phase)) {
        wait_for_people();
    }
    look_after_outlived();
}

// A conductor that hung while its journal was lost went on, and no journal tells what it did:
// people look at the cluster, and plan again.
void Night::look_after_outlived() {
    if (std::exchange(is_outlived_, false)) {
        COVERAGE_MARK("night: a conductor outlives its journal");
        world_.site.log("a conductor outlives its journal");
        is_over_ = false;
    }
}

// From where the cluster stands now; the goal is the newer release, unless the dice say otherwise.
const model::Plan* Night::make_plan() {
    const bool forward = is_calm() || is_closed() || chance(70);
    const std::string& older = played_.front()->plan.from_version;
    const std::string& newer = played_.front()->plan.to_version;
    auto compiled = forward ? world_.compile("upgrade", older, newer, next_run())
                            : world_.compile("downgrade", newer, older, next_run());
    if (!compiled.plan) {
        COVERAGE_MARK("night: a plan is refused");
        world_.site.log("a plan is refused");
        return nullptr;
    }
    return &keep(std::move(*compiled.plan));
}

// As the program tells from its journal: no plan leads back over a way that a run has closed.
bool Night::is_closed() {
    return std::any_of(played_.begin(), played_.end(), [&](const auto& played) {
        const bool is_forward = played->plan.procedure == "upgrade";
        return is_forward
               && run::closed_by(played->plan, world_.site.replay(played->plan)).has_value();
    });
}

void Night::apply() {
    const model::Plan* plan = make_plan();
    if (plan == nullptr) {
        wait_for_people();
        return;
    }
    const ConductorRun life = world_.site.apply(*plan, draw_death());
    if (world_.open_journal()->find_run(plan->run)) {
        ++count_.applied;
        play_on(*plan);
        take(life, plan_->run);
    } else {
        COVERAGE_MARK("night: nothing can begin now");
        world_.site.log("nothing can begin now");
        wait_for_people();
        look_after_outlived();
    }
}

const model::Plan& Night::keep(model::Plan plan) {
    played_.push_back(std::make_unique<Played>(std::move(plan)));
    world_.site.use_prepared(played_.back()->prepared);
    return played_.back()->plan;
}

// It is the open run's from now on.
void Night::play_on(const model::Plan& plan) {
    plan_ = &plan;
    is_lost_ = false;
}

// A person leaves a request for whoever conducts the run then, if anybody does.
void Night::request_later(const model::Plan& plan) {
    constexpr std::array k_kinds = {"pause", "abort", "approve", "note", "approve"};
    const auto kind = static_cast<std::size_t>(dice_.between(0, k_kinds.size() - 1));
    const std::int64_t at = world_.clock.monotonic_ms() + dice_.between(1, k_request_ms_max);
    const std::string gate = plan.point_of_no_return.gate;
    world_.transport.at(at, [this, run = plan.run, kind = k_kinds.at(kind), gate] {
        Json detail;
        detail.set("gate", gate).set("text", "seen");
        const auto journal = world_.open_journal();
        if (journal->post_request(run, {0, kind, "a person", world_.clock.wall_ms(), detail})) {
            COVERAGE_MARK("night: a person leaves a request");
            world_.site.log("a person leaves a request");
        }
    });
}

void Night::conduct(bool approve) {
    const model::Plan& plan = *plan_;  // another may become the open one meanwhile
    if (!is_calm() && chance(30)) {
        request_later(plan);
    }
    take(world_.conduct(plan, draw_death(), approve), plan.run);
}

void Night::resume() {
    ++count_.resumed;
    const bool approve = !last_.gate.empty();
    if (approve) {
        world_.check_gate(wrong_);
    }
    conduct(approve);
}

void Night::abort() {
    Status aborted = world_.site.abort(*plan_, draw_death());
    if (!aborted && aborted.error().code == "work.forgotten") {
        COVERAGE_MARK("night: a host that forgot is given up");
        world_.site.log("a person has looked at the host that forgot, and gives it up");
        world_.advance_time(k_look_ms_max);
        aborted = world_.site.abort(*plan_, draw_death(), true);
    }
    if (aborted) {
        COVERAGE_MARK("night: a run is aborted");
        world_.site.log("a run is aborted");
        ++count_.aborted;
    } else {
        COVERAGE_MARK("night: nobody may abort now");
        world_.site.log("nobody may abort now");
        wait_for_people();
    }
    take(world_.site.run_of(*plan_), plan_->run);
}

void Night::downgrade() {
    std::string run = plan_->run;
    auto back = world_.site.downgrade(
        *plan_,
        [&](const model::Plan& of) { return world_.compile_back(of, next_run()); },
        draw_death());
    if (back.plan) {
        COVERAGE_MARK("night: a run is taken back");
        world_.site.log("a run is taken back");
        ++count_.returned;
        run = back.plan->run;
        play_on(keep(std::move(*back.plan)));
    } else {
        COVERAGE_MARK("night: the way back is refused");
        world_.site.log("the way back is refused");
    }
    take(back.life, run);
}

// The disk with the journal is gone. Hosts refuse the new one until a person takes them over.
void Night::lose_journal() {
    COVERAGE_MARK("night: the journal is lost");
    world_.site.log("the journal is lost");
    ++count_.take_overs;
    world_.keep_in(journal::make_memory_store(fmt::format("journal-{}", ++journals_)));
    copy_.reset();
    is_lost_ = true;
    is_over_ = false;
    apply();
    world_.site.take_over_hosts(true);
}

// A backup of the state folder, or a snapshot of its machine.
void Night::copy_journal() {
    if (world_.store()) {
        copy_ = journal::copy_memory_store(*world_.store());
    }
}

// It knows nothing of what happened since, and hosts that do refuse it until a person who has
// looked takes them over with it.
void Night::put_journal_back() {
    COVERAGE_MARK("night: a copy of the journal is put back");
    world_.site.log("a copy of the journal is put back");
    world_.keep_in(std::exchange(copy_, nullptr));
    is_over_ = false;
    adopt_open_run();
    if (has_open_run()) {
        conduct(false);
    } else {
        apply();
    }
    world_.site.take_over_hosts(true);
}

// Another cluster's conductor works on the same hosts, with epochs of its own.
void Night::greet_from_neighbour() {
    COVERAGE_MARK("night: a neighbour works on the same hosts");
    world_.site.log("a neighbour works on the same hosts");
    executor::Identity neighbour = {"neighbour", "neighbour-journal", k_neighbour_epoch};
    for (const auto& [host, unused] : world_.cluster().hosts) {
        neighbour.claims[host] = {"pid_file /neighbour/" + host};
    }
    executor::AgentPool hosts(
        world_.transport, world_.clock, executor::addresses_of(world_.cluster().hosts), neighbour);
    (void)executor::read_work(hosts, world_.clock);
}

// While a conductor hangs, others take it for dead.
void Night::act_beside(const model::Plan& plan) {
    switch (dice_.between(0, 5)) {
    case 0:
        (void)world_.site.abort(plan);
        return;
    case 1: {
        auto back = world_.site.downgrade(plan, [&](const model::Plan& forward) {
            return world_.compile_back(forward, next_run());
        });
        if (back.plan) {
            COVERAGE_MARK("night: a run is taken back while its conductor hangs");
            world_.site.log("a run is taken back while its conductor hangs");
            play_on(keep(std::move(*back.plan)));
        }
        return;
    }
    case 2:
        lose_journal();
        is_outlived_ = true;
        return;
    default:
        (void)world_.conduct(plan);
        return;
    }
}

void Night::turn() {
    if (!is_calm() && chance(10)) {
        greet_from_neighbour();
    }
    if (!is_calm() && chance(3)) {
        lose_journal();
        return;
    }
    if (!is_calm() && copy_ && chance(3)) {
        put_journal_back();
        return;
    }
    if (!is_calm() && chance(10)) {
        copy_journal();
    }
    if (!has_open_run()) {
        apply();
        return;
    }
    const bool is_forward = plan_->reverts_run.empty() && plan_->procedure == "upgrade";
    const bool has_moved = last_.halt.contains("drift");
    drifts_ = has_moved ? drifts_ + 1 : 0;
    if (drifts_ > k_drifts_max) {  // what moved stays so: plan again from there, as it says
        COVERAGE_MARK("night: a run is given up for a world that moved");
        world_.site.log("a run is given up for a world that moved");
        drifts_ = 0;
        abort();
    } else if (!is_calm() && chance(12)) {
        abort();
    } else if (!is_calm() && is_forward && chance(20)) {
        downgrade();
    } else {
        resume();
    }
}

// All is done for now. Somebody has another plan later, or not before the calm.
void Night::rest() {
    const std::int64_t left_ms = calm_ms_ - world_.clock.monotonic_ms();
    world_.advance_time(chance(50) ? left_ms : dice_.between(k_person_ms, k_rest_ms_max));
}

SimulationResult Night::play(const model::Plan& first) {
    play_on(keep(first));
    ++count_.applied;
    conduct(false);
    for (int turns = 0; turns < k_turns_max && !(is_over_ && !has_open_run() && is_calm());
         ++turns) {
        if (is_over_ && !has_open_run() && !is_calm()) {
            rest();
        }
        turn();
    }
    SimulationResult ending;
    check(ending);
    return ending;
}

void Night::check(SimulationResult& ending) {
    ending.final_state = last_;
    ending.conductors = conductors_;
    ending.halts = halts_;
    ending.violations = std::move(wrong_);
    for (const auto& played : played_) {
        for (Violation& twice : find_repeated_effects(world_.site, played->plan)) {
            ending.violations.push_back(std::move(twice));
        }
        for (Violation& one : find_grammar_violations(world_.site, played->plan)) {
            ending.violations.push_back(std::move(one));
        }
    }
    if (!is_over_) {
        ending.violations.push_back({"stuck",
                                     fmt::format("the night does not end: {} {}",
                                                 last_.halt["cause"].show(),
                                                 last_.error.message)});
    }
    world_.check_system(*plan_, is_over_, ending.violations);
}

}  // namespace drydock::sim
