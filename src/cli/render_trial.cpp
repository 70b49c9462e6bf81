// The screens of `pack try` and `pack new`. The first line of a trial is its answer; then a line
// for each twin, then what stops it.
#include "cli/render_trial.h"

#include "base/text.h"
#include "cli/plan_summary.h"
#include "cli/say.h"
#include "trial/new_pack.h"

namespace drydock::cli {

namespace {

using trial::Trial;
using trial::TwinResult;

std::string name_of_twin(const TwinResult& twin) {
    return twin.twin.empty() ? "the plan" : twin.twin;
}

std::string stop_words(const trial::Stop& stop) {
    return say("stopped by {}: {}", std::string(name_of(stop.stage)), join(stop.names, ", "));
}

// The answer in one line, the most important one of the screen.
std::string head(const Trial& trial, const Screen& screen) {
    const bool is_good = trial.is_as_told();
    const bool is_case = trial.twins.size() > 1;
    if (is_good) {
        return screen.paint(Tone::good, is_case ? "As told" : "Passes")
               + (is_case ? ": each twin does what case.yaml says\n"
                          : ": nothing stops this plan\n");
    }
    std::string text = screen.paint(Tone::bad, is_case ? "Not as told" : "Stopped") + "\n";
    for (const TwinResult& twin : trial.twins) {
        for (const std::string& difference : twin.differs) {
            text += hang(say("  {}: ", name_of_twin(twin)), one_line(difference), screen.width);
        }
    }
    return text;
}

std::string title(const trial::Case& about, const Screen& screen) {
    const std::string report = about.report.empty() ? "" : say(" ({})", about.report);
    return about.title.empty() ? "" : hang("  ", say("{}{}", about.title, report), screen.width);
}

std::string outcome(const TwinResult& twin) {
    return twin.stop.is_there() ? stop_words(twin.stop) : "passes lint, route, preflight and check";
}

std::string size_of(const TwinResult& twin) {
    return twin.checked ? counted(twin.checked->report.states, "state") : "";
}

std::string twin_lines(const Trial& trial) {
    Table table;
    for (const TwinResult& twin : trial.twins) {
        table.add({one_line(name_of_twin(twin)),
                   twin.from.empty() ? "" : say("{} -> {}", twin.from, twin.to),
                   outcome(twin),
                   size_of(twin)});
    }
    return "\n" + table.text();
}

std::string story(const TwinResult& twin, const Screen& screen) {
    std::string text;
    for (const std::string& line : twin.stop.lines) {
        text += hang("    ", one_line(line), screen.width);
    }
    return text.empty() ? "" : say("\n  What stops {}\n", name_of_twin(twin)) + text;
}

// A way back may be certain only if facts that nobody models hold.
std::string certainty(const TwinResult& twin, const Screen& screen) {
    if (!twin.checked || twin.checked->report.hangs_on.empty()) {
        return "";
    }
    return "\n"
           + hang(say("  The way back of {} is ", name_of_twin(twin)),
                  certainty_words(twin.checked->report.hangs_on),
                  screen.width);
}

std::string warnings(const TwinResult& twin, const Screen& screen) {
    std::string text;
    for (const std::string& warning : twin.warnings) {
        text += hang("    ", one_line(warning), screen.width);
    }
    return text.empty() ? "" : say("\n  Warnings of lint, {}\n", name_of_twin(twin)) + text;
}

// Notes of the plan, such as of laws that are not asked.
std::string notes(const TwinResult& twin, const Screen& screen) {
    std::string text;
    if (twin.checked) {
        for (const std::string& note : twin.checked->plan.notes) {
            text += hang("    ", one_line(note), screen.width);
        }
    }
    return text.empty() ? "" : say("\n  Notes of the plan, {}\n", name_of_twin(twin)) + text;
}

}  // namespace

std::string render_trial(const Trial& trial, const Screen& screen) {
    std::string text = head(trial, screen) + title(trial.about, screen) + twin_lines(trial);
    for (const TwinResult& twin : trial.twins) {
        text += story(twin, screen) + certainty(twin, screen) + warnings(twin, screen)
                + notes(twin, screen);
    }
    return text;
}

namespace {

// Returns what to type next. Every line works as it is printed, in the folder in which `pack new`
// was typed.
std::string next_commands(const std::string& folder) {
    const auto below = [&](const char* name) { return shell_word(folder + "/" + name); };
    const std::string packs = "DRYDOCK_PACKS=" + below("pack");
    const std::string plan = below("plan.json");
    return say("\nNext, as you change it:\n"
               "  drydock pack lint {}\n"
               "  drydock pack try {}\n"
               "A plan from the facts in the file, its check, and its guide:\n"
               "  {} drydock plan -c {} --to {} --facts {} -o {}\n"
               "  {} drydock check {}\n"
               "  drydock guide {}\n",
               shell_word(folder),
               shell_word(folder),
               packs,
               below("cluster.yaml"),
               trial::k_new_case_target,
               below("facts.yaml"),
               plan,
               packs,
               plan,
               plan);
}

}  // namespace

std::string render_new_pack(const app::NewPack& made, bool dry_run) {
    std::string text = dry_run ? "Dry run: nothing was written. These files would be:\n"
                               : say("Written below {}:\n", made.folder);
    for (const std::string& file : made.files) {
        text += say("  {}\n", file);
    }
    return dry_run ? text : text + next_commands(made.folder);
}

namespace {

Json list_of(const std::vector<std::string>& words) {
    Json list = Json::Array{};
    for (const std::string& word : words) {
        list.push(word);
    }
    return list;
}

Json json_of_twin(const TwinResult& twin) {
    Json json;
    json.set("twin", twin.twin).set("from", twin.from).set("to", twin.to);
    json.set("stopped_by", std::string(name_of(twin.stop.stage)))
        .set("names", list_of(twin.stop.names))
        .set("told", list_of(twin.stop.lines));
    json.set("differs", list_of(twin.differs)).set("warnings", list_of(twin.warnings));
    if (twin.checked) {
        json.set("report", checker::to_json(twin.checked->report));
    }
    return json;
}

}  // namespace

Json json_of(const Trial& trial) {
    Json twins = Json::Array{};
    for (const TwinResult& twin : trial.twins) {
        twins.push(json_of_twin(twin));
    }
    Json json;
    json.set("as_told", trial.is_as_told()).set("twins", std::move(twins));
    return json.set("title", trial.about.title).set("report", trial.about.report);
}

Json json_of(const app::NewPack& made) {
    Json json;
    return json.set("folder", made.folder).set("files", list_of(made.files));
}

}  // namespace drydock::cli
