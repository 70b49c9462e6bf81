// Refusals: what, where, why, and what to type next.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

using app::Failure;

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

std::string error_lines(const Failure& failure, const Screen& screen) {
    const std::string label(label_of(failure));
    const std::string indent(label.size() + 2, ' ');
    std::string out;
    for (const Error& error : failure.errors) {
        const std::string lead = out.empty() ? screen.paint(Tone::bad, label) + "  " : indent;
        out += hang(lead, error.message, screen.width);
        out += error.remedy.empty() ? "" : hang(indent, error.remedy, screen.width);
    }
    return out;
}

std::string diagnostic_lines(const Failure& failure) {
    const auto& all = failure.diagnostics.all();
    if (all.empty()) {
        return "";
    }
    std::string out;
    for (const Diagnostic& one : all) {
        out += say("{}\n", one.text());
    }
    if (const std::size_t more = failure.diagnostics.count() - all.size(); more > 0) {
        out += say("... and {} more\n", more);
    }
    return out + counted(failure.diagnostics.count(), "problem") + "; nothing was contacted.\n";
}

std::string drift_head(const Asked& asked, const Screen& screen) {
    const std::string when = asked.command == "apply" || asked.command == "upgrade"
                                 ? "since the plan was made"
                                 : "while nobody was conducting";
    return screen.paint(Tone::bad, "STOPPED")
           + say("  The world moved {}. Nothing was changed now.\n\n", when);
}

std::string drift_table(const Failure& failure) {
    Table table;
    for (const run::Drift& one : failure.drift) {
        const std::string evidence =
            one.cannot_tell ? "cannot be told: " + one.evidence : one.evidence;
        table.add({one.key, "expected", one.expected});
        table.add({"", "found", one.found, evidence});
    }
    return table.text();
}

// A member that is down differs in many facts; that it is down is the one to name.
const run::Drift& plainest(const std::vector<run::Drift>& drift) {
    for (const char* fact : {"/running", "/service", "/installed"}) {
        for (const run::Drift& one : drift) {
            if (one.key.ends_with(fact)) {
                return one;
            }
        }
    }
    return drift.front();
}

std::string drift_advice(const Failure& failure, const Asked& asked) {
    if (!failure.left.empty()) {
        return "";  // the ways that are left follow
    }
    const std::string& file = asked.cluster_file;
    const std::string to = asked.to.empty() ? "VERSION" : asked.to;
    Table table;
    table.add(
        {"To go on from here as it is", say("drydock plan -c {} --to {} -o plan2.json", file, to)});
    if (asked.command != "apply") {
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

std::string drift_lines(const Failure& failure, const Asked& asked, const Screen& screen) {
    if (failure.drift.empty()) {
        return "";
    }
    return drift_head(asked, screen) + drift_table(failure) + drift_advice(failure, asked);
}

std::string ways_left(const Failure& failure, const Screen& screen) {
    std::string out;
    for (const model::WayBack& way : failure.left) {
        const std::string lead = "    " + pad(way.kind, 9) + "  ";
        out += hang(lead, way.cost, screen.width);
        out += std::string(columns_of(lead), ' ') + say("{}\n", way.command);
    }
    return out.empty() ? "" : "\n  What is left\n" + out;
}

}  // namespace

std::string render_failure(const Failure& failure, const Asked& asked, const Screen& screen) {
    const std::string drift = drift_lines(failure, asked, screen);
    const std::string errors = drift.empty() ? error_lines(failure, screen) : "";
    return diagnostic_lines(failure) + drift + errors + ways_left(failure, screen);
}

}  // namespace drydock::cli
