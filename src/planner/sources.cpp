// Pass 0: how every fact of this cluster is read. Facts of members are bound once for each member
// of their role, system facts once.
//
// A source is complete: the agent needs neither the pack nor the cluster file to read it. Some
// probes name things that only a plan has, such as ${release.to}. A survey leaves out their facts,
// and the facts that are derived from them.
#include "base/text.h"
#include "planner/interpolation.h"
#include "planner/planner.h"

#include <algorithm>

namespace drydock::planner {

namespace {

using model::FactSource;
using model::FactSpec;
using model::Member;

// Adds the parameters that only the cluster file knows: the member's own service and release.
void add_member_parameters(const std::string& kind, const Member& member, Json& probe) {
    if (kind == "service" || kind == "process" || kind == "exe") {
        probe.set("service", member.service);
    }
    if (kind == "link" || kind == "exe") {
        Json versions = Json::Object{};
        for (const auto& [version, folder] : member.versions) {
            versions.set(version, folder);
        }
        if (probe["link"] == Json("on_disk")) {
            probe.set("on_disk", true);
        }
        probe.set("link", member.link).set("versions", std::move(versions));
    }
}

// Copies the parts of a source that do not depend on the host.
FactSource common_part(const FactSpec& spec, const std::string& member) {
    FactSource source;
    source.key = model::fact_key(member, spec.name);
    source.member = member;
    source.name = spec.name;
    source.type = spec.type;
    source.standard_fact = spec.standard_fact;
    source.is_volatile = spec.is_volatile;
    source.identity = spec.identity;
    source.temporary = spec.temporary;
    source.derive = spec.derive;
    source.skips_unknown = spec.skips_unknown;
    return source;
}

Result<FactSource>
bind_member_fact(const TemplateContext& scope, const FactSpec& spec, const Member& member) {
    FactSource source = common_part(spec, member.name);
    source.host = member.host;
    for (const std::string& input : spec.inputs) {
        source.inputs.push_back(spec.is_derived() ? model::fact_key(member.name, input) : input);
    }
    if (!spec.is_derived()) {
        DRYDOCK_TRY_ASSIGN(source.probe, fill(scope, &member, spec.probe, true));
        source.probe.set("kind", spec.kind).set("type", std::string(name_of(spec.type)));
        add_member_parameters(spec.kind, member, source.probe);
    }
    return source;
}

// A system fact is derived over the members of every role that has the input fact, or read on the
// host of the first member.
Result<FactSource> bind_system_fact(const TemplateContext& scope, const FactSpec& spec) {
    FactSource source = common_part(spec, "");
    if (!spec.is_derived() && !scope.cluster.members.empty()) {
        source.host = scope.cluster.members.front().host;
        source.inputs = spec.inputs;
        DRYDOCK_TRY_ASSIGN(source.probe, fill(scope, nullptr, spec.probe, true));
        source.probe.set("kind", spec.kind).set("type", std::string(name_of(spec.type)));
        return source;
    }
    const auto has_fact = [&](const std::string& role, const std::string& fact) {
        return std::any_of(
            scope.pack.facts.begin(), scope.pack.facts.end(), [&](const FactSpec& candidate) {
                return candidate.role == role && candidate.name == fact;
            });
    };
    for (const std::string& input : spec.inputs) {
        for (const Member& member : scope.cluster.members) {
            if (has_fact(member.role, input)) {
                source.inputs.push_back(model::fact_key(member.name, input));
            }
        }
    }
    return source;
}

// True if a probe names something that only a plan has.
bool needs_plan(const Json& value) {
    static const std::vector<std::string> k_names = {"${from}",
                                                     "${from.",
                                                     "${to}",
                                                     "${to.",
                                                     "${release.",
                                                     "${backup}",
                                                     "${run}",
                                                     "${copy}",
                                                     "${scratch}",
                                                     "${rehearsed}"};
    if (value.is_string()) {
        return std::any_of(k_names.begin(), k_names.end(), [&](const std::string& name) {
            return value.as_string().find(name) != std::string::npos;
        });
    }
    const auto& items = value.items();
    const auto& members = value.members();
    return std::any_of(items.begin(), items.end(), needs_plan)
           || std::any_of(members.begin(), members.end(), [](const auto& member) {
                  return needs_plan(member.second);
              });
}

Status bind_fact(const TemplateContext& scope, const FactSpec& spec, model::FactSources& sources) {
    if (spec.writes || (scope.run.empty() && needs_plan(spec.probe))) {
        return {};
    }
    if (spec.role.empty()) {
        DRYDOCK_TRY_ASSIGN(FactSource source, bind_system_fact(scope, spec));
        sources.emplace(source.key, std::move(source));
        return {};
    }
    for (const Member& member : scope.cluster.members) {
        if (member.role == spec.role) {
            DRYDOCK_TRY_ASSIGN(FactSource source, bind_member_fact(scope, spec, member));
            sources.emplace(source.key, std::move(source));
        }
    }
    return {};
}

// Removes facts that are derived from facts that were left out, until none is left.
void drop_without_inputs(model::FactSources& sources) {
    const auto lacks_input = [&](const auto& entry) {
        const auto& inputs = entry.second.inputs;
        return std::any_of(inputs.begin(), inputs.end(), [&](const std::string& key) {
            return !sources.contains(key);
        });
    };
    while (std::erase_if(sources, lacks_input) > 0) {
    }
}

}  // namespace

Result<model::FactSources>
bind_sources(const model::Pack& pack, const model::Cluster& cluster, const PlanNames& naming) {
    static const model::FactBook k_no_facts;
    TemplateContext scope = {pack,
                             cluster,
                             k_no_facts,
                             naming.from_version,
                             naming.to_version,
                             naming.run,
                             naming.copy,
                             {},
                             {}};
    model::FactSources sources;
    for (const FactSpec& spec : pack.facts) {
        DRYDOCK_TRY(bind_fact(scope, spec, sources));
    }
    drop_without_inputs(sources);
    return sources;
}

}  // namespace drydock::planner
