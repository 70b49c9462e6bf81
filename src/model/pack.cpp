// Names of the pack's enums, and the form of names with a side.
//
// A role or store of one side is written "server@source"; the part before the "@" is the pack's
// name of it.
#include "model/pack.h"

#include <algorithm>
#include <array>

namespace drydock::model {

namespace {

// The tables follow the order of the enums.
constexpr std::array<std::string_view, 17> k_verbs = {"require",
                                                      "stop",
                                                      "start",
                                                      "restart",
                                                      "install",
                                                      "run",
                                                      "wait",
                                                      "backup",
                                                      "restore",
                                                      "move",
                                                      "migrate",
                                                      "quiesce",
                                                      "release",
                                                      "gate",
                                                      "finalize",
                                                      "cutover",
                                                      "destroy"};
constexpr std::array<std::string_view, 5> k_raises = {
    "never", "on_start", "when_all", "on_finalize", "on_migrate"};
constexpr std::array<std::string_view, 3> k_repeatable = {"yes", "no", "probe"};

}  // namespace

std::string sided(std::string_view name, std::string_view side) {
    std::string whole(name);
    return side.empty() ? whole : whole.append("@").append(side);
}

// A name without a side is returned as it is.
std::string without_side(std::string_view name) {
    return std::string(name.substr(0, name.find('@')));
}

std::string_view name_of(Verb verb) {
    return k_verbs.at(static_cast<std::size_t>(verb));
}

std::optional<Verb> parse_verb(std::string_view name) {
    const auto position = std::find(k_verbs.begin(), k_verbs.end(), name);
    return position == k_verbs.end() ? std::nullopt
                                     : std::optional(static_cast<Verb>(position - k_verbs.begin()));
}

std::vector<std::string> verb_names() {
    return {k_verbs.begin(), k_verbs.end()};
}

// These verbs change the release that a member runs, or will run.
bool changes_running_release(Verb verb) {
    return verb == Verb::stop || verb == Verb::install || verb == Verb::start
           || verb == Verb::restart;
}

std::string_view name_of(RouteRule rule) {
    static constexpr std::string_view k_names[] = {"adjacent_only",
                                                   "no_series_skip",
                                                   "consecutive",
                                                   "latest_of_previous_series",
                                                   "max_skew",
                                                   "never",
                                                   "runtime"};
    return k_names[static_cast<std::size_t>(rule)];
}

std::string_view name_of(FormatTrigger raises) {
    return k_raises.at(static_cast<std::size_t>(raises));
}

FormatTrigger parse_trigger(std::string_view name) {
    const auto position = std::find(k_raises.begin(), k_raises.end(), name);
    return position == k_raises.end() ? FormatTrigger::never
                                      : static_cast<FormatTrigger>(position - k_raises.begin());
}

std::string_view name_of(Repeatable repeatable) {
    return k_repeatable.at(static_cast<std::size_t>(repeatable));
}

}  // namespace drydock::model
