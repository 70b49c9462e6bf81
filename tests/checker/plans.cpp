#include "checker/plans.h"

#include "base/check.h"
#include "base/text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace drydock::checker {

model::Plan plan_of(const planner::Fixture& site,
                    const std::string& from,
                    const std::string& to,
                    const std::string& procedure) {
    auto compiled = site.compile(from, to, procedure);
    EXPECT_TRUE(compiled.plan) << planner::text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

CompileDowngrade
back_of(const planner::Fixture& site, const std::string& from, const std::string& to) {
    return [&site, from, to](const model::FactBook& facts) -> Result<model::Plan> {
        auto compiled = planner::compile(
            {site.pack, site.cluster, facts, "downgrade", to, from, "back", "", "roll"});
        if (!compiled.plan) {
            return tl::unexpected(compiled.problems.front());
        }
        return std::move(*compiled.plan);
    };
}

model::Action& action_of(model::Plan& plan, const std::string& id) {
    const auto it = std::find_if(
        plan.actions.begin(), plan.actions.end(), [&](const auto& one) { return one.id == id; });
    CHECK(it != plan.actions.end());
    return *it;
}

void drop(model::Plan& plan, const std::string& id) {
    const auto index = static_cast<std::size_t>(&action_of(plan, id) - plan.actions.data());
    const std::vector<std::size_t> before = plan.actions[index].predecessors;
    plan.actions.erase(plan.actions.begin() + static_cast<std::ptrdiff_t>(index));
    for (model::Action& action : plan.actions) {
        std::set<std::size_t> after;
        for (const std::size_t one : action.predecessors) {
            if (one == index) {
                after.insert(before.begin(), before.end());
            } else {
                after.insert(one > index ? one - 1 : one);
            }
        }
        action.predecessors.assign(after.begin(), after.end());
    }
}

std::string text(const Report& report) {
    std::string out = fmt::format("{}; {}; {} states, {} transitions, depth {}, {} worlds, {} KB; "
                                  "closes {}; {}\n",
                                  name_of(report.verdict),
                                  show(report.faults),
                                  report.states,
                                  report.transitions,
                                  report.depth,
                                  report.downgrade_starts,
                                  report.bytes / 1024,
                                  report.return_point,
                                  report.note);
    for (const Violation& violation : report.violations) {
        out += fmt::format("{}: {} [{} {}]\n",
                           name_of(violation.property),
                           violation.because,
                           violation.action,
                           violation.source);
        for (const TraceStep& step : violation.story) {
            out += step.text.empty() ? fmt::format("    ({})\n", step.trace.dump())
                                     : "  " + step.text + "\n";
        }
    }
    return out;
}

std::string broken(const Report& report) {
    std::vector<std::string> names;
    for (const Violation& violation : report.violations) {
        names.emplace_back(name_of(violation.property));
    }
    return names.empty() ? "nothing" : join(names, " ");
}

}  // namespace drydock::checker
