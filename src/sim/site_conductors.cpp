// Conductors on a simulated site: each is a real session over a journal and a transport in which it
// can die, hang or stand still.
#include "base/probe.h"
#include "conduct/gates.h"
#include "run/return_point.h"
#include "sim/mortal.h"
#include "sim/site.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using run::Event;
using run::EventType;
using transport::Fault;

constexpr std::int64_t k_turn_ms_max = 5'000;     // between two looks at requests
constexpr std::int64_t k_commit_ms_max = 20'000;  // of a slow disk
constexpr std::int64_t k_stop_ms_max =
    120'000;  // longer than facts stay fresh, and than hosts wait

std::string in_words(const model::Plan& plan, const Event& event) {
    const std::string action = plan.actions.empty() || run::name_of(event.type).starts_with("run.")
                                       || run::name_of(event.type).starts_with("conductor.")
                                       || event.type == EventType::drift_found
                                   ? ""
                                   : " " + plan.actions[event.action].id;
    std::string text = fmt::format("{}{}", run::name_of(event.type), action);
    if (event.purpose != run::Purpose::none) {
        text += fmt::format(" ({})", run::name_of(event.purpose));
    }
    if (event.outcome != run::Outcome::none) {
        text += fmt::format(": {}", run::name_of(event.outcome));
    }
    const std::string& reason =
        event.detail[event.detail.contains("cause") ? "cause" : "because"].as_string();
    return reason.empty() ? text : fmt::format("{}, {}", text, reason);
}

}  // namespace

// Hears what a conductor makes durable.
class Site::Ear final : public conduct::Listener {
public:
    Ear(Site& site, const model::Plan& plan, int conductor)
        : site_(site)
        , plan_(plan)
        , conductor_(conductor) {}

    void on_event(const Event& event, const run::State&) override {
        if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
            halt = event.detail;
        }
        if (site_.ground_.on_event) {
            site_.ground_.on_event(event);
        }
        if (site_.tell_) {
            site_.say(fmt::format("conductor {}: {}", conductor_, in_words(plan_, event)));
        }
    }

    void on_wait(const std::string&, const run::State&) override {}

    Json halt;

private:
    Site& site_;
    const model::Plan& plan_;
    int conductor_;
};

// A conductor, and what it dies of.
struct Site::Conductor {
    Conductor(Site& site, const model::Plan& plan, const Death& death)
        : prepared(site.prepared_for(plan))
        , journal(
              site.ground_.open_journal(),
              death,
              [&site, &plan](journal::Journal& hung) { site.take_over(plan, hung); },
              [&site] { return site.commit_fault(); },
              {[&site] { site.lose_commit_time(); }, [&site] { site.stand_still(); }})
        , transport(site.transport, journal, site.ground_.before_wait)
        , ear(site, plan, ++site.conductors_)
        , session(
              plan, {journal, transport, site.conductor_clock_, ear}, site.settings_for(prepared)) {
    }

    Prepared prepared;
    MortalJournal journal;
    MortalTransport transport;
    Ear ear;
    conduct::RunSession session;
};

// The others think that the hung one is dead: its lease is free, a new conductor takes over and
// goes as far as it gets.
void Site::take_over(const model::Plan& plan, journal::Journal& hung) {
    say("it hangs; another conductor takes over");
    hung.release_lease(plan.run);
    if (takeover_) {
        takeover_(plan);
    } else {
        (void)conduct(plan);
    }
    say("the one that hung wakes up");
}

Prepared Site::prepared_for(const model::Plan& plan) const {
    const auto entry = prepared_.find(&plan);
    return entry != prepared_.end() ? *entry->second : Prepared(plan);
}

conduct::SessionSettings Site::settings_for(const Prepared& prepared) {
    conduct::SessionSettings settings;
    settings.holder = {"sim", conductors_, clock_.wall_ms()};
    settings.user = "a person";
    settings.boot_id = fmt::format("conductor-{}", conductor_boots_);
    settings.addresses = conduct::addresses_of(prepared.plan->hosts);
    settings.take_over = takes_over_hosts_;
    settings.turn_ms_max = k_turn_ms_max;
    settings.inquiries = prepared.inquiries;
    settings.digest = prepared.digest;
    return settings;
}

void Site::stop_for(std::int64_t ms, bool with_clock) {
    const std::int64_t begun = clock_.monotonic_ms();
    let_pass(ms);
    if (with_clock) {
        conductor_clock_.was_stopped(clock_.monotonic_ms() - begun);
    }
}

void Site::lose_commit_time() {
    stand_still();
    if (faults_.strikes(Fault::commit_slow)) {
        PROBE("sim: a commit takes long");
        stop_for(faults_.between(1, k_commit_ms_max), false);
    }
}

CommitFault Site::commit_fault() {
    if (faults_.strikes(Fault::journal_full)) {
        return CommitFault::full;
    }
    if (faults_.strikes(Fault::commit_busy)) {
        return CommitFault::busy;
    }
    return faults_.strikes(Fault::commit_unknown) ? CommitFault::unknown : CommitFault::none;
}

