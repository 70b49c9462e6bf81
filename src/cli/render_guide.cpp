// Renders a plan as a guide in Markdown: the steps that a person would do by hand, each with its
// reason and its source.
//
// The guide is made from the same plan that `apply` runs, so the two cannot disagree. Texts of
// packs and cluster files become part of a document, so each is escaped for its place: a line, a
// cell of a table, or a fenced block. A check that guards many steps is written once and then named
// by its number.
#include "base/hash.h"
#include "base/text.h"
#include "cli/plan_summary.h"
#include "cli/render.h"
#include "cli/say.h"
#include "cli/visible.h"

#include <algorithm>
#include <map>

namespace drydock::cli {

namespace {

using model::Action;
using model::Condition;
using model::Plan;

// Escapes a text for a line of Markdown: no HTML, no link, no line break.
std::string inline_text(std::string_view text) {
    std::string result;
    for (const char c : one_line(text)) {
        result += c == '<'                ? "&lt;"
                  : c == '[' || c == '\\' ? std::string("\\") + c
                                          : std::string(1, c);
    }
    return result;
}

// Escapes a text for a cell of a table, which a bar would end.
std::string cell_text(std::string_view text) {
    std::string result;
    for (const char c : inline_text(text)) {
        result += c == '|' ? std::string("\\|") : std::string(1, c);
    }
    return result;
}

// Escapes a command for a cell; a backtick of its own would end the code span.
std::string cell_code(std::string_view text) {
    std::string result;
    for (const char c : one_line(text)) {
        result += c == '|' ? std::string("\\|") : std::string(1, c == '`' ? '\'' : c);
    }
    return result;
}

// Returns a fenced block. The fence is longer than any run of backticks in the text.
std::string fenced(const std::string& text) {
    std::string fence = "```";
    while (text.find(fence) != std::string::npos) {
        fence += '`';
    }
    return fence + "sh\n" + text + "\n" + fence;
}

// Begins with the facts that a person needs before the first step: the time, the soak, and whether
// there is an outage.
std::string head(const Plan& plan, const Outline& outline) {
    std::string text = say("# {}: {} {} to {}\n\n",
                           inline_text(plan.cluster),
                           inline_text(plan.system),
                           inline_text(plan.from_version),
                           inline_text(plan.to_version));
    text += say("{} {}, in this order: {}. Plan `{}`.\n\n",
                counted(plan.members().size(), "member"),
                inline_text(plan.kind),
                inline_text(join(plan.members(), ", ")),
                plan.digest().substr(0, 8));
    text +=
        "`drydock apply` does exactly this, checks what is said here before and after each step, "
        "and keeps a record.\nBy hand: do the steps in order; where a check does not hold, stop "
        "there.\n\n";
    text += "## Before you begin\n\n";
    if (outline.takes_ms > 0) {
        text += say("- It takes about {}", about(outline.takes_ms));
        text += outline.soak_ms > 0 ? say(", and {} of soak.\n", about(outline.soak_ms)) : ".\n";
    }
    const std::string verb = outline.outage ? "**There is an outage**: down to" : "At least";
    return text
           + say("- {} {} of {} members serve at any moment.\n",
                 verb,
                 outline.serving_min,
                 outline.members)
           + (outline.refuses_writes ? "- For a time writes are refused.\n" : "");
}

// Returns the number of a step, counted as phases() does: gates have none.
std::size_t number_of(const Outline& outline, std::string_view id) {
    std::size_t number = 0;
    for (const Block& block : outline.blocks) {
        for (const Action* action : block.actions) {
            number += action->is_gate() ? 0U : 1U;
            if (action->id == id) {
                return number;
            }
        }
    }
    return number;
}

// Names the step after which no downgrade is possible, before the first step is done.
std::string return_point(const Plan& plan, const Outline& outline) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    if (!point.exists) {
        return "";
    }
    return say("- The point of no return is step {}, behind gate \"{}\" (`{}`). Why: {}.\n",
               number_of(outline, point.action),
               point.gate,
               inline_text(point.source),
               inline_text(point.because));
}

std::string ways_back(const Plan& plan) {
    if (plan.ways_back.empty()) {
        return "";
    }
    std::string text = "\n| While | Way back | Costs | Type |\n| --- | --- | --- | --- |\n";
    for (const model::RecoveryOption& way : plan.ways_back) {
        text += say("| {} | {} | {} | `{}` |\n",
                    cell_text(way.phase),
                    cell_text(std::string(name_of(way.kind))),
                    cell_text(cost_words(way, plan)),
                    cell_code(way.command));
    }
    return text;
}

// All risks are listed with their states, even those that the facts rule out.
std::string risks(const Plan& plan) {
    std::string text;
    for (const model::RiskNote& risk : plan.risks) {
        text += say("- {}: {} ({}; {})\n",
                    inline_text(risk.id),
                    inline_text(risk.because),
                    inline_text(std::string(name_of(risk.state))),
                    inline_text(risk.source));
    }
    return text.empty() ? "" : "\nKnown risks:\n\n" + text;
}

std::string line_of(const Condition& condition) {
    return inline_text(describe(condition)
                       + (condition.remedy.empty() ? "" : ". If not: " + condition.remedy));
}

std::vector<std::string> lines_of(const std::vector<Condition>& list) {
    std::vector<std::string> lines;
    for (const Condition& condition : list) {
        lines.push_back(line_of(condition));
    }
    return lines;
}

std::string bullets(std::string_view label, const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) {
        text += say("      - {}\n", line);
    }
    return text.empty() ? "" : say("    - {}:\n", label) + text;
}

