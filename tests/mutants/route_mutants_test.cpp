// Routes that break a rule of law 13: a route is made with one rule less or another one, and each
// of its hops is judged by brute force. Those that the rules forbid must be refused, and no others.
#include "planner/planner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace drydock::mutants {
namespace {

using model::RouteRule;
using Names = std::vector<std::string>;

constexpr int k_series = 5;
constexpr int k_patches = 3;

// A release is a series and a patch of it.
struct Release {
    int series = 0;
    int patch = 0;

    [[nodiscard]] std::string name() const { return fmt::format("{}.{}", series, patch); }
};

// The rules of the makers, as numbers: 0 is none.
struct Rules {
    int stop_at = 0;
    int at_most = 0;
    Release least_patch;
};

std::vector<Release> all_releases() {
    std::vector<Release> releases;
    for (int series = 1; series <= k_series; ++series) {
        for (int patch = 0; patch < k_patches; ++patch) {
            releases.push_back({series, patch});
        }
    }
    return releases;
}

model::Pack pack_of(const Rules& rules) {
    model::Pack pack;
    pack.name = "shop";
    for (const Release& release : all_releases()) {
        const std::string series = std::to_string(release.series);
        if (release.patch == 0) {
            pack.series_order.push_back(series);
            pack.series[series] = {};
        }
        pack.releases[release.name()] = {.version = release.name(), .series = series};
    }
    model::ProcedureSpec upgrade;
    upgrade.name = "upgrade";
    pack.procedures.push_back(upgrade);
    const auto add = [&](RouteRule rule, const std::string& argument, const Names& versions) {
        pack.policies.push_back({.rule = rule, .argument = argument, .versions = versions});
    };
    if (rules.stop_at > 0) {
        add(RouteRule::stop_at, "", {std::to_string(rules.stop_at)});
    }
    if (rules.at_most > 0) {
        add(RouteRule::at_most, std::to_string(rules.at_most), {});
    }
    if (rules.least_patch.series > 0) {
        add(RouteRule::at_least_patch, "", {rules.least_patch.name()});
    }
    return pack;
}

// What docs/design/0014 says of a hop, word by word.
bool is_forbidden(const Rules& rules, const Release& from, const Release& to) {
    const bool passes_over = from.series < rules.stop_at && rules.stop_at < to.series;
    const bool goes_too_far = rules.at_most > 0 && to.series - from.series > rules.at_most;
    const bool leaves_too_early = from.series == rules.least_patch.series && to.series > from.series
                                  && from.patch < rules.least_patch.patch;
    return passes_over || goes_too_far || leaves_too_early;
}

Names stops(const Rules& rules, const std::string& from, const std::string& to) {
    const auto route = planner::find_route(pack_of(rules), {}, from, to, {});
    Names names = {from};
    for (const planner::Hop& hop : route ? route->hops : std::vector<planner::Hop>()) {
        names.push_back(hop.to_version);
    }
    return names;
}

Release release_of(const std::string& name) {
    return {name[0] - '0', name[2] - '0'};
}

// Each rule is left out, or is that of a neighbour.
std::vector<Rules> mutants_of(const Rules& rules) {
    std::vector<Rules> mutants(6, rules);
    mutants[0].stop_at = 0;
    mutants[1].at_most = 0;
    mutants[2].least_patch = {};
    mutants[3].stop_at = rules.stop_at % k_series + 1;
    mutants[4].at_most = rules.at_most + 1;
    mutants[5].least_patch.patch = (rules.least_patch.patch + 1) % k_patches;
    return mutants;
}

struct Tally {
    int harmful = 0;
    int harmless = 0;
    int missed = 0;
    int false_alarms = 0;
};

// The true rules refuse a hop if they do not take it as it is.
void judge_hops(const Rules& rules, const Names& route, Tally& tally) {
    for (std::size_t i = 1; i < route.size(); ++i) {
        const bool is_harmful = is_forbidden(rules, release_of(route[i - 1]), release_of(route[i]));
        const bool is_refused =
            stops(rules, route[i - 1], route[i]) != Names{route[i - 1], route[i]};
        tally.harmful += is_harmful ? 1 : 0;
        tally.harmless += is_harmful ? 0 : 1;
        tally.missed += is_harmful && !is_refused ? 1 : 0;
        tally.false_alarms += !is_harmful && is_refused ? 1 : 0;
    }
}

TEST(RouteMutants, AreRefusedWhereARuleForbidsThemAndNowhereElse) {
    Tally tally;
    const std::vector<Rules> all = {
        {3, 0, {}}, {0, 2, {}}, {0, 0, {2, 1}}, {3, 1, {}}, {2, 2, {4, 2}}, {4, 3, {3, 1}}};
    for (const Rules& rules : all) {
        for (const Rules& mutant : mutants_of(rules)) {
            for (const char* from : {"1.0", "1.2", "2.0"}) {
                judge_hops(rules, stops(mutant, from, "5.2"), tally);
            }
        }
    }
    EXPECT_EQ(tally.missed, 0);
    EXPECT_EQ(tally.false_alarms, 0);
    EXPECT_GE(tally.harmful, 10);
    EXPECT_GE(tally.harmless, 10);
    std::fprintf(stderr, "%d hops harmful, %d harmless\n", tally.harmful, tally.harmless);
}

}  // namespace
}  // namespace drydock::mutants
