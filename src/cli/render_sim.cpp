// What a simulation found: the sums, each run that went wrong with the command that repeats it, and
// what was not simulated.
#include "cli/json.h"
#include "cli/render.h"

#include <fmt/format.h>

namespace drydock::cli {

std::string
render_simulation(const app::Simulation& all, const std::string& plan_file, const Screen& screen) {
    std::string out = all.wrong == 0
                          ? screen.paint(Tone::good, "Nothing went wrong")
                          : screen.paint(Tone::bad, counted(all.wrong, "run") + " went wrong");
    out += fmt::format(" in {}: {}, {}, {}; {:.1f} s\n",
                       counted(all.runs, "run"),
                       counted(all.faults, "fault"),
                       counted(all.conductors, "conductor"),
                       counted(all.halts, "halt"),
                       static_cast<double>(all.took_ms) / 1000);
    for (const sim::Simulated& run : all.shown) {
        out += fmt::format("\nseed {}: {}, {}, {}\n",
                           run.seed,
                           counted(static_cast<std::size_t>(run.faults), "fault"),
                           counted(static_cast<std::size_t>(run.conductors), "conductor"),
                           counted(static_cast<std::size_t>(run.halts), "halt"));
        for (const sim::Wrong& wrong : run.wrong) {
            out +=
                fmt::format("  {}: {}\n", screen.paint(Tone::strong, wrong.property), wrong.what);
        }
        out += fmt::format(
            "  again, as a story: drydock sim {} --seed {} --verbose\n", plan_file, run.seed);
    }
    out += "\nNot simulated:\n";
    for (const std::string& one : all.not_simulated) {
        out += fmt::format("  - {}\n", one);
    }
    return out;
}

Json json_of(const app::Simulation& all) {
    Json shown = Json::Array{};
    for (const sim::Simulated& run : all.shown) {
        Json wrongs = Json::Array{};
        for (const sim::Wrong& wrong : run.wrong) {
            Json one;
            wrongs.push(one.set("property", wrong.property).set("what", wrong.what));
        }
        Json json;
        json.set("seed", run.seed).set("finished", run.finished).set("faults", run.faults);
        json.set("conductors", run.conductors).set("halts", run.halts);
        json.set("simulated_ms", run.took_ms).set("wrong", std::move(wrongs));
        shown.push(std::move(json));
    }
    Json json;
    json.set("seed", all.seed).set("runs", all.runs).set("faults", all.faults);
    json.set("conductors", all.conductors).set("halts", all.halts).set("took_ms", all.took_ms);
    json.set("wrong", all.wrong).set("shown", std::move(shown));
    Json not_simulated = Json::Array{};
    for (const std::string& one : all.not_simulated) {
        not_simulated.push(one);
    }
    return json.set("not_simulated", std::move(not_simulated));
}

}  // namespace drydock::cli
