// The screens of `sim`: the sums of many runs, or the replayed counterexamples of a check.
//
// Each failed run is printed with the command that repeats it. The list of parts that are not
// simulated is always printed, so that "nothing went wrong" never claims more than was tried.
#include "cli/json.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

std::string show_not_simulated(const std::vector<std::string>& omissions) {
    std::string text = "\nNot simulated:\n";
    for (const std::string& omission : omissions) {
        text += say("  - {}\n", omission);
    }
    return text;
}

Json json_of(const std::vector<std::string>& texts) {
    return Json(Json::Array(texts.begin(), texts.end()));
}

Json json_of(const std::vector<sim::Violation>& wrongs) {
    Json list = Json::Array{};
    for (const sim::Violation& wrong : wrongs) {
        Json entry;
        list.push(entry.set("property", wrong.property).set("what", wrong.description));
    }
    return list;
}

// Bad if the counterexample breaks here, too; a warning if it could not be replayed to its end.
Tone tone_of(const sim::ReplayResult& story) {
    return story.is_reproduced ? Tone::bad : (story.divergence.empty() ? Tone::good : Tone::warn);
}

// Returns the result of a replay. A counterexample that does not break in the simulator shows that
// model and runner differ, unless the simulator does not judge its property.
std::string ending_of(const sim::ReplayResult& story) {
    if (story.is_reproduced) {
        return say("breaks here, too, after {} of {} turns", story.steps_replayed, story.steps);
    }
    if (!story.divergence.empty()) {
        return story.divergence;
    }
    return story.is_judged
               ? say("all {} turns came about, and it does not break here", story.steps)
               : say("all {} turns came about; the simulator does not judge this", story.steps);
}

}  // namespace

std::string render_simulation(const app::Simulation& simulation,
                              const std::string& plan_file,
                              const Screen& screen) {
    std::string text =
        simulation.failed_runs == 0
            ? screen.paint(Tone::good, "Nothing went wrong")
            : screen.paint(Tone::bad, counted(simulation.failed_runs, "run") + " went wrong");
    text += say(" in {}: {}, {}, {}; {:.1f} s\n",
                counted(simulation.runs, "run"),
                counted(simulation.faults, "fault"),
                counted(simulation.conductors, "conductor"),
                counted(simulation.halts, "halt"),
                static_cast<double>(simulation.took_ms) / 1000);
    for (const sim::SimulationSummary& run : simulation.examples) {
        text += say("\nseed {}: {}, {}, {}\n",
                    run.seed,
                    counted(static_cast<std::size_t>(run.faults), "fault"),
                    counted(static_cast<std::size_t>(run.conductors), "conductor"),
                    counted(static_cast<std::size_t>(run.halts), "halt"));
        for (const sim::Violation& wrong : run.violations) {
            text +=
                say("  {}: {}\n", screen.paint(Tone::strong, wrong.property), wrong.description);
        }
        text +=
            say("  again, as a story: drydock sim {} --seed {} --verbose\n", plan_file, run.seed);
    }
    return text + show_not_simulated(simulation.not_simulated);
}

// Violations that a replay met on its way are listed below it, whatever property it was for.
std::string render_replay(const app::Replay& replay, const Screen& screen) {
    std::string text = replay.stories.empty() ? "There is no story to replay.\n" : "";
    for (const sim::ReplayResult& story : replay.stories) {
        text += say("{}: {}\n",
                    screen.paint(Tone::strong, story.property),
                    screen.paint(tone_of(story), ending_of(story)));
        for (const sim::Violation& wrong : story.violations) {
            text += say("  {}: {}\n", wrong.property, wrong.description);
        }
    }
    return text + show_not_simulated(replay.not_simulated);
}

Json json_of(const app::Replay& replay) {
    Json stories = Json::Array{};
    for (const sim::ReplayResult& story : replay.stories) {
        Json entry;
        entry.set("property", story.property)
            .set("turns", story.steps)
            .set("told", story.steps_replayed);
        entry.set("obstacle", story.divergence).set("judged", story.is_judged);
        entry.set("breaks", story.is_reproduced).set("wrong", json_of(story.violations));
        stories.push(std::move(entry));
    }
    Json json;
    return json.set("stories", std::move(stories))
        .set("not_simulated", json_of(replay.not_simulated));
}

// `shown` holds the first failed runs, each with the seed that repeats it.
Json json_of(const app::Simulation& simulation) {
    Json shown = Json::Array{};
    for (const sim::SimulationSummary& run : simulation.examples) {
        Json json;
        json.set("seed", run.seed).set("finished", run.finished).set("faults", run.faults);
        json.set("conductors", run.conductors).set("halts", run.halts);
        json.set("simulated_ms", run.took_ms).set("wrong", json_of(run.violations));
        shown.push(std::move(json));
    }
    Json json;
    json.set("seed", simulation.seed).set("runs", simulation.runs).set("faults", simulation.faults);
    json.set("conductors", simulation.conductors)
        .set("halts", simulation.halts)
        .set("took_ms", simulation.took_ms);
    json.set("wrong", simulation.failed_runs).set("shown", std::move(shown));
    return json.set("not_simulated", json_of(simulation.not_simulated));
}

}  // namespace drydock::cli