std::string conditions(std::string_view label, const std::vector<Condition>& list) {
    return bullets(label, lines_of(list));
}

// A standing check: it guards every later change as well, and is named there by its step's number.
struct StandingCheck {
    std::size_t number = 0;
    std::vector<std::string> lines;
};

// Returns the checks before an action. Those that an earlier step has listed are replaced by that
// step's number; they are found as a run of equal lines.
std::vector<std::string> checks_of(const Action& action,
                                   const std::vector<StandingCheck>& earlier) {
    std::vector<std::string> lines = lines_of(action.preconditions);
    for (const StandingCheck& standing_check : earlier) {
        const auto match = std::search(
            lines.begin(), lines.end(), standing_check.lines.begin(), standing_check.lines.end());
        if (!standing_check.lines.empty() && match != lines.end()) {
            const auto end = match + static_cast<std::ptrdiff_t>(standing_check.lines.size());
            *match = say("as in step {}", standing_check.number);
            lines.erase(match + 1, end);
        }
    }
    return lines;
}

// Indents a block, so that Markdown takes it as a part of the list item before it.
std::string indented(const std::string& text, std::size_t columns) {
    std::string result;
    for (const std::string& line : split(text, '\n')) {
        result += std::string(columns, ' ') + line + "\n";
    }
    return result;
}

std::string digest_of(const Json& script) {
    return sha256_hex(script["content"].as_string()).substr(0, 12);
}

// A command that contains a script refers to the end of the guide, where each script is printed
// once.
std::string command(const Action& action) {
    const std::string shell = shell_of(action.request);
    if (shell.empty()) {
        return "";
    }
    const Json& script = action.request["script"];
    const std::string note = script.is_null()
                                 ? ""
                                 : say(" (`${{script}}` is [{}](#scripts), at the end, "
                                       "digest {})",
                                       inline_text(script["name"].as_string()),
                                       digest_of(script));
    return say("    - Do, on host {}{}:\n\n", action.host, note) + indented(fenced(shell), 6)
           + "\n";
}

// Returns the title with the member in it: "scm1: close all containers", "start om1 on 2.2.1".
std::string heading(const Action& action, const Plan& plan) {
    const bool named =
        !action.member.empty() && action.title.find(action.member) != std::string::npos;
    return named                   ? action.title
           : action.member.empty() ? words_of(action, plan)
                                   : say("{}: {}", action.member, words_of(action, plan));
}

std::string step(std::size_t number,
                 const Action& action,
                 const Plan& plan,
                 const std::vector<StandingCheck>& standing_checks) {
    std::string text = say("{}. **{}**\n", number, inline_text(heading(action, plan)));
    text += action.rationale.empty() ? "" : say("    - Why: {}\n", inline_text(action.rationale));
    text += conditions("Only if", action.applies_if);
    text += bullets("Check before", checks_of(action, standing_checks));
    text += command(action);
    text += conditions("See after", action.postconditions);
    text += action.remedy.empty() ? "" : say("    - If it fails: {}\n", inline_text(action.remedy));
    return text + say("    - Source: `{}`\n\n", inline_text(action.source));
}

// A gate is a decision, so it has no number and says what the person approves.
std::string gate(const Action& action) {
    std::string text = say("> **Gate \"{}\".** ", inline_text(action.gate));
    text += action.soak_ms > 0 ? say("Wait {}, then decide. ", about(action.soak_ms)) : "";
    text += say("What you approve: {}\n", inline_text(action.reason));
    for (const std::string& line : lines_of(action.applies_if)) {
        text += say(">\n> You are asked only if {}.\n", line);
    }
    text += action.rationale.empty() ? "" : ">\n> " + inline_text(action.rationale) + "\n";
    text += action.is_point_of_no_return ? ">\n> Behind this there is no way back in place.\n" : "";
    return text + "\n";
}

// A standing check is added after its own step, since that step lists its checks in full.
std::string phases(const Plan& plan, const Outline& outline) {
    std::string text;
    std::string phase;
    std::size_t number = 0;
    std::vector<StandingCheck> standing_checks;
    for (const Block& block : outline.blocks) {
        if (block.phase != phase) {
            phase = block.phase;
            text += say("## {}\n\n", inline_text(phase));
        }
        for (const Action* action : block.actions) {
            text +=
                action->is_gate() ? gate(*action) : step(++number, *action, plan, standing_checks);
            if (action->standing) {
                standing_checks.push_back({number, lines_of(action->preconditions)});
            }
        }
    }
    return text;
}

// Prints each script once. Two scripts of one name are told apart by their digests.
std::string scripts(const Plan& plan) {
    std::map<std::pair<std::string, std::string>, std::string> contents;
    for (const Action& action : plan.actions) {
        const Json& script = action.request["script"];
        if (!script.is_null()) {
            contents[{script["name"].as_string(), digest_of(script)}] =
                script["content"].as_string();
        }
    }
    std::string text = contents.empty() ? "" : "## Scripts\n\n";
    for (const auto& [name, content] : contents) {
        text += say("### {}, digest {}\n\n", inline_text(name.first), inline_text(name.second))
                + fenced(trim(content)) + "\n\n";
    }
    return text;
}

}  // namespace

std::string render_guide(const Plan& plan) {
    const Outline outline = outline_of(plan);
    return head(plan, outline) + return_point(plan, outline) + ways_back(plan) + risks(plan) + "\n"
           + phases(plan, outline) + scripts(plan);
}

}  // namespace drydock::cli
