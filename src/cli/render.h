// Renderers turn the answers of app into the text that a person reads, one function for each
// screen. Pure: no clock, no terminal, no files. json.h has the same content for machines.
//
// Each text ends with a new line. The most important line comes first.
#pragma once

#include "app/app.h"
#include "app/chain.h"
#include "cli/screen.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::cli {

[[nodiscard]] std::string render_survey(const app::Survey& survey, const Screen& screen);
[[nodiscard]] std::string render_route(const app::RouteAnswer& answer, const Screen& screen);
[[nodiscard]] std::string render_chain(const app::ChainAnswer& answer, const Screen& screen);
// `all_risks`: every known risk with its state, else only how many and those that are not absent.
[[nodiscard]] std::string
render_plan(const model::Plan& plan, const Screen& screen, bool all_risks = false);
// Renders the verdict with every counterexample.
[[nodiscard]] std::string render_check(const app::CheckResult& checked, const Screen& screen);
// Renders the verdict of a check that holds, in one line.
[[nodiscard]] std::string render_checked(const app::CheckResult& checked, const Screen& screen);
[[nodiscard]] std::string render_guide(const model::Plan& plan);
[[nodiscard]] std::string render_status(const app::RunStatus& status, const Screen& screen);
[[nodiscard]] std::string render_log(const std::vector<app::LogLine>& lines, const Screen& screen);

// Returns "hop 2 of 3   3.5.16 -> 3.6.1   of the journey 3.4.23 -> 3.7.0", without a new line.
[[nodiscard]] std::string journey_words(const run::Journey& journey);
// Renders the hops of a journey with their runs, one hop a line.
[[nodiscard]] std::string render_journey(const run::Journey& journey, const Screen& screen);
// Renders how far `downgrade` leads back over a journey.
[[nodiscard]] std::string render_reach(const run::Journey& journey, const Screen& screen);
[[nodiscard]] std::string render_replay(const app::Replay& replay, const Screen& screen);
[[nodiscard]] std::string render_simulation(const app::Simulation& simulation,
                                            const std::string& plan_file,
                                            const Screen& screen);

// The command that was refused: the advice depends on it.
struct FailureContext {
    std::string command;
    std::string cluster_file;
    std::string target;  // the version that the run goes to; empty: not known
};

[[nodiscard]] std::string
render_failure(const app::Failure& failure, const FailureContext& context, const Screen& screen);

// Returns one event in one line, without its time: "m3: stop: done". Empty for events that only the
// machine needs.
[[nodiscard]] std::string event_words(const run::Event& event, const model::Plan& plan);

// Returns the command line that a person would type in the place of the action's request.
[[nodiscard]] std::string shell_of(const Json& request);
[[nodiscard]] std::string shell_word(std::string_view word);

// Returns "3 members" or "1 member".
[[nodiscard]] std::string counted(std::size_t count, std::string_view noun);
// Returns "10 min", "2 s" or "1:30 min": no figures that say nothing.
[[nodiscard]] std::string about(std::int64_t duration_ms);

}  // namespace drydock::cli
