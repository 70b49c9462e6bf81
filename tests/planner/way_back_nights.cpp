#include "planner/way_back_nights.h"

#include "checker/checker.h"
#include "sim/simulate_seed.h"

#include <fmt/format.h>

#include <map>
#include <vector>

namespace drydock::planner {

namespace {

constexpr std::uint64_t k_seeds = 6;
constexpr std::size_t k_plans_max = 6;  // of one upgrade
// So that the states have members that died and steps that failed.
constexpr checker::Faults k_on_the_way = {1, 0, 0, 1, 0};
constexpr checker::Faults k_at_night = {1, 1, 1, 1, 0};

// Plans by their number of actions: how far the upgrade had come.
using Ways = std::map<std::size_t, model::Plan>;

Result<model::Plan>
way_back(Fixture site, const model::Plan& upgrade, const model::FactBook& facts) {
    site.facts = facts;
    auto back = compile({.pack = site.pack,
                         .cluster = site.cluster,
                         .facts = site.facts,
                         .procedure = "downgrade",
                         .from_version = upgrade.to_version,
                         .to_version = upgrade.from_version,
                         .run = "back",
                         .copy = "",
                         .reverts_run = "roll",
                         .temporaries = &upgrade.temporaries});
    if (!back.plan) {
        return tl::unexpected(back.problems.front());
    }
    return std::move(*back.plan);
}

Ways ways_back(const Fixture& site, const model::Plan& upgrade) {
    Ways ways;
    checker::Options options;
    options.faults = k_on_the_way;
    options.threads = 1;  // what is compiled is kept, and always the same of equal length
    options.compile_downgrade = [&](const model::FactBook& facts) {
        auto back = way_back(site, upgrade, facts);
        if (back) {
            ways.emplace(back->actions.size(), *back);
        }
        return back;
    };
    (void)checker::check(upgrade, options);
    return ways;
}

bool holds(const model::Plan& plan) {
    checker::Options options;
    options.faults = k_at_night;
    return checker::check(plan, options).verdict == checker::Verdict::holds;
}

std::string broken_at_night(const model::Plan& plan) {
    std::string wrong;
    for (std::uint64_t seed = 1; seed <= k_seeds; ++seed) {
        const auto run = sim::simulate(plan, seed);
        if (!run) {
            return fmt::format("{} actions: {}\n", plan.actions.size(), run.error().text());
        }
        for (const sim::Violation& one : run->violations) {
            wrong += fmt::format("{} actions, seed {}: {}: {}\n",
                                 plan.actions.size(),
                                 seed,
                                 one.property,
                                 one.description);
        }
    }
    return wrong;
}

}  // namespace

Nights simulate_ways_back(const Fixture& site, const char* from, const char* to) {
    const auto compiled = site.compile(from, to);
    if (!compiled.plan) {
        return {0, text(compiled)};
    }
    const Ways ways = ways_back(site, *compiled.plan);
    const std::size_t step = ways.size() / k_plans_max + 1;
    Nights nights;
    std::size_t at = 0;
    for (const auto& [actions, plan] : ways) {
        if (at++ % step == 0 && holds(plan)) {
            ++nights.plans;
            nights.wrong += broken_at_night(plan);
        }
    }
    return nights;
}

}  // namespace drydock::planner
