// The plan as a guide: what a person would do by hand, step by step, with the reason and the source
// of each.
#include "base/hash.h"
#include "base/text.h"
#include "cli/outline.h"
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

// Text of a plan inside a line of Markdown: no HTML, no link, no line of its own.
std::string inline_text(std::string_view text) {
    std::string out;
    for (const char c : one_line(text)) {
        out += c == '<'                ? "&lt;"
               : c == '[' || c == '\\' ? std::string("\\") + c
                                       : std::string(1, c);
    }
    return out;
}

// Text in a cell of a table, which a bar would end.
std::string cell_text(std::string_view text) {
    std::string out;
    for (const char c : inline_text(text)) {
        out += c == '|' ? std::string("\\|") : std::string(1, c);
    }
    return out;
}

// A command in a cell; a mark of its own would end the span.
std::string cell_code(std::string_view text) {
    std::string out;
    for (const char c : one_line(text)) {
        out += c == '|' ? std::string("\\|") : std::string(1, c == '`' ? '\'' : c);
    }
    return out;
}

// A fence that the text itself cannot close.
std::string fenced(const std::string& text) {
    std::string fence = "```";
    while (text.find(fence) != std::string::npos) {
        fence += '`';
    }
    return fence + "sh\n" + text + "\n" + fence;
}

std::string head(const Plan& plan, const Outline& outline) {
    std::string out = say("# {}: {} {} to {}\n\n",
                          inline_text(plan.cluster),
                          inline_text(plan.system),
                          inline_text(plan.from),
                          inline_text(plan.to));
    out += say("{} {}, in this order: {}. Plan `{}`.\n\n",
               counted(plan.members().size(), "member"),
               inline_text(plan.kind),
               inline_text(join(plan.members(), ", ")),
               plan.digest().substr(0, 8));
    out +=
        "`drydock apply` does exactly this, checks what is said here before and after each step, "
        "and keeps a record.\nBy hand: do the steps in order; where a check does not hold, stop "
        "there.\n\n";
    out += "## Before you begin\n\n";
    if (outline.takes_ms > 0) {
        out += say("- It takes about {}", about(outline.takes_ms));
        out += outline.soak_ms > 0 ? say(", and {} of soak.\n", about(outline.soak_ms)) : ".\n";
    }
    const std::string verb = outline.outage ? "**There is an outage**: down to" : "At least";
    return out
           + say("- {} {} of {} members serve at any moment.\n",
                 verb,
                 outline.serving_min,
                 outline.members);
}

// Steps are counted as phases() tells them: gates have no number.
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

std::string return_point(const Plan& plan, const Outline& outline) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    if (!point.exists) {
        return "";
    }
    return say("- The point of no return is step {}, behind gate \"{}\": {} (`{}`).\n",
               number_of(outline, point.action),
               point.gate,
               inline_text(point.because),
               inline_text(point.source));
}

std::string ways_back(const Plan& plan) {
    if (plan.ways_back.empty()) {
        return "";
    }
    std::string out = "\n| While | Way back | Costs | Type |\n| --- | --- | --- | --- |\n";
    for (const model::WayBack& way : plan.ways_back) {
        out += say("| {} | {} | {} | `{}` |\n",
                   cell_text(way.phase),
                   cell_text(way.kind),
                   cell_text(way.cost),
                   cell_code(way.command));
    }
    return out;
}

std::string risks(const Plan& plan) {
    std::string out;
    for (const model::RiskNote& risk : plan.risks) {
        out += say("- {}: {} ({}; {})\n",
                   inline_text(risk.id),
                   inline_text(risk.because),
                   inline_text(risk.state),
                   inline_text(risk.source));
    }
    return out.empty() ? "" : "\nKnown risks:\n\n" + out;
}

std::string line_of(const Condition& one) {
    return inline_text(describe(one) + (one.remedy.empty() ? "" : ". If not: " + one.remedy));
}

std::vector<std::string> lines_of(const std::vector<Condition>& list) {
    std::vector<std::string> lines;
    for (const Condition& one : list) {
        lines.push_back(line_of(one));
    }
    return lines;
}

std::string bullets(std::string_view label, const std::vector<std::string>& lines) {
    std::string out;
    for (const std::string& line : lines) {
        out += say("      - {}\n", line);
    }
    return out.empty() ? "" : say("    - {}:\n", label) + out;
}

