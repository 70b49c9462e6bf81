// The screens of a check: the verdict, its budgets and size, each counterexample, and the limits.
//
// The list of parts that were not modelled is always printed, so that "holds" never claims more
// than was explored.
#include "cli/plan_summary.h"
#include "cli/render.h"
#include "cli/say.h"

namespace drydock::cli {

namespace {

using checker::Report;
using checker::Verdict;
using checker::Violation;

// Returns a number with commas: "281,285".
std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t index = text.size(); index > 3; index -= 3) {
        text.insert(index - 3, ",");
    }
    return text;
}

// Shows how much was explored, since "holds" is only as good as the explored states.
std::string size_of(const Report& report, std::int64_t took_ms) {
    return say("{} states, {} transitions, {} worlds with their way back; {} MB, {:.1f} s",
               grouped(report.states),
               grouped(report.transitions),
               grouped(report.downgrade_starts),
               (report.bytes >> 20U) + 1,
               static_cast<double>(took_ms) / 1000);
}

// A check that was stopped names the depth that it completed: nothing breaks within so many steps.
std::string head(const Report& report, const Screen& screen) {
    switch (report.verdict) {
    case Verdict::holds:
        return screen.paint(Tone::good, "Holds") + ": nothing breaks within the budgets";
    case Verdict::violated:
        return screen.paint(Tone::bad, "Does not hold") + ": "
               + counted(report.violations.size(), "rule") + " can be broken";
    case Verdict::unfinished:
        break;
    }
    return screen.paint(Tone::bad, "Not finished")
           + say(": stopped at {} states, checked up to depth {}",
                 grouped(report.states),
                 report.depth);
}

// Numbers only the steps that have a text: some transitions of the model are internal.
std::string story_of(const Violation& violation, const Screen& screen) {
    std::string text = say("\n{}: {}\n  {}\n",
                           screen.paint(Tone::strong, std::string(name_of(violation.property))),
                           rule_of(violation.property),
                           violation.because);
    int number = 0;
    for (const checker::TraceStep& step : violation.story) {
        if (!step.text.empty()) {
            text += say("  {:3}. {}\n", ++number, step.text);
        }
    }
    if (!violation.source.empty()) {
        text += say("  see {} ({})\n", violation.source, violation.action);
    }
    return text + say("  what to change: {}\n", violation.hint);
}

}  // namespace

std::string render_checked(const app::CheckResult& checked, const Screen& screen) {
    return say("Checked: {} ({}; {})\n",
               head(checked.report, screen),
               checker::show(checked.report.faults),
               size_of(checked.report, checked.took_ms));
}

// Shows the report of a check that a person asked for; render_checked() is the line in `plan`.
std::string render_check(const app::CheckResult& checked, const Screen& screen) {
    const Report& report = checked.report;
    std::string text = head(report, screen) + "\n";
    text += say("  budgets: {}\n", checker::show(report.faults));
    text += say("  {}\n", size_of(report, checked.took_ms));
    if (!report.return_point.empty()) {
        text += say("  the way back closes with {}\n", report.return_point);
    }
    if (!report.hangs_on.empty()) {
        text += say("  the way back is {}\n", certainty_words(report.hangs_on));
    }
    if (!report.note.empty()) {
        text += say("  {}\n", report.note);
    }
    for (const Violation& violation : report.violations) {
        text += story_of(violation, screen);
    }
    text += "\nNot looked at:\n";
    for (const std::string& omission : report.not_modelled) {
        text += say("  - {}\n", omission);
    }
    return text;
}

}  // namespace drydock::cli