void Site::stand_still() {
    if (faults_.strikes(Fault::process_stopped)) {
        PROBE("sim: a conductor stands still");
        stop_for(faults_.between(1, k_stop_ms_max), false);
    }
    if (faults_.strikes(Fault::machine_stopped)) {
        PROBE("sim: the machine of a conductor stands still, and its clock");
        stop_for(faults_.between(1, k_stop_ms_max), true);
    }
}

// A person approves the open gate, by a process of their own, while nobody conducts.
void Site::approve_by_hand(const model::Plan& plan) {
    Conductor person(*this, plan, {});
    if (!person.session.take()) {
        return;
    }
    const auto gate = conduct::find_open_gate(plan, person.session.state(), "");
    if (gate) {
        say(fmt::format("a person approves {}", plan.actions[*gate].gate));
        (void)person.session.record(conduct::approval_of(plan, *gate, "a person"));
    }
}

// What a person reads who asks for the status, not who watches one conductor.
Json Site::last_halt(const model::Plan& plan) {
    Json halt;
    for (Event& event : events(plan)) {
        if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
            halt = std::move(event.detail);
        } else if (event.type == EventType::run_resumed) {
            halt = {};
        }
    }
    return halt;
}

Life Site::life_of(const model::Plan& plan) {
    Life life;
    life.state = replay(plan);
    life.halt = last_halt(plan);
    const auto gate = conduct::find_open_gate(plan, life.state, "");
    life.gate = gate ? plan.actions[*gate].gate : "";
    return life;
}

// From the lease to the end of this conductor.
Life Site::live(Conductor& conductor, const std::function<Status(conduct::RunSession&)>& act) {
    const model::Plan& plan = *conductor.prepared.plan;
    Life life;
    try {
        const Status status = act(conductor.session);
        life.error = status ? Error() : status.error();
    } catch (const Killed&) {
        life.died = true;
        say("it dies");
    }
    conductor.journal.release_lease(plan.run);
    life.records = conductor.journal.records();
    life.halt = conductor.journal.slept() ? last_halt(plan) : conductor.ear.halt;
    const bool knows = !life.died && life.error.code.empty() && !conductor.journal.slept();
    life.state = knows ? conductor.session.state() : replay(plan);
    if (const auto gate = conduct::find_open_gate(plan, life.state, ""); gate && !life.died) {
        life.gate = plan.actions[*gate].gate;
    }
    return life;
}

Life Site::conduct(const model::Plan& plan, const Death& death, bool approve) {
    if (approve) {
        approve_by_hand(plan);
    }
    Conductor conductor(*this, plan, death);
    return live(conductor, [&](conduct::RunSession& session) -> Status {
        const bool is_there = conductor.journal.find_run(plan.run).has_value();
        DRYDOCK_TRY(is_there ? session.take() : session.begin({}));
        return session.conduct();
    });
}

Status Site::abort(const model::Plan& plan, const Death& death, bool give_up_hosts) {
    Conductor conductor(*this, plan, death);
    const Life life = live(conductor, [&](conduct::RunSession& session) -> Status {
        DRYDOCK_TRY(session.take());
        DRYDOCK_TRY(session.abort(give_up_hosts));
        const auto& obstacle = session.obstacle().error;
        return obstacle ? Status(tl::unexpected(*obstacle)) : Status();
    });
    if (life.died) {
        return fail("sim.died", "the one who aborted died");
    }
    return life.error.code.empty() ? Status() : Status(tl::unexpected(life.error));
}

Life Site::apply(const model::Plan& plan, const Death& death) {
    Conductor conductor(*this, plan, death);
    return live(conductor, [&](conduct::RunSession& session) -> Status {
        const conduct::Obstacle obstacle = session.look_before_begin();
        if (obstacle.error) {
            return tl::unexpected(*obstacle.error);
        }
        if (!obstacle.drift.empty()) {
            PROBE("sim: a plan is applied in a world that moved");
            return fail("run.drift", obstacle.drift.front().key);
        }
        DRYDOCK_TRY(session.begin({}));
        return session.conduct();
    });
}

Site::WayBack Site::downgrade(const model::Plan& plan, const Compile& compile, const Death& death) {
    Conductor forward(*this, plan, death);
    std::optional<model::Plan> downgrade_plan;
    const Life forward_run = live(forward, [&](conduct::RunSession& session) -> Status {
        DRYDOCK_TRY(session.take());
        DRYDOCK_TRY(session.drain("the run is being taken back"));
        if (const auto& obstacle = session.obstacle().error) {
            return tl::unexpected(*obstacle);
        }
        if (run::closed_by(plan, session.state())) {
            PROBE("sim: the way back is closed");
            return fail("downgrade.closed", "the way back is closed");
        }
        DRYDOCK_TRY_ASSIGN(downgrade_plan, compile(plan));
        return {};
    });
    if (!downgrade_plan) {
        return {forward_run, std::nullopt};
    }
    Life life = conduct(*downgrade_plan);
    const bool has_begun = ground_.open_journal()->find_run(downgrade_plan->run).has_value();
    return {std::move(life), has_begun ? std::move(downgrade_plan) : std::nullopt};
}

}  // namespace drydock::sim