std::string conditions(std::string_view label, const std::vector<Condition>& list) {
    return bullets(label, lines_of(list));
}

// A check that guards every later change as well: there its number stands for it.
struct Kept {
    std::size_t number = 0;
    std::vector<std::string> lines;
};

// The checks before an action, those that earlier steps have told by their number.
std::vector<std::string> checks_of(const Action& action, const std::vector<Kept>& earlier) {
    std::vector<std::string> lines = lines_of(action.guard);
    for (const Kept& kept : earlier) {
        const auto at =
            std::search(lines.begin(), lines.end(), kept.lines.begin(), kept.lines.end());
        if (!kept.lines.empty() && at != lines.end()) {
            const auto end = at + static_cast<std::ptrdiff_t>(kept.lines.size());
            *at = say("as in step {}", kept.number);
            lines.erase(at + 1, end);
        }
    }
    return lines;
}

std::string indented(const std::string& text, std::size_t columns) {
    std::string out;
    for (const std::string& line : split(text, '\n')) {
        out += std::string(columns, ' ') + line + "\n";
    }
    return out;
}

std::string digest_of(const Json& script) {
    return sha256_hex(script["content"].as_string()).substr(0, 12);
}

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

// Its title with the member in it: "scm1: close all containers", "start om1 on 2.2.1".
std::string heading(const Action& action, const Plan& plan) {
    const bool named =
        !action.member.empty() && action.title.find(action.member) != std::string::npos;
    return named                   ? action.title
           : action.member.empty() ? words_of(action, plan)
                                   : say("{}: {}", action.member, words_of(action, plan));
}

std::string
step(std::size_t number, const Action& action, const Plan& plan, const std::vector<Kept>& kept) {
    std::string out = say("{}. **{}**\n", number, inline_text(heading(action, plan)));
    out += action.why.empty() ? "" : say("    - Why: {}\n", inline_text(action.why));
    out += conditions("Only if", action.when);
    out += bullets("Check before", checks_of(action, kept));
    out += command(action);
    out += conditions("See after", action.then);
    out += action.remedy.empty() ? "" : say("    - If it fails: {}\n", inline_text(action.remedy));
    return out + say("    - Source: `{}`\n\n", inline_text(action.source));
}

std::string gate(const Action& action) {
    std::string out = say("> **Gate \"{}\".** ", inline_text(action.gate));
    out += action.soak_ms > 0 ? say("Wait {}, then decide. ", about(action.soak_ms)) : "";
    out += say("What you approve: {}\n", inline_text(action.reason));
    out += action.why.empty() ? "" : ">\n> " + inline_text(action.why) + "\n";
    out += action.returns_here ? ">\n> Behind this there is no way back in place.\n" : "";
    return out + "\n";
}

std::string phases(const Plan& plan, const Outline& outline) {
    std::string out;
    std::string phase;
    std::size_t number = 0;
    std::vector<Kept> kept;
    for (const Block& block : outline.blocks) {
        if (block.phase != phase) {
            phase = block.phase;
            out += say("## {}\n\n", inline_text(phase));
        }
        for (const Action* action : block.actions) {
            out += action->is_gate() ? gate(*action) : step(++number, *action, plan, kept);
            if (action->keep) {
                kept.push_back({number, lines_of(action->guard)});
            }
        }
    }
    return out;
}

// Each script that some step runs, once; of two with one name each has its own digest.
std::string scripts(const Plan& plan) {
    std::map<std::pair<std::string, std::string>, std::string> contents;
    for (const Action& action : plan.actions) {
        const Json& script = action.request["script"];
        if (!script.is_null()) {
            contents[{script["name"].as_string(), digest_of(script)}] =
                script["content"].as_string();
        }
    }
    std::string out = contents.empty() ? "" : "## Scripts\n\n";
    for (const auto& [name, content] : contents) {
        out += say("### {}, digest {}\n\n", inline_text(name.first), inline_text(name.second))
               + fenced(trim(content)) + "\n\n";
    }
    return out;
}

}  // namespace

std::string render_guide(const Plan& plan) {
    const Outline outline = outline_of(plan);
    return head(plan, outline) + return_point(plan, outline) + ways_back(plan) + risks(plan) + "\n"
           + phases(plan, outline) + scripts(plan);
}

}  // namespace drydock::cli
