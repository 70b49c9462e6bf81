// Compiles a plan for a site and tells what the checker says of it.
#include "planner/ozone_check.h"

#include "sim/simulate_seed.h"

namespace drydock::planner {

namespace {

std::string told(const checker::Report& report) {
    std::string text(checker::name_of(report.verdict));
    for (const checker::Violation& one : report.violations) {
        text +=
            std::string("\n") + std::string(checker::name_of(one.property)) + ": " + one.because;
        for (const checker::TraceStep& step : one.story) {
            text += "\n  " + step.text;
        }
    }
    return text;
}

constexpr std::uint64_t k_seeds = 12;

// The checker has no drift: whether a resume knows the world again that the run itself has made is
// found by conductors that die in simulated runs.
std::string simulated(const model::Plan& plan) {
    for (std::uint64_t seed = 1; seed <= k_seeds; ++seed) {
        const auto run = sim::simulate(plan, seed);
        if (!run) {
            return "\n" + run.error().text();
        }
        for (const sim::Violation& wrong : run->violations) {
            return "\nseed " + std::to_string(seed) + ": " + wrong.property + ": "
                   + wrong.description;
        }
    }
    return "";
}

std::string verdict_on(const Compiled& compiled, const checker::Faults& faults) {
    checker::Options options;
    options.faults = faults;
    return compiled.plan ? told(checker::check(*compiled.plan, options)) : text(compiled);
}

}  // namespace

std::string
checked(const Fixture& site, const char* from, const char* to, const checker::Faults& faults) {
    auto compiled = site.compile(from, to);
    if (!compiled.plan) {
        return text(compiled);
    }
    checker::Options options;
    options.faults = faults;
    options.compile_downgrade = downgrades_of(site, from, to);
    auto report = checker::check(*compiled.plan, options);
    if (report.return_point_hint) {  // as the program does it: the gate stands where the checker
                                     // found it
        compiled = site.compile(from, to, "upgrade", report.return_point_hint);
        report = checker::check(*compiled.plan, options);
    }
    return told(report) + simulated(*compiled.plan);
}

std::string checked_as(const char* procedure,
                       const Fixture& site,
                       const char* from,
                       const char* to,
                       const checker::Faults& faults) {
    const auto compiled = site.compile(from, to, procedure);
    return verdict_on(compiled, faults) + (compiled.plan ? simulated(*compiled.plan) : "");
}

}  // namespace drydock::planner
