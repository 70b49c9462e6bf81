// The checks of a plan that was read: its names, its words, its requests, its references.
#include "model/plan_checks.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace drydock::model {

namespace {

// A name with a slash or two dots could lead out of the folder of a run.
tl::unexpected<Error> bad_name(std::string_view kind, std::string_view name) {
    return fail(
        "plan.name",
        fmt::format("the plan has a {} that could lead out of its folder: `{}`", kind, name),
        "plan again; this file was not made by drydock");
}

// Control characters have no place in names that are shown and typed.
bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

// Checks names of runs, members, hosts and actions: they become parts of paths, here and on the
// hosts.
Status check_plan_names(const Plan& plan) {
    if (!is_plain_name(plan.run, "-_.")) {
        return bad_name("run", plan.run);
    }
    if (!plan.reverts_run.empty() && !is_plain_name(plan.reverts_run, "-_.")) {
        return bad_name("run", plan.reverts_run);
    }
    for (const auto* text :
         {&plan.cluster, &plan.system, &plan.from_version, &plan.to_version, &plan.procedure}) {
        if (has_control(*text)) {
            return bad_name("cluster, system, version or procedure", *text);
        }
    }
    for (const auto& [name, host] : plan.hosts) {
        if (!is_plain_name(name, "-_.")) {
            return bad_name("host", name);
        }
    }
    for (const auto& [name, host] : plan.member_hosts) {
        if (!is_plain_name(name, "-_.")) {
            return bad_name("member", name);
        }
    }
    for (const Action& action : plan.actions) {
        if (!is_plain_name(action.id, "-_./")) {
            return bad_name("action", action.id);
        }
    }
    return {};
}

// Checks words that advice repeats in commands: a person copies them into a shell.
Status check_typed_words(const Plan& plan) {
    std::vector<std::string_view> words = {
        plan.cluster_file, plan.from_version, plan.to_version, plan.state_dir};
    words.insert(words.end(), plan.route.begin(), plan.route.end());
    for (const Action& action : plan.actions) {
        words.push_back(action.gate);
    }
    // These characters would end the word or begin a substitution in a shell.
    for (const std::string_view word : words) {
        if (has_control(word) || word.find_first_of(";&|<>$`\\") != std::string_view::npos) {
            return fail("plan.word",
                        fmt::format("the plan has a name that acts in a shell: `{}`", word),
                        "such a name would stand in commands to be typed; give the file, the gate "
                        "or the version another name, and plan again");
        }
    }
    return {};
}

bool is_object_or_null(const Json& json) {
    return json.is_null() || json.is_object();
}

// Checks that each request and probe is an object, whose parts have names.
Status check_requests(const Plan& plan) {
    for (const Action& action : plan.actions) {
        if (!is_object_or_null(action.request)) {
            return fail("plan.request",
                        fmt::format("the request of action {} is no object", action.id),
                        "plan again; this file was not made by drydock");
        }
    }
    for (const auto& [key, source] : plan.sources) {
        if (!is_object_or_null(source.probe)) {
            return fail("plan.probe",
                        fmt::format("the probe of fact {} is no object", key),
                        "plan again; this file was not made by drydock");
        }
    }
    return {};
}

// Checks that each reference exists; the runner and the checker rely on it.
Status check_references(const Plan& plan) {
    std::set<std::string_view> ids;
    for (const Action& action : plan.actions) {
        if (!ids.insert(action.id).second) {
            return fail("plan.action", fmt::format("two actions have the id {}", action.id));
        }
        const bool known_host = action.host.empty() || plan.hosts.contains(action.host);
        const bool known_member =
            action.member.empty() || plan.member_hosts.contains(action.member);
        if (!known_host || !known_member || (!action.request.is_null() && action.host.empty())) {
            return fail("plan.reference",
                        fmt::format("action {} names a host or member that the plan does not have",
                                    action.id));
        }
    }
    for (const auto& [key, source] : plan.sources) {
        if (is_arithmetic(source.derive) && source.inputs.size() != 2) {
            return fail("plan.derive",
                        fmt::format("{} of fact {} needs two facts", name_of(source.derive), key));
        }
        if (!source.is_derived() && !plan.hosts.contains(source.host)) {
            return fail("plan.reference",
                        fmt::format("fact {} is read on a host that the plan does not have", key));
        }
    }
    return {};
}

}  // namespace

// Names come first: the messages of later checks repeat them.
Status check_plan(const Plan& plan) {
    DRYDOCK_TRY(check_plan_names(plan));
    DRYDOCK_TRY(check_typed_words(plan));
    DRYDOCK_TRY(check_requests(plan));
    return check_references(plan);
}

}  // namespace drydock::model
