// The plan on one screen: its steps by phase, gates, downtime, ways back, risks, and notes.
//
// The plan is folded twice so that it fits: outline_of() makes a block of each member and phase,
// and folded() makes one line of members that are treated alike. Every figure comes from the plan,
// since a person approves the plan by this screen.
#include "base/text.h"
#include "cli/plan_summary.h"
#include "cli/render.h"
#include "cli/say.h"

#include <algorithm>

namespace drydock::cli {

namespace {

using model::Action;
using model::Plan;
using model::Verb;

constexpr std::size_t k_same_rows_max = 4;  // more members that are treated alike are counted
constexpr std::size_t k_serves_columns = 14;
constexpr std::size_t k_right_columns = k_serves_columns + 12;  // the serving members, and the time

// A line of the table of steps.
struct Line {
    std::string phase;  // empty: as the line before
    std::string member;
    std::string words;
    std::string serves;
    std::string takes;
    bool same = false;
    const Action* gate = nullptr;
};

// Names the stops of a route. Only its first hop is this plan; later hops get plans of their own.
std::string route_lines(const Plan& plan, const Screen& screen) {
    if (plan.route.size() <= 2) {
        return "";
    }
    const std::string words = say(
        "{}; this is the plan of hop 1 of {}. The others are planned from the facts of their time: "
        "drydock upgrade --to {} does that, hop after hop",
        join(plan.route, " -> "),
        plan.route.size() - 1,
        plan.route.back());
    return hang("  route  ", words, screen.width) + "\n";
}

// Puts the digest at the right edge. It is the short name of the plan in a conversation.
std::string head(const Plan& plan, const Screen& screen) {
    const std::string title = say("{}   {} {} -> {}   {}, {}",
                                  screen.paint(Tone::strong, plan.cluster),
                                  plan.system,
                                  plan.from_version,
                                  plan.to_version,
                                  counted(plan.members().size(), "member"),
                                  plan.kind);
    const std::string plan_words = "plan " + plan.digest().substr(0, 8);
    const std::size_t room = std::min<std::size_t>(screen.width, 100);
    const std::size_t used = columns_of(title) + plan_words.size();
    return title + std::string(used + 3 < room ? room - used : 3, ' ') + plan_words + "\n\n"
           + route_lines(plan, screen);
}

bool only_checks(const Block& block) {
    return std::all_of(block.actions.begin(), block.actions.end(), [](const Action* action) {
        return action->verb == Verb::require;
    });
}

// Returns the last word of each action's id, which names the step. Steps that are alike on two
// members have the same word.
std::vector<std::string> steps_of(const Block& block) {
    std::vector<std::string> steps;
    for (const Action* action : block.actions) {
        steps.push_back(action->id.substr(action->id.rfind('/') + 1));
    }
    return steps;
}

// True if the block's checks join the line before, so that checks of many members take one line.
bool joins_checks(const Block& block, const Block* previous) {
    return previous != nullptr && previous->phase == block.phase && only_checks(*previous)
           && only_checks(block);
}

// The phase is written once, on its first line. A block whose steps equal those of the member
// before is only called the same.
Line line_of(const Outline& outline, std::size_t index, const Plan& plan) {
    const Block& block = outline.blocks[index];
    const Group& group = outline.groups[block.group];
    const Block* previous = index == 0 ? nullptr : &outline.blocks[index - 1];
    Line line;
    const bool named =
        previous != nullptr && previous->phase == block.phase && previous->gate() == nullptr;
    line.phase = named ? "" : block.phase;
    line.member = block.member;
    line.gate = block.gate();
    line.same = named && !block.member.empty() && !previous->member.empty()
                && steps_of(*previous) == steps_of(block);
    line.words = line.same ? "the same" : words_of(block, plan);
    if (block.touches || group.serving_min < outline.members) {
        line.serves = say("{} of {} serve", group.serving_min, outline.members);
    }
    line.takes = block.takes_ms() == 0 ? "" : "~" + about(block.takes_ms());
    return line;
}

// Makes a line of each block. Blocks of checks alone are joined, and their member is left out.
std::vector<Line> lines_of(const Outline& outline, const Plan& plan) {
    std::vector<Line> lines;
    std::size_t checks = 0;
    for (std::size_t i = 0; i < outline.blocks.size(); ++i) {
        const Block& block = outline.blocks[i];
        if (joins_checks(block, i == 0 ? nullptr : &outline.blocks[i - 1])) {
            checks += block.actions.size();
            lines.back().words = say("{} checks", checks);
            lines.back().member.clear();
            continue;
        }
        checks = block.actions.size();
        lines.push_back(line_of(outline, i, plan));
    }
    return lines;
}

// Replaces a long run of lines that are the same by one line with the first and the last member.
std::vector<Line> folded(const std::vector<Line>& lines) {
    std::vector<Line> result;
    for (std::size_t i = 0; i < lines.size();) {
        std::size_t end = i;
        while (end < lines.size() && lines[end].same) {
            ++end;
        }
        if (end - i > k_same_rows_max) {
            Line line = lines[i];
            line.member = say("{} ... {}", lines[i].member, lines[end - 1].member);
            line.words = say("the same, {} members", end - i);
            result.push_back(std::move(line));
            i = end;
        } else {
            result.push_back(lines[i++]);
        }
    }
    return result;
}

std::string gate_line(const Action& gate, const Screen& screen) {
    const std::string soak = gate.soak_ms > 0 ? "soak " + about(gate.soak_ms) + ", then " : "";
    const std::string text = say("  -- {}gate \"{}\" ", soak, gate.gate);
    const std::size_t rest = 96 - std::min<std::size_t>(columns_of(text), 92);
    return screen.paint(Tone::warn, text + std::string(rest, '-')) + "\n";
}

struct Widths {
    std::size_t phase = 9;
    std::size_t member = 0;
};

Widths widths_of(const std::vector<Line>& lines) {
    Widths widths;
    for (const Line& line : lines) {
        widths.phase = std::max(widths.phase, columns_of(line.phase));
        widths.member = std::max(widths.member, columns_of(line.member));
    }
    return widths;
}

std::string without_blanks_at_end(std::string text) {
    text.erase(text.find_last_not_of(' ') + 1);
    return text + "\n";
}

// Wraps the words of a step within their column, so that times stay aligned on a narrow terminal.
std::string step_lines(const Line& line, const Widths& widths, const Screen& screen) {
    const std::string member = line.member.empty() ? "" : pad(line.member, widths.member) + "  ";
    const std::string lead = "  " + pad(line.phase, widths.phase) + "  " + member;
    const std::size_t width = std::clamp<std::size_t>(screen.width, 80, 110);
    const std::size_t room = width - std::min(width - 30, columns_of(lead) + k_right_columns);
    const auto words = wrap(line.words, room);
    std::string text = without_blanks_at_end(
        lead + pad(words[0], room) + "  " + pad(line.serves, k_serves_columns) + "  " + line.takes);
    for (std::size_t i = 1; i < words.size(); ++i) {
        text += std::string(columns_of(lead), ' ') + words[i] + "\n";
    }
    return text;
}

std::string steps(const Outline& outline, const Plan& plan, const Screen& screen) {
    const auto lines = folded(lines_of(outline, plan));
    const Widths widths = widths_of(lines);
    std::string text;
    for (const Line& line : lines) {
        text +=
            line.gate != nullptr ? gate_line(*line.gate, screen) : step_lines(line, widths, screen);
    }
    return text + "\n";
}

std::string labelled(std::string_view label, const std::string& text, const Screen& screen) {
    return hang("  " + pad(label, 9) + "  ", text, screen.width);
}

// A plan without times is said to have none, since 0 would read as "at once".
std::string time_line(const Outline& outline, const Screen& screen) {
    std::string text =
        outline.takes_ms == 0 ? "not told by the pack" : "about " + about(outline.takes_ms);
    if (outline.soak_ms > 0) {
        text += ", and " + about(outline.soak_ms) + " of soak";
    }
    return labelled("Takes", text, screen);
}

// An outage means that a role falls below its needs; a smaller number of members alone is none.
std::string serving_line(const Outline& outline, const Screen& screen) {
    const std::string needed =
        (outline.quorum > 0 ? say(" ({} are needed)", outline.quorum) : std::string())
        + (outline.refuses_writes ? "; for a time writes are refused" : "");
    if (!outline.outage) {
        return labelled("Downtime",
                        say("none; at least {} of {} serve at any moment{}",
                            outline.serving_min,
                            outline.members,
                            needed),
                        screen);
    }
    const std::string time = outline.outage_ms > 0 ? "about " + about(outline.outage_ms) : "yes";
    return labelled(
        "Downtime",
        say("{}; down to {} of {} serve{}", time, outline.serving_min, outline.members, needed),
        screen);
}

std::string way_words(const model::RecoveryOption& way, const Plan& plan) {
    const std::string kind(name_of(way.kind));
    const std::string cost = cost_words(way, plan);
    return cost.empty() ? kind : kind + ": " + cost;
}

// Names each phase once. The order is that of the run, so the reader sees options disappear.
std::string ways_back(const Plan& plan, const Screen& screen) {
    std::size_t width = 0;
    for (const model::RecoveryOption& way : plan.ways_back) {
        width = std::max(width, columns_of(way.phase));
    }
    std::string text;
    std::string phase;
    for (const model::RecoveryOption& way : plan.ways_back) {
        const std::string label = text.empty() ? "Way back" : "";
        const std::string phase_words = way.phase == phase && !text.empty() ? "" : way.phase;
        text += hang("  " + pad(label, 9) + "  " + pad(phase_words, width) + "   ",
                     way_words(way, plan),
                     screen.width);
        phase = way.phase;
    }
    return text;
}

// A plan with ways back and no point of no return says so: its absence is good news and no
// omission.
std::string return_point(const Plan& plan, const Screen& screen) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    if (!point.exists) {
        return plan.ways_back.empty()
                   ? ""
                   : labelled("Why there", "no step of this plan closes the way back", screen);
    }
    return labelled("No return", say("{}, behind gate \"{}\"", point.action, point.gate), screen)
           + labelled("Why there", say("{} ({})", point.because, point.source), screen);
}

// Lists the gates by the names that `--approve` takes.
std::string approvals(const Plan& plan, const Screen& screen) {
    std::vector<std::string> gates;
    for (const Action& action : plan.actions) {
        if (action.is_gate()) {
            gates.push_back("\"" + action.gate + "\"");
        }
    }
    return labelled("Approvals",
                    gates.empty() ? "none" : say("{}: {}", gates.size(), join(gates, ", ")),
                    screen);
}

// Risks that are absent are only counted, unless a person asks for all. A risk that cannot be
// judged counts as present.
std::string risk_lines(const Plan& plan, const Screen& screen, bool lists_all) {
    std::string lines;
    std::size_t present_count = 0;
    for (const model::RiskNote& risk : plan.risks) {
        const bool absent = risk.state == model::RiskState::absent;
        present_count += absent ? 0U : 1U;
        if (lists_all || !absent) {
            const std::string lead = say("    {}  ", pad(std::string(name_of(risk.state)), 11));
            lines +=
                hang(lead, say("{}: {} ({})", risk.id, risk.because, risk.source), screen.width);
        }
    }
    const std::string count_words = counted(plan.risks.size(), "known risk");
    const std::string hint =
        lists_all || plan.risks.empty() ? "" : "; drydock plan --risks lists them";
    const std::string text = present_count == 0
                                 ? say("{}, none applies here{}", count_words, hint)
                                 : say("{}; {} to look at", count_words, present_count);
    return labelled("Risks", plan.risks.empty() ? "none known" : text, screen) + lines;
}

std::string notes(const Plan& plan, const Screen& screen) {
    std::string text;
    for (const std::string& note : plan.notes) {
        text += labelled(text.empty() ? "Noted" : "", note, screen);
    }
    return text;
}

std::string facts_line(const Plan& plan, const Screen& screen) {
    return plan.facts_file.empty()
               ? ""
               : labelled("Facts",
                          say("from {}; no host was asked, so `apply` refuses this plan",
                              plan.facts_file),
                          screen);
}

}  // namespace

std::string render_plan(const Plan& plan, const Screen& screen, bool all_risks) {
    const Outline outline = outline_of(plan);
    return head(plan, screen) + steps(outline, plan, screen) + time_line(outline, screen)
           + serving_line(outline, screen) + ways_back(plan, screen) + return_point(plan, screen)
           + approvals(plan, screen) + risk_lines(plan, screen, all_risks) + notes(plan, screen)
           + facts_line(plan, screen);
}

}  // namespace drydock::cli
