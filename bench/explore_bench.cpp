// Measures the checker: raw exploration, a question that SPIN is asked, too, and how it grows.
//
//   explore_bench raw [N [FAULTS]]    N (6) hosts x 5 steps side by side, without symmetry
//   explore_bench one-order [N [FAULTS]]  the same states, not by every order of steps that have
//                                     nothing to do with each other
//   explore_bench hosts [N [FAULTS]]  the same with symmetry
//   explore_bench etcd N [FAULTS]     packs/etcd with N members
//   explore_bench storage N [FAULTS]  tests/packs/storage: N nodes, one after the other
//   explore_bench ozone [FAULTS]      packs/ozone with seven members on one host
//
// One JSON line for each.
#include "base/json.h"
#include "checker/checker.h"
#include "planner/fixture.h"
#include "planner/ozone_fixture.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

namespace {

using drydock::Json;
namespace checker = drydock::checker;
namespace model = drydock::model;
namespace planner = drydock::planner;

// Six hosts, five steps on each, one after the other; hosts side by side.
model::Plan hosts_plan(int hosts, int steps) {
    model::Plan plan;
    plan.kind = "offline";
    plan.from_version = "1";
    plan.to_version = "2";
    plan.roles.push_back({"host", 0, {}});
    for (int host = 0; host < hosts; ++host) {
        const std::string name = fmt::format("h{}", host);
        plan.roles.front().members.push_back(name);
        for (int step = 0; step < steps; ++step) {
            model::Action action;
            action.id = fmt::format("{}/{}", name, step);
            action.title = action.id;
            action.member = name;
            action.host = name;
            action.verb = model::Verb::run;
            action.repeatable = model::Repeatable::yes;
            action.remedy = "take every step back";
            action.request = Json::Object{{"kind", "command"}};
            if (step > 0) {
                action.predecessors.push_back(plan.actions.size() - 1);
            }
            plan.actions.push_back(std::move(action));
        }
    }
    return plan;
}

checker::Options question() {
    checker::Options options;
    options.faults = {6, 0, 2, 0, 0};
    options.properties = {checker::Property::stuck};
    options.operator_repairs = false;
    options.memory_max = std::size_t{12} << 30U;
    return options;
}

void measure(const std::string& name, const model::Plan& plan, const checker::Options& options) {
    const auto begun = std::chrono::steady_clock::now();
    const std::clock_t work_begun = std::clock();
    const checker::Report report = checker::check(plan, options);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const double work = static_cast<double>(std::clock() - work_begun) / CLOCKS_PER_SEC;
    const auto states = static_cast<double>(report.states);
    const auto transitions = static_cast<double>(report.transitions);
    Json json;
    json.set("what", name)
        .set("verdict", std::string(name_of(report.verdict)))
        .set("faults", show(report.faults))
        .set("threads", options.threads)
        .set("states", static_cast<std::int64_t>(report.states))
        .set("transitions", static_cast<std::int64_t>(report.transitions))
        .set("depth", report.depth)
        .set("worlds", static_cast<std::int64_t>(report.downgrade_starts))
        .set("mbytes", static_cast<std::int64_t>(report.bytes >> 20U))
        .set("ms", static_cast<std::int64_t>(seconds * 1000))
        .set("cpu_ms", static_cast<std::int64_t>(work * 1000))
        .set("states_per_s", static_cast<std::int64_t>(states / seconds))
        .set("ns_per_transition", static_cast<std::int64_t>(work * 1e9 / transitions));
    std::printf("%s\n", json.dump().c_str());
}

// A plan from `from` to `to`, with the ways back from wherever the run may stand.
void measure_site(const std::string& name,
                  const planner::Fixture& site,
                  const char* from,
                  const char* to,
                  const std::string& faults) {
    const auto compiled = site.compile(from, to);
    checker::Options options;
    if (!faults.empty()) {
        options.faults = *checker::faults_from(faults);
    }
    const auto sources =
        *planner::bind_sources(site.pack, site.cluster, {to, from, "bench-back", ""});
    options.compile_downgrade = [&](const model::FactBook& facts) -> drydock::Result<model::Plan> {
        auto back = planner::compile({site.pack,
                                      site.cluster,
                                      facts,
                                      "downgrade",
                                      to,
                                      from,
                                      "bench-back",
                                      "",
                                      "",
                                      {},
                                      &sources,
                                      false});
        return back.plan ? drydock::Result<model::Plan>(std::move(*back.plan))
                         : tl::unexpected(back.problems.front());
    };
    measure(name, *compiled.plan, options);
}

}  // namespace

int main(int count, char** arguments) {
    const std::string what = count > 1 ? arguments[1] : "hosts";
    checker::Options options = question();
    if (what == "etcd") {
        const int members = count > 2 ? std::atoi(arguments[2]) : 3;
        measure_site(fmt::format("etcd {}", members),
                     planner::etcd_site(members),
                     "3.4.23",
                     "3.5.21",
                     count > 3 ? arguments[3] : "");
        return 0;
    }
    if (what == "storage") {
        const int nodes = count > 2 ? std::atoi(arguments[2]) : 100;
        measure_site(fmt::format("storage {}", nodes),
                     planner::small_site("storage", nodes, "1.0"),
                     "1.0",
                     "2.0",
                     count > 3 ? arguments[3] : "");
        return 0;
    }
    if (what == "ozone") {
        measure_site("ozone",
                     planner::ozone_fixture(planner::k_ozone_own),
                     planner::k_ozone_own,
                     "2.2.1",
                     count > 2 ? arguments[2] : "");
        return 0;
    }
    const bool raw = what == "raw" || what == "one-order";
    options.symmetry = !raw;
    options.resolve_local = !raw;
    options.no_dominance_pruning = raw;
    options.partial_order_reduction = what != "raw";
    if (raw) {
        options.properties = {checker::Property::twice};  // the search alone
    }
    const int hosts = count > 2 ? std::atoi(arguments[2]) : 6;
    if (count > 3) {
        options.faults = *checker::faults_from(arguments[3]);
    }
    measure(what, hosts_plan(hosts, 5), options);
    return 0;
}
