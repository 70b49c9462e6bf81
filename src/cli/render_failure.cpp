// The screen of a refusal: the error, the cause, and the commands to type next.
//
// Four sources are shown in this order: problems of input files, drift, errors, and recovery
// options. Drift replaces the errors, because its single error only says that there is drift.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

using app::Failure;

// The label tells the exit code in a word, so that a log shows it.
std::string_view label_of(const Failure& failure) {
    switch (failure.exit_code) {
    case app::k_exit_waiting:
        return "WAITING";
    case app::k_exit_halted:
        return "HALTED";
    case app::k_exit_moved:
        return "STOPPED";
    case app::k_exit_usage:
        return "drydock:";
    default:
        break;
    }
    return "NO";
}

// The label stands before the first error only; the others are aligned with it.
std::string error_lines(const Failure& failure, const Screen& screen) {
    const std::string label(label_of(failure));
    const std::string indent(label.size() + 2, ' ');
    std::string text;
    for (const Error& error : failure.errors) {
        const std::string lead = text.empty() ? screen.paint(Tone::bad, label) + "  " : indent;
        text += hang(lead, error.message, screen.width);
        text += error.remedy.empty() ? "" : hang(indent, error.remedy, screen.width);
    }
    return text;
}

// Input files are read before any host is contacted, and the last line says so.
std::string diagnostic_lines(const Failure& failure) {
    const auto& diagnostics = failure.diagnostics.all();
    if (diagnostics.empty()) {
        return "";
    }
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) {
        text += say("{}\n", diagnostic.text());
    }
    if (const std::size_t hidden_count = failure.diagnostics.count() - diagnostics.size();
        hidden_count > 0) {
        text += say("... and {} more\n", hidden_count);
    }
    return text + counted(failure.diagnostics.count(), "problem") + "; nothing was contacted.\n";
}

// Names the time in which the cluster moved: after the plan was made, or while no process
// conducted.
std::string drift_head(const FailureContext& context, const Screen& screen) {
    const std::string moment = context.command == "apply" || context.command == "upgrade"
                                   ? "since the plan was made"
                                   : "while nobody was conducting";
    return screen.paint(Tone::bad, "STOPPED")
           + say("  The world moved {}. Nothing was changed now.\n\n", moment);
}

std::string drift_table(const Failure& failure) {
    Table table;
    for (const run::Drift& difference : failure.drift) {
        const std::string evidence =
            difference.cannot_tell ? "cannot be told: " + difference.evidence : difference.evidence;
        table.add({difference.key, "expected", difference.expected});
        table.add({"", "found", difference.actual, evidence});
    }
    return table.text();
}

// Returns the drift that explains the others: a member that is down differs in many facts, and its
// service state is the one to name.
const run::Drift& plainest(const std::vector<run::Drift>& drift) {
    for (const char* fact : {"/running", "/service", "/installed"}) {
        for (const run::Drift& difference : drift) {
            if (difference.key.ends_with(fact)) {
                return difference;
            }
        }
    }
    return drift.front();
}

// Names the commands that continue from here. Where recovery options follow, they are the advice.
std::string drift_advice(const Failure& failure, const FailureContext& context) {
    if (!failure.recovery_options.empty()) {
        return "";  // the ways that are left follow
    }
    const std::string& file = context.cluster_file;
    const std::string target = context.target.empty() ? "VERSION" : context.target;
    Table table;
    table.add({"To go on from here as it is",
               say("drydock plan -c {} --to {} -o plan2.json", file, target)});
    if (context.command != "apply") {
        const run::Drift& first = plainest(failure.drift);
        table.add({"To go on with this run",
                   say("bring {} back to {}, then drydock resume -c {}",
                       first.key,
                       first.expected,
                       file)});
        table.add({"To go back", "drydock downgrade -c " + file});
    }
    return "\n" + table.text();
}

std::string
drift_lines(const Failure& failure, const FailureContext& context, const Screen& screen) {
    if (failure.drift.empty()) {
        return "";
    }
    return drift_head(context, screen) + drift_table(failure) + drift_advice(failure, context);
}

// Each recovery option has its cost on the first line and its command on the second.
std::string ways_left(const Failure& failure, const Screen& screen) {
    std::string text;
    for (const model::RecoveryOption& way : failure.recovery_options) {
        const std::string lead = "    " + pad(std::string(name_of(way.kind)), 9) + "  ";
        text += hang(lead, way.cost, screen.width);
        text += std::string(columns_of(lead), ' ') + say("{}\n", way.command);
    }
    return text.empty() ? "" : "\n  What is left\n" + text;
}

}  // namespace

std::string
render_failure(const Failure& failure, const FailureContext& context, const Screen& screen) {
    const std::string drift = drift_lines(failure, context, screen);
    const std::string errors = drift.empty() ? error_lines(failure, screen) : "";
    return diagnostic_lines(failure) + drift + errors + ways_left(failure, screen);
}

}  // namespace drydock::cli
