// A replay from trace to result. The order: read the trace, choose initial facts, let the replayer
// drive conductors until the trace ends or diverges, collect violations.
//
// For `stuck` the trace is only the beginning. Afterwards the run goes on without faults and with
// an operator. The property is violated if it does not end even then.
#include "sim/replay_counterexample.h"

#include "journal/memory/memory_journal.h"
#include "run/expected_facts.h"
#include "sim/trace_replayer.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

using run::TraceStepKind;
using transport::Faults;

constexpr int k_lives_max = 60;  // conductors of one replay
constexpr int k_patience = 24;   // repairs by an operator

// True if the plan has the subject of the step.
bool is_known(const model::Plan& plan, const TraceStep& turn, const std::string& kind) {
    if (kind == "action") {
        return plan.find(turn.subject) != nullptr;
    }
    if (kind == "member") {
        return plan.member_hosts.contains(turn.subject);
    }
    if (kind == "host") {
        return plan.hosts.contains(turn.subject);
    }
    return std::any_of(plan.stores.begin(), plan.stores.end(), [&](const auto& store) {
        return store.name == turn.subject;
    });
}

Result<TraceStepKind> kind_of(const Json& step, std::size_t position) {
    if (const auto kind = run::k_trace_steps.parse(step["what"].as_string())) {
        return *kind;
    }
    return fail("replay.trace",
                fmt::format("turn {} does not say what happened", position),
                "use a file that `drydock check PLAN --trace FILE` wrote");
}

// A halt names the action that failed, but its step belongs to the run.
Result<std::vector<TraceStep>> read_story(const model::Plan& plan, const Json& trace) {
    std::vector<TraceStep> story;
    for (const Json& step : trace.items()) {
        TraceStep turn;
        DRYDOCK_TRY_ASSIGN(turn.kind, kind_of(step, story.size() + 1));
        for (const char* kind : {"action", "member", "host", "store"}) {
            if (step.contains(kind)) {
                turn.subject = step[kind].as_string();
                if (!is_known(plan, turn, kind)) {
                    return fail("replay.trace",
                                fmt::format("turn {}: the plan has no {} \"{}\"",
                                            story.size() + 1,
                                            kind,
                                            turn.subject),
                                "replay a trace with the very plan that was checked");
                }
            }
        }
        if (turn.kind == TraceStepKind::halted || turn.kind == TraceStepKind::finished) {
            turn.subject.clear();  // of the run
        }
        story.push_back(std::move(turn));
    }
    return story;
}

// The cluster of a replay. No fault happens there but those of the trace.
class ReplayRun {
public:
    ReplayRun(const model::Plan& plan, std::vector<TraceStep> story)
        : plan_(standing_alone(plan))
        , rehearsed_(choose_initial_facts(plan, dice_))
        , system_(plan, rehearsed_, dice_)
        , director_(plan, system_, std::move(story))
        , site_(system_, clock_, dice_, environment()) {
        director_.take_over(site_);
    }

    void tell(const std::function<void(const std::string&)>& tell) { site_.set_log(tell); }

    // Alternates between conductors and the acts of the person, until the replayer has no next act.
    void play() {
        auto next = TraceReplayer::Next::conduct;
        for (int life = 0; life < k_lives_max && next != TraceReplayer::Next::over; ++life) {
            last_ = site_.conduct(plan_, {}, next == TraceReplayer::Next::approve);
            next = director_.between(site_, last_);
        }
        is_over_ = true;
        director_.finish_begun(site_);
    }

    // True if the run ends once no fault happens and a person helps. Lost hosts come back first,
    // and held actions end.
    bool can_terminate() {
        const auto running = [&](const std::string& host) {
            return *site_.transport.host(host).running();
        };
        for (const auto& [host, unused] : plan_.hosts) {
            site_.transport.lose(host, 0);
            site_.transport.host(host).hold(false);
            for (const auto& [key, journal] : running(host)) {
                site_.transport.host(host).finish(key);
            }
        }
        const SimulationResult ending = site_.run_to_completion(plan_, {}, k_patience);
        return ending.final_state.state.phase() == run::Phase::finished;
    }

    std::vector<Violation> violations() {
        std::vector<Violation> violations = system_.violations();
        for (Violation& violation : find_repeated_effects(site_, plan_)) {
            violations.push_back(std::move(violation));
        }
        if (last_.state.phase() == run::Phase::finished) {
            for (Violation& violation : system_.left_behind()) {
                violations.push_back(std::move(violation));
            }
        }
        return violations;
    }

    [[nodiscard]] const TraceReplayer& director() const { return director_; }

private:
    Environment environment() {
        return {[store = journal::make_memory_store()] { return journal::open_memory(store); },
                [this](const model::Plan& plan, const ConductorRun& life) {
                    system_.repair(life.halt, run::expected_facts(plan, life.state));
                },
                [this](const std::string& gate, std::vector<Violation>&) { system_.approve(gate); },
                {},
                [this](const run::Event& event) {
                    if (!is_over_) {
                        director_.on_event(event);
                    }
                },
                [this] {
                    if (!is_over_) {
                        director_.before_wait(site_);
                    }
                }};
    }

    const model::Plan plan_;  // as it is conducted
    Faults dice_ = Faults(1);
    transport::FakeClock clock_;
    InitialFacts rehearsed_;
    ModelledSystem system_;
    TraceReplayer director_;
    Simulation site_;
    ConductorRun last_;
    bool is_over_ = false;
};

// The simulator has no model of acknowledged writes, and compiles no downgrade from a state.
bool is_judged(const std::string& property) {
    return property != "lost-writes" && property != "no-way-back";
}

}  // namespace

Result<ReplayResult> replay(const model::Plan& plan,
                            const std::string& property,
                            const Json& trace,
                            const std::function<void(const std::string&)>& tell) {
    DRYDOCK_TRY_ASSIGN(std::vector<TraceStep> story, read_story(plan, trace));
    ReplayResult replayed;
    replayed.property = property;
    replayed.steps = story.size();
    replayed.is_judged = is_judged(property);
    ReplayRun stage(plan, std::move(story));
    if (tell) {
        stage.tell(tell);
    }
    stage.play();
    replayed.steps_replayed = stage.director().steps_replayed();
    replayed.divergence = stage.director().divergence();
    replayed.violations = stage.violations();
    if (property == "stuck" && replayed.divergence.empty() && !stage.can_terminate()) {
        replayed.violations.push_back({"stuck", "not finished, though nothing more went wrong"});
    }
    replayed.is_reproduced =
        std::any_of(replayed.violations.begin(),
                    replayed.violations.end(),
                    [&](const Violation& violation) { return violation.property == property; });
    return replayed;
}

}  // namespace drydock::sim
