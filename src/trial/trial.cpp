// Compares what stops each twin with the words of its case.
#include "trial/trial.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::trial {

namespace {

constexpr std::string_view k_passing = "passing";

bool is_to_fail(const Case& about, const std::string& which) {
    return !which.empty() && which != k_passing && about.stage != Stage::none;
}

std::string words_of(const Stop& stop) {
    return stop.is_there()
               ? fmt::format("is stopped by {} ({})", name_of(stop.stage), join(stop.names, ", "))
               : "is not stopped";
}

// What the checker finds can break a second property, too; everything else has one reason.
bool is_under_name(const Stop& stop, const std::string& name) {
    return std::count(stop.names.begin(), stop.names.end(), name) > 0
           && (stop.stage == Stage::check || stop.stage == Stage::lint || stop.names.size() == 1);
}

std::vector<std::string>
differences(const Case& about, const std::string& which, const Stop& stop) {
    if (!is_to_fail(about, which)) {
        return stop.is_there() ? std::vector<std::string>{words_of(stop)}
                               : std::vector<std::string>();
    }
    if (stop.stage != about.stage || !is_under_name(stop, about.name)) {
        return {fmt::format(
            "{}, and not by {} ({})", words_of(stop), name_of(about.stage), about.name)};
    }
    std::vector<std::string> differs;
    const std::string told = stop.told();
    for (const std::string& words : about.says) {
        if (told.find(words) == std::string::npos) {
            differs.push_back(fmt::format("what it is told does not say \"{}\"", words));
        }
    }
    return differs;
}

std::string words_of(const std::vector<std::string>& facts) {
    return facts.empty() ? "no fact" : join(facts, ", ");
}

// For a case that nothing stops: the way back of the failing twin hangs on the fact that is named.
std::vector<std::string> differences_of_certainty(const Case& about, const TwinResult& twin) {
    if (twin.stop.is_there() || !twin.checked) {
        return {words_of(twin.stop)};
    }
    const auto& told = twin.checked->report.hangs_on;
    const std::vector<std::string> expected =
        twin.twin == k_passing ? std::vector<std::string>() : std::vector<std::string>{about.name};
    return told == expected ? std::vector<std::string>()
                            : std::vector<std::string>{fmt::format("its way back hangs on {}, and "
                                                                   "not on {}",
                                                                   words_of(told),
                                                                   words_of(expected))};
}

Stop lint_stop(const Diagnostics& problems) {
    Stop stop = {Stage::lint, {}, {}};
    for (const Diagnostic& problem : problems.all()) {
        stop.names.push_back(problem.code);
        stop.lines.push_back(problem.text());
    }
    return stop;
}

// Warnings stop a plan only where the case is about lint.
bool is_stopped_by_lint(const Case& about, const Project& project) {
    return about.stage == Stage::lint && project.problems.count() > 0;
}

}  // namespace

InputResult<TwinResult>
try_twin(const Case& about, const std::string& which, const Settings& settings) {
    DRYDOCK_TRY_ASSIGN(Project project, read_project(about, which, settings));
    TwinResult result = {which, "", "", {}, {}, {}, {}};
    if (is_stopped_by_lint(about, project)) {
        result.stop = lint_stop(project.problems);
        result.differs = differences(about, which, result.stop);
        return result;
    }
    if (project.problems.has_errors()) {
        return tl::unexpected(std::move(project.problems));
    }
    result.warnings = lint_stop(project.problems).lines;
    DRYDOCK_TRY_ASSIGN(Twin twin, read_twin(about, which, settings, std::move(project)));
    result.from = twin.from;
    result.to = twin.to;
    const model::Pack pack = twin.pack;
    Staged staged = take_through_stages(std::move(twin));
    result.stop = std::move(staged.stop);
    result.checked = std::move(staged.checked);
    for (std::string& line : result.stop.lines) {
        line = with_places(about, which, settings, pack, std::move(line));
    }
    result.differs = about.is_only_told ? differences_of_certainty(about, result)
                                        : differences(about, which, result.stop);
    return result;
}

bool Trial::is_as_told() const {
    return std::all_of(
        twins.begin(), twins.end(), [](const TwinResult& twin) { return twin.differs.empty(); });
}

// Goes on behind a wrong twin, so that one call reports the problems of both.
InputResult<Trial> try_folder(const std::string& folder, const Settings& settings) {
    DRYDOCK_TRY_ASSIGN(Case about, read_case(folder));
    Trial trial = {std::move(about), {}};
    Diagnostics problems;
    for (const std::string& which : trial.about.twins) {
        auto result = try_twin(trial.about, which, settings);
        if (!result) {
            problems.add(std::move(result.error()));
            continue;
        }
        trial.twins.push_back(std::move(*result));
    }
    if (problems.has_errors()) {
        problems.sort();
        return tl::unexpected(std::move(problems));
    }
    return trial;
}

}  // namespace drydock::trial
