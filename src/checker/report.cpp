// The report in words and as JSON: names of properties and verdicts, and budgets as text.
#include "base/text.h"
#include "checker/checker.h"
#include "checker/index_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace drydock::checker {

namespace {

struct PropertyWords {
    std::string_view name;
    std::string_view rule;
};

// In the order of Property: its name in commands and files, and its rule for people.
constexpr std::array<PropertyWords, k_properties> k_names = {{
    {"unreadable-start", "a release never runs on a store that it cannot read"},
    {"quorum", "no command takes a group below its minimum, given the members already down"},
    {"skew", "releases and roles that may not serve together never do"},
    {"twice", "an action that may not be repeated never runs twice"},
    {"unverified-destroy", "nothing is destroyed without a verified copy where one is needed"},
    {"unasked-return-point", "the point of no return is never passed without an approval"},
    {"lost-writes", "no way back that is called a downgrade loses an acknowledged write"},
    {"stuck", "when faults stop, the run can always be brought to an end"},
    {"no-way-back", "before the point of no return the downgrade ends well from everywhere"},
    {"left-behind", "what a plan switches for its own time is as before when it has ended"},
    {"alone", "actions that must be alone are never under way at the same time"},
}};

struct Budget {
    std::string_view name;
    int Faults::* value;
};

// One table for parsing, text and JSON.
constexpr std::array<Budget, 6> k_budgets = {{{"failures", &Faults::failures},
                                              {"unknown", &Faults::unknown},
                                              {"crashes", &Faults::crashes},
                                              {"member", &Faults::member},
                                              {"host", &Faults::host},
                                              {"restart", &Faults::restart}}};
constexpr int k_budget_max = 15;

// Sets one budget from "name=number".
Status set_budget(std::string_view word, Faults& faults) {
    const auto cut = word.find('=');
    const std::string_view name = word.substr(0, cut);
    const std::string_view text = cut == std::string_view::npos ? "" : word.substr(cut + 1);
    int value = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const auto budget =
        std::find_if(k_budgets.begin(), k_budgets.end(), [&](const Budget& candidate) {
            return candidate.name == name;
        });
    if (budget == k_budgets.end() || read.ec != std::errc() || value < 0 || value > k_budget_max) {
        return fail(
            "check.faults",
            fmt::format("\"{}\" is no budget", word),
            fmt::format(
                "as in failures=2,unknown=2,crashes=2,member=1,host=1,restart=0; each 0 to {}",
                k_budget_max));
    }
    faults.*(budget->value) = value;
    return {};
}

Json number(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

Json strings(const std::vector<std::string>& texts) {
    return Json(Json::Array(texts.begin(), texts.end()));
}

// Steps without text are left out of the story, but not of the trace: a replay needs each of them.
Json to_json(const Violation& violation) {
    Json story = Json::Array{};
    Json trace = Json::Array{};
    for (const TraceStep& step : violation.story) {
        if (!step.text.empty()) {
            story.push(step.text);
        }
        trace.push(step.trace);
    }
    Json json;
    json.set("property", std::string(name_of(violation.property)))
        .set("rule", std::string(rule_of(violation.property)))
        .set("because", violation.because)
        .set("story", std::move(story))
        .set("trace", std::move(trace))
        .set("action", violation.action)
        .set("source", violation.source)
        .set("hint", violation.hint);
    return json;
}

Json to_json(const Faults& faults) {
    Json json;
    for (const Budget& budget : k_budgets) {
        json.set(std::string(budget.name), faults.*(budget.value));
    }
    return json;
}

}  // namespace

std::string_view name_of(Property property) {
    return k_names.at(ordinal(property)).name;
}

std::string_view rule_of(Property property) {
    return k_names.at(ordinal(property)).rule;
}

std::optional<Property> property_from(std::string_view name) {
    for (std::size_t i = 0; i < k_properties; ++i) {
        if (k_names.at(i).name == name) {
            return property_at(i);
        }
    }
    return std::nullopt;
}

std::string_view name_of(Verdict verdict) {
    constexpr std::array<std::string_view, 3> k_verdicts = {"holds", "violated", "unfinished"};
    return k_verdicts.at(ordinal(verdict));
}

Result<Faults> faults_from(std::string_view text, Faults base) {
    if (text.empty()) {
        return base;
    }
    for (const std::string& word : split(text, ',')) {
        DRYDOCK_TRY(set_budget(word, base));
    }
    return base;
}

std::string show(const Faults& faults) {
    std::vector<std::string> words;
    for (const Budget& budget : k_budgets) {
        if (budget.value != &Faults::restart || faults.restart > 0) {
            words.push_back(fmt::format("{}={}", budget.name, faults.*(budget.value)));
        }
    }
    return join(words, ",");
}

Json to_json(const Report& report) {
    Json violations = Json::Array{};
    for (const Violation& violation : report.violations) {
        violations.push(to_json(violation));
    }
    Json json;
    json.set("verdict", std::string(name_of(report.verdict)))
        .set("faults", to_json(report.faults))
        .set("violations", std::move(violations))
        .set("states", number(report.states))
        .set("transitions", number(report.transitions))
        .set("bytes", number(report.bytes))
        .set("depth", report.depth)
        .set("worlds", number(report.downgrade_starts))
        .set("closes", report.return_point)
        .set("not_modelled", strings(report.not_modelled))
        .set("hangs_on", strings(report.hangs_on))
        .set("note", report.note);
    return json;
}

}  // namespace drydock::checker
