// The commands that make, check and simulate plans: `plan`, `check`, `guide`, `sim`.
//
// `plan` runs the quick check and stores its verdict in the plan. `check` explores with the budgets
// that a person chose. Both exit with 1 if the check failed or did not end, so a script can stop
// there.
#include "cli/command.h"
#include "cli/say.h"
#include "os/files.h"

#include <algorithm>
#include <tuple>

namespace drydock::cli {

namespace {

// True if the counterexample broke something in the simulator, or could not be replayed to its end.
bool is_trouble(const sim::ReplayResult& story) {
    return story.is_reproduced || !story.violations.empty() || !story.divergence.empty();
}

}  // namespace

// Writes the plan, and remembers it as trusted. With a file of facts nobody was asked to trust the
// cluster file, so nothing is remembered.
Status Command::keep_plan(const model::Plan& plan) {
    if (invocation_.output.empty()) {
        return {};
    }
    DRYDOCK_TRY(app::write_plan(plan, invocation_.output));
    if (plan.facts_file.empty()) {
        std::ignore = app::remember_own(options(), plan);  // if it fails, `apply` asks
    }
    return {};
}

// A downgrade exits with 0 even if its check did not pass, since no person is refused a way back.
int Command::plan() {
    const bool way_back = invocation_.rebuild || !invocation_.restore.empty();
    if (invocation_.to.empty() && !way_back) {
        return refuse_use("plan: to which version?", "say --to VERSION");
    }
    auto answer = app::make_plan(
        options(),
        {invocation_.to, invocation_.rebuild, invocation_.restore, {}, invocation_.facts_file});
    if (!answer) {
        return refuse(answer.error());
    }
    const app::CheckResult checked = app::quick_check(options(), *answer);
    answer->check = app::verdict_of(checked, *answer);
    const bool holds = checked.report.verdict == checker::Verdict::holds;
    const bool passed = holds || answer->procedure != model::k_upgrade;
    if (const Status kept = keep_plan(*answer); !kept) {
        return refuse({app::k_exit_no, {kept.error()}});
    }
    if (invocation_.json) {
        console_.output << model::to_json(*answer).pretty() << "\n";
        return passed ? app::k_exit_done : app::k_exit_no;
    }
    console_.output << render_plan(*answer, screen_, invocation_.risks) << "\n"
                    << (holds ? render_checked(checked, screen_) : render_check(checked, screen_))
                    << (invocation_.output.empty()
                            ? "\nNothing was written; -o plan.json keeps this plan.\n"
                            : say("\nWritten: {0}. Next: drydock {1} {0}\n",
                                  invocation_.output,
                                  answer->facts_file.empty() ? "apply" : "check"));
    return passed ? app::k_exit_done : app::k_exit_no;
}

// The trace file holds the JSON of the report, whatever the screen shows; `sim --trace` replays it.
int Command::check() {
    const auto plan = app::read_plan(invocation_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    checker::Options check_options;
    const auto faults = checker::faults_from(invocation_.faults);
    if (!faults) {
        return refuse({app::k_exit_usage, {faults.error()}});
    }
    check_options.faults = *faults;
    for (const std::string& name : invocation_.properties) {
        check_options.properties.push_back(*checker::property_from(name));
    }
    const app::CheckResult checked = app::check(options(), *plan, check_options);
    Json json = checker::to_json(checked.report);
    json.set("took_ms", checked.took_ms).set("plan", plan->digest());
    if (!invocation_.trace.empty()) {
        const auto written = os::write_file_durable(invocation_.trace, json.pretty() + "\n", 0644);
        if (!written) {
            return refuse({app::k_exit_no, {written.error()}});
        }
    }
    console_.output << (invocation_.json ? json.pretty() + "\n" : render_check(checked, screen_));
    return checked.report.verdict == checker::Verdict::holds ? app::k_exit_done : app::k_exit_no;
}

int Command::guide() {
    const auto plan = app::read_plan(invocation_.plan_file);
    return plan ? write_out(render_guide(*plan)) : refuse(plan.error());
}

// The exit code is 1 if any counterexample breaks in the simulator, too.
int Command::replay(const model::Plan& plan, const std::function<void(const std::string&)>& tell) {
    const auto result = app::replay(plan, invocation_.trace, tell);
    const int exit_code = show(result, [&](const app::Replay& replay) {
        return (tell ? "\n" : "") + render_replay(replay, screen_);
    });
    const bool good =
        result && std::none_of(result->stories.begin(), result->stories.end(), is_trouble);
    return result && !good ? app::k_exit_no : exit_code;
}

// With `--verbose` one run is told line by line; otherwise many runs are counted.
int Command::sim() {
    const auto plan = app::read_plan(invocation_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    const auto tell = [&](const std::string& line) { console_.output << say("{}\n", line); };
    const bool tells_story = invocation_.verbose && !invocation_.json;
    if (!invocation_.trace.empty()) {
        return replay(*plan, tells_story ? std::function<void(const std::string&)>(tell) : nullptr);
    }
    const auto result = tells_story ? app::simulate(*plan, invocation_.seed, 1, tell)
                                    : app::simulate(*plan, invocation_.seed, invocation_.runs, {});
    const int exit_code = show(result, [&](const app::Simulation& simulation) {
        return (tells_story ? "\n" : "")
               + render_simulation(simulation, invocation_.plan_file, screen_);
    });
    return result && result->failed_runs > 0 ? app::k_exit_no : exit_code;
}

}  // namespace drydock::cli
