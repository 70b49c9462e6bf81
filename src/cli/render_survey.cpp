// The screen of `survey`: a table of standard facts, one of other facts, those of the system, and
// the facts that could not be read.
//
// A cluster may have a thousand members. The standard facts keep one row for each member; all other
// facts are counted by value once there are more than k_columns_max members.
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

#include <algorithm>
#include <array>
#include <map>

namespace drydock::cli {

namespace {

using model::FactSource;
using model::Observation;
using model::StandardFact;

constexpr std::size_t k_columns_max = 6;  // more members: other facts are counted, not listed
constexpr std::size_t k_value_columns = 24;

// A fact without an observation was not read, which is the same as unknown here.
const Observation& observed(const app::Survey& survey, const std::string& key) {
    static const Observation k_not_read;
    const auto match = survey.facts.find(key);
    return match == survey.facts.end() ? k_not_read : match->second;
}

std::string cell(const app::Survey& survey, const std::string& key) {
    const Observation& observation = observed(survey, key);
    return observation.status == model::ObservationStatus::unknown
               ? "?"
               : shorten(to_text(observation), k_value_columns);
}

// A fact by name, with its key on every member that has it.
struct Row {
    std::string name;
    std::map<std::string, std::string> keys;  // member -> key
};

// Keeps the order of the enum, so that surveys of all systems look alike. A rehearsal's results
// have no row.
std::vector<Row> standard_rows(const app::Survey& survey) {
    std::vector<Row> rows;
    for (std::size_t i = 1; i <= static_cast<std::size_t>(StandardFact::on_disk); ++i) {
        const auto standard = static_cast<StandardFact>(i);
        Row row = {std::string(name_of(standard)), {}};
        for (const auto& [key, source] : survey.sources) {
            if (source.standard_fact == standard && !source.member.empty()) {
                row.keys[source.member] = key;
            }
        }
        if (!row.keys.empty()) {
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

// Facts that the pack does not bind to a standard fact, by their own names.
std::vector<Row> other_rows(const app::Survey& survey) {
    std::map<std::string, Row> rows;
    for (const auto& [key, source] : survey.sources) {
        if (source.standard_fact == StandardFact::none && !source.member.empty()) {
            rows[source.name].name = source.name;
            rows[source.name].keys[source.member] = key;
        }
    }
    std::vector<Row> list;
    for (auto& [name, row] : rows) {
        list.push_back(std::move(row));
    }
    return list;
}

// One row a member, one column a standard fact that the pack binds.
std::string member_table(const app::Survey& survey, const Screen& screen) {
    const auto rows = standard_rows(survey);
    Table table;
    std::vector<std::string> head = {"member"};
    for (const Row& row : rows) {
        head.push_back(row.name);
    }
    head.emplace_back("host");
    for (std::string& name : head) {
        name = screen.paint(Tone::faint, name);
    }
    table.add(head);
    for (const model::Member& member : survey.cluster.members) {
        std::vector<std::string> line = {member.name};
        for (const Row& row : rows) {
            const auto key = row.keys.find(member.name);
            line.push_back(key == row.keys.end() ? "" : cell(survey, key->second));
        }
        line.push_back(member.host);
        table.add(std::move(line));
    }
    return table.text();
}

// Returns "3.5.16 x 998, 3.4.23 x 2", the most frequent value first.
std::string tally(const app::Survey& survey, const Row& row) {
    std::map<std::string, std::size_t> counts;
    for (const auto& [member, key] : row.keys) {
        ++counts[cell(survey, key)];
    }
    std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
        return a.second > b.second;
    });
    std::vector<std::string> words;
    for (const auto& [value, count] : sorted) {
        words.push_back(say("{} x {}", value, count));
    }
    return shorten(join(words, ", "), 72);
}

// Lists a value for each member, or the counted values where there are many members.
std::vector<std::string> other_line(const app::Survey& survey, const Row& row, bool is_listed) {
    std::vector<std::string> line = {row.name};
    if (!is_listed) {
        line.push_back(tally(survey, row));
        return line;
    }
    for (const model::Member& member : survey.cluster.members) {
        const auto key = row.keys.find(member.name);
        line.push_back(key == row.keys.end() ? "" : cell(survey, key->second));
    }
    return line;
}

// The head names the members only where each has a column.
std::string other_table(const app::Survey& survey, const Screen& screen) {
    const auto rows = other_rows(survey);
    const bool is_listed = survey.cluster.members.size() <= k_columns_max;
    Table table;
    if (is_listed && !rows.empty()) {
        std::vector<std::string> head = {screen.paint(Tone::faint, "fact")};
        for (const model::Member& member : survey.cluster.members) {
            head.push_back(screen.paint(Tone::faint, member.name));
        }
        table.add(head);
    }
    for (const Row& row : rows) {
        table.add(other_line(survey, row, is_listed));
    }
    return rows.empty() ? "" : "\n" + table.text();
}

// Facts that belong to no member.
std::string system_table(const app::Survey& survey, const Screen& screen) {
    Table table;
    bool has_rows = false;
    table.add({screen.paint(Tone::faint, "system")});
    for (const auto& [key, source] : survey.sources) {
        if (source.member.empty()) {
            table.add({source.name, cell(survey, key)});
            has_rows = true;
        }
    }
    return has_rows ? "\n" + table.text() : "";
}

// Groups unknown facts by member and reason, so that a lost host is one line: "dn2, 8 facts  host
// b: ...".
std::string unknown_lines(const app::Survey& survey, const Screen& screen) {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> keys;
    for (const auto& [key, source] : survey.sources) {
        const Observation& observation = observed(survey, key);
        if (observation.status == model::ObservationStatus::unknown) {
            const std::string reason =
                observation.evidence.empty() ? "not read" : observation.evidence;
            keys[{source.member, reason}].push_back(key);
        }
    }
    std::string text;
    for (const auto& [group, group_keys] : keys) {
        const bool is_single = group.first.empty() || group_keys.size() == 1;
        const std::string label = is_single
                                      ? join(group_keys, ", ")
                                      : group.first + ", " + counted(group_keys.size(), "fact");
        text += hang(say("    {}  ", label), group.second, screen.width);
    }
    return text.empty() ? "" : "\n  " + screen.paint(Tone::warn, "Not known") + "\n" + text;
}

std::string unreachable_lines(const app::Survey& survey, const Screen& screen) {
    std::string text;
    for (const Error& error : survey.unreachable) {
        text += hang("    ", error.text(), screen.width);
    }
    return text.empty() ? "" : "\n  " + screen.paint(Tone::bad, "Not reached") + "\n" + text;
}

}  // namespace

// The parts stand in the order of a person's questions: members, details, and gaps.
std::string render_survey(const app::Survey& survey, const Screen& screen) {
    return say("{}   {}   {}, {} read in {}\n\n",
               screen.paint(Tone::strong, survey.cluster.name),
               survey.pack.title,
               counted(survey.cluster.members.size(), "member"),
               counted(survey.facts.size(), "fact"),
               survey.took_ms < 1000 ? say("{} ms", survey.took_ms) : show_duration(survey.took_ms))
           + member_table(survey, screen) + other_table(survey, screen)
           + system_table(survey, screen) + unknown_lines(survey, screen)
           + unreachable_lines(survey, screen);
}

}  // namespace drydock::cli
