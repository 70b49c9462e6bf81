// The makers' rules, each as a question about one hop.
//
// A rule counts releases between the two ends of a hop. Only installable releases count: a release
// that was withdrawn cannot be passed over. Rules about order hold on the way up only; a downgrade
// goes back the way the upgrade came.
#include "base/text.h"
#include "model/version.h"
#include "planner/interpolation.h"
#include "planner/route_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace drydock::planner {

namespace {

using model::Pack;
using model::RouteRule;

// The indices of series are unsigned, so the smaller one is subtracted.
std::size_t distance(std::size_t a, std::size_t b) {
    return a > b ? a - b : b - a;
}

std::size_t number_of(const std::string& text) {
    std::size_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

// True if the value meets a need: ">=3.11 <3.12" of versions, or "debian-12 | ubuntu-22.04" of
// words.
bool satisfies(const std::string& value, const std::string& need) {
    if (model::VersionRange::parse(need)) {
        return model::version_in_range(need, value);
    }
    const auto words = split(need, '|');
    return std::any_of(
        words.begin(), words.end(), [&](const std::string& word) { return trim(word) == value; });
}

}  // namespace

bool is_older(const std::string& a, const std::string& b) {
    return model::compare_versions(a, b) < 0;
}

// Every version that a member has a folder for counts, also if the pack does not list it.
std::vector<std::string> known_releases(const Pack& pack,
                                        const model::Cluster& cluster,
                                        const std::string& from_version,
                                        const std::string& to_version) {
    std::set<std::string> names = {from_version, to_version};
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
    const auto entry = pack_.releases.find(release);
    return entry == pack_.releases.end() || entry->second.unavailable.empty()
               ? ""
               : fmt::format("{} cannot be installed: {} ({})",
                             release,
                             entry->second.unavailable,
                             place(pack_, entry->second.position));
}

// Returns the next installable release after this one; empty if it is the newest.
std::string RouteRules::next_after(const std::string& release) const {
    const auto position =
        std::upper_bound(installable_.begin(), installable_.end(), release, is_older);
    return position == installable_.end() ? "" : *position;
}

// Returns the latest installable release of a series; empty if the series has none.
std::string RouteRules::latest_of(std::size_t series) const {
    const auto position =
        std::find_if(installable_.rbegin(), installable_.rend(), [&](const std::string& release) {
            return series_index(pack_, release) == series;
        });
    return position == installable_.rend() ? "" : *position;
}

bool RouteRules::has_release(std::size_t series) const {
    return !latest_of(series).empty();
}

std::vector<Objection> RouteRules::objections(const std::string& from_version,
                                              const std::string& to_version) const {
    std::vector<Objection> result;
    for (const model::RoutePolicy& policy : pack_.policies) {
        if (const std::string violation = breach(policy, from_version, to_version);
            !violation.empty()) {
            result.push_back(
                {fmt::format(
                     "{}: {} ({})", violation, policy.source, place(pack_, policy.position)),
                 policy.yields_to_chain});
        }
    }
    return result;
}

// Returns how the hop breaks the rule; empty: it does not.
std::string RouteRules::breach(const model::RoutePolicy& policy,
                               const std::string& from_version,
                               const std::string& to_version) const {
    const std::size_t gap =
        distance(series_index(pack_, from_version), series_index(pack_, to_version));
    switch (policy.rule) {
    case RouteRule::adjacent_only:
        if (policy.argument == "release") {
            return breach_of_order(policy, from_version, to_version);
        }
        return gap > 1 ? fmt::format("{} -> {} skips a series", from_version, to_version) : "";
    case RouteRule::max_skew:
        return gap > number_of(policy.argument)
                   ? fmt::format("{} -> {} goes {} series at once", from_version, to_version, gap)
                   : "";
    case RouteRule::never:
        return model::version_in_range(policy.argument, to_version)
                   ? fmt::format("{} is never a target", to_version)
                   : "";
    case RouteRule::runtime:
        return breach_of_runtime(policy, to_version);
    case RouteRule::stop_at:
        return breach_of_stop(policy, from_version, to_version);
    case RouteRule::at_most:
        return is_older(from_version, to_version) && gap > number_of(policy.argument)
                   ? fmt::format("{} -> {} goes over {} series at once, {} at most are allowed",
                                 from_version,
                                 to_version,
                                 gap,
                                 policy.argument)
                   : "";
    case RouteRule::at_least_patch:
        return breach_of_patch(policy, from_version, to_version);
    case RouteRule::no_series_skip:
    case RouteRule::consecutive:
    case RouteRule::latest_of_previous_series:
        break;
    }
    return breach_of_order(policy, from_version, to_version);
}

// Applies rules about the releases between the two ends, on the way up.
std::string RouteRules::breach_of_order(const model::RoutePolicy& policy,
                                        const std::string& from_version,
                                        const std::string& to_version) const {
    if (!is_older(from_version, to_version)) {
        return {};
    }
    const std::size_t a = series_index(pack_, from_version);
    const std::size_t b = series_index(pack_, to_version);
    const std::string next = next_after(from_version);
    const bool is_turn = a == b || policy.rule == RouteRule::adjacent_only;
    if (policy.rule == RouteRule::no_series_skip) {
        for (std::size_t series = a + 1; series < b; ++series) {
            if (has_release(series)) {
                return fmt::format("{} -> {} skips the series {}",
                                   from_version,
                                   to_version,
                                   pack_.series_order[series]);
            }
        }
        return {};
    }
    if (policy.rule == RouteRule::latest_of_previous_series) {
        const std::string latest = latest_of(a);
        const bool is_behind = a != b && !latest.empty() && is_older(from_version, latest);
        return is_behind
                   ? fmt::format(
                         "{} -> {} leaves its series before {}", from_version, to_version, latest)
                   : "";
    }
    return is_turn && !next.empty() && is_older(next, to_version)
               ? fmt::format("{} -> {} passes over {}", from_version, to_version, next)
               : "";
}

// A route up stops in each of the series before it goes on. A stop that cannot be installed is
// needed nevertheless: the makers do not say that it may be passed over.
std::string RouteRules::breach_of_stop(const model::RoutePolicy& policy,
                                       const std::string& from_version,
                                       const std::string& to_version) const {
    const std::size_t a = series_index(pack_, from_version);
    const std::size_t b = series_index(pack_, to_version);
    for (std::size_t series = a + 1; series < b; ++series) {
        const std::string& name = pack_.series_order[series];
        const auto& stops = policy.versions;
        if (std::find(stops.begin(), stops.end(), name) != stops.end()) {
            return fmt::format("{} -> {} passes over {}, in which a route stops{}",
                               from_version,
                               to_version,
                               name,
                               has_release(series) ? "" : " (it has no release to install)");
        }
    }
    return {};
}

// A series is left for a later one from the listed release of it, or from a later one.
std::string RouteRules::breach_of_patch(const model::RoutePolicy& policy,
                                        const std::string& from_version,
                                        const std::string& to_version) const {
    const std::size_t a = series_index(pack_, from_version);
    if (a >= series_index(pack_, to_version)) {
        return {};
    }
    for (const std::string& least : policy.versions) {
        if (series_index(pack_, least) == a && is_older(from_version, least)) {
            return fmt::format("{} -> {} leaves {} before {}",
                               from_version,
                               to_version,
                               pack_.series_order[a],
                               least);
        }
    }
    return {};
}

const model::Observation* RouteRules::fact_of(const model::RoutePolicy& policy) const {
    if (facts_ == nullptr) {
        return nullptr;
    }
    const auto entry = facts_->find(policy.fact);
    return entry != facts_->end() && entry->second.status == model::ObservationStatus::known
               ? &entry->second
               : nullptr;
}

// Applies a runtime rule. Without a fact the rule does not forbid; untold() reports it instead.
std::string RouteRules::breach_of_runtime(const model::RoutePolicy& policy,
                                          const std::string& to_version) const {
    const auto release = pack_.releases.find(to_version);
    const model::Observation* fact = fact_of(policy);
    if (release == pack_.releases.end() || fact == nullptr) {
        return {};
    }
    const auto need = release->second.needs.find(policy.argument);
    if (need == release->second.needs.end()) {
        return {};
    }
    const Json::Array single_value = {fact->value};
    const Json::Array& values = fact->value.is_array() ? fact->value.items() : single_value;
    const bool is_met = std::any_of(values.begin(), values.end(), [&](const Json& value) {
        return satisfies(value.as_string(), need->second);
    });
    return is_met ? ""
                  : fmt::format("{} needs {} {}, and there is {}",
                                to_version,
                                policy.argument,
                                need->second,
                                fact->value.show());
}

std::vector<std::string> RouteRules::untold(const std::string& release) const {
    std::vector<std::string> words;
    const auto entry = pack_.releases.find(release);
    for (const model::RoutePolicy& policy : pack_.policies) {
        const bool asks = policy.rule == RouteRule::runtime && entry != pack_.releases.end()
                          && entry->second.needs.contains(policy.argument);
        if (asks && fact_of(policy) == nullptr) {
            words.push_back(fmt::format("{} needs {} {}; whether that is there was not told",
                                        release,
                                        policy.argument,
                                        entry->second.needs.at(policy.argument)));
        }
    }
    return words;
}

}  // namespace drydock::planner
