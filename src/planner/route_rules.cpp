// The makers' rules, each as a question on one hop.
#include "base/text.h"
#include "model/version.h"
#include "planner/names.h"
#include "planner/route_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace drydock::planner {

namespace {

using model::Pack;
using model::RouteRule;

std::size_t distance(std::size_t a, std::size_t b) {
    return a > b ? a - b : b - a;
}

std::size_t number_of(const std::string& text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// ">=3.11 <3.12" of versions, or "debian-12 | ubuntu-22.04" of words.
bool satisfies(const std::string& there, const std::string& need) {
    if (model::VersionRange::parse(need)) {
        return model::version_in_range(need, there);
    }
    const auto words = split(need, '|');
    return std::any_of(
        words.begin(), words.end(), [&](const std::string& word) { return trim(word) == there; });
}

}  // namespace

bool is_older(const std::string& a, const std::string& b) {
    return model::compare_versions(a, b) < 0;
}

// All releases that could stand on the route, oldest first: the pack's, those of the cluster file,
// and the two ends.
std::vector<std::string> known_releases(const Pack& pack,
                                        const model::Cluster& cluster,
                                        const std::string& from,
                                        const std::string& to) {
    std::set<std::string> names = {from, to};
    for (const auto& [version, release] : pack.releases) {
        names.insert(version);
    }
    for (const model::Member& member : cluster.members) {
        for (const auto& [version, folder] : member.versions) {
            names.insert(version);
        }
    }
    std::vector<std::string> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end(), is_older);
    return sorted;
}

RouteRules::RouteRules(const Pack& pack,
                       const std::vector<std::string>& releases,
                       const model::FactBook* facts)
    : pack_(pack)
    , facts_(facts) {
    for (const std::string& release : releases) {
        if (unavailable(release).empty()) {
            installable_.push_back(release);
        }
    }
}

std::string RouteRules::unavailable(const std::string& release) const {
    const auto it = pack_.releases.find(release);
    return it == pack_.releases.end() || it->second.unavailable.empty()
               ? ""
               : fmt::format("{} cannot be installed: {} ({})",
                             release,
                             it->second.unavailable,
                             place(pack_, it->second.where));
}

std::string RouteRules::next_after(const std::string& release) const {
    const auto it = std::upper_bound(installable_.begin(), installable_.end(), release, is_older);
    return it == installable_.end() ? "" : *it;
}

std::string RouteRules::latest_of(std::size_t series) const {
    const auto it =
        std::find_if(installable_.rbegin(), installable_.rend(), [&](const std::string& release) {
            return series_index(pack_, release) == series;
        });
    return it == installable_.rend() ? "" : *it;
}

bool RouteRules::has_release(std::size_t series) const {
    return !latest_of(series).empty();
}

std::vector<Objection> RouteRules::objections(const std::string& from,
                                              const std::string& to) const {
    std::vector<Objection> found;
    for (const model::RoutePolicy& policy : pack_.policies) {
        if (const std::string what = breach(policy, from, to); !what.empty()) {
            found.push_back(
                {fmt::format("{}: {} ({})", what, policy.source, place(pack_, policy.where)),
                 policy.yields_to_chain});
        }
    }
    return found;
}

// What of the rule the hop breaks; empty: nothing.
std::string RouteRules::breach(const model::RoutePolicy& policy,
                               const std::string& from,
                               const std::string& to) const {
    const std::size_t apart = distance(series_index(pack_, from), series_index(pack_, to));
    switch (policy.rule) {
    case RouteRule::adjacent_only:
        if (policy.argument == "release") {
            return breach_of_order(policy, from, to);
        }
        return apart > 1 ? fmt::format("{} -> {} skips a series", from, to) : "";
    case RouteRule::max_skew:
        return apart > number_of(policy.argument)
                   ? fmt::format("{} -> {} goes {} series at once", from, to, apart)
                   : "";
    case RouteRule::never:
        return model::version_in_range(policy.argument, to)
                   ? fmt::format("{} is never a target", to)
                   : "";
    case RouteRule::runtime:
        return breach_of_runtime(policy, to);
    case RouteRule::no_series_skip:
    case RouteRule::consecutive:
    case RouteRule::latest_of_previous_series:
        break;
    }
    return breach_of_order(policy, from, to);
}

// Rules on what lies between the two, on the way up.
std::string RouteRules::breach_of_order(const model::RoutePolicy& policy,
                                        const std::string& from,
                                        const std::string& to) const {
    if (!is_older(from, to)) {
        return {};
    }
    const std::size_t a = series_index(pack_, from);
    const std::size_t b = series_index(pack_, to);
    const std::string next = next_after(from);
    const bool is_turn = a == b || policy.rule == RouteRule::adjacent_only;
    if (policy.rule == RouteRule::no_series_skip) {
        for (std::size_t series = a + 1; series < b; ++series) {
            if (has_release(series)) {
                return fmt::format(
                    "{} -> {} skips the series {}", from, to, pack_.series_order[series]);
            }
        }
        return {};
    }
    if (policy.rule == RouteRule::latest_of_previous_series) {
        const std::string latest = latest_of(a);
        const bool is_behind = a != b && !latest.empty() && is_older(from, latest);
        return is_behind ? fmt::format("{} -> {} leaves its series before {}", from, to, latest)
                         : "";
    }
    return is_turn && !next.empty() && is_older(next, to)
               ? fmt::format("{} -> {} passes over {}", from, to, next)
               : "";
}

const model::Observation* RouteRules::fact_of(const model::RoutePolicy& policy) const {
    if (facts_ == nullptr) {
        return nullptr;
    }
    const auto it = facts_->find(policy.fact);
    return it != facts_->end() && it->second.status == model::Known::known ? &it->second : nullptr;
}

std::string RouteRules::breach_of_runtime(const model::RoutePolicy& policy,
                                          const std::string& to) const {
    const auto release = pack_.releases.find(to);
    const model::Observation* fact = fact_of(policy);
    if (release == pack_.releases.end() || fact == nullptr) {
        return {};
    }
    const auto need = release->second.needs.find(policy.argument);
    if (need == release->second.needs.end()) {
        return {};
    }
    const Json::Array one = {fact->value};
    const Json::Array& there = fact->value.is_array() ? fact->value.items() : one;
    const bool is_met = std::any_of(there.begin(), there.end(), [&](const Json& value) {
        return satisfies(value.as_string(), need->second);
    });
    return is_met ? ""
                  : fmt::format("{} needs {} {}, and there is {}",
                                to,
                                policy.argument,
                                need->second,
                                fact->value.show());
}

std::vector<std::string> RouteRules::untold(const std::string& release) const {
    std::vector<std::string> words;
    const auto it = pack_.releases.find(release);
    for (const model::RoutePolicy& policy : pack_.policies) {
        const bool asks = policy.rule == RouteRule::runtime && it != pack_.releases.end()
                          && it->second.needs.contains(policy.argument);
        if (asks && fact_of(policy) == nullptr) {
            words.push_back(fmt::format("{} needs {} {}; whether that is there was not told",
                                        release,
                                        policy.argument,
                                        it->second.needs.at(policy.argument)));
        }
    }
    return words;
}

}  // namespace drydock::planner
