// Interpolation: the values of ${name} in a pack's strings, for one member of one plan.
#pragma once

#include "base/result.h"
#include "model/cluster.h"
#include "model/fact.h"
#include "model/pack.h"

#include <map>
#include <string>

namespace drydock::planner {

// The part of the names that is the same for all members of a plan.
struct TemplateContext {
    const model::Pack& pack;
    const model::Cluster& cluster;
    const model::FactBook&
        facts;  // as surveyed; ${fact.NAME} and ${successor.NAME} are taken from them
    std::string from_version;
    std::string to_version;
    std::string run;
    std::string copy;       // the copy that a restore brings back; may be empty
    model::Roster members;  // of every role of the pack, in the plan's order
    std::map<std::string, std::string> successor;  // member -> the member that takes over from it
};

// Returns the folder by which plans and people name the pack, wherever it is installed:
// "packs/etcd", or "pack" for one that stands alone in a folder of that name.
[[nodiscard]] std::string folder_in_plans(const model::Pack& pack);
// Returns a line of the pack in that form:
// "packs/etcd/releases.yaml:9:3".
[[nodiscard]] std::string place(const model::Pack& pack, const Position& position);
[[nodiscard]] std::string series_of(const model::Pack& pack, const std::string& version);
// Returns how a release treats a store; nullptr if the pack does not say.
[[nodiscard]] const model::FormatSupport*
law_of(const model::Pack& pack, const std::string& version, const std::string& store);
[[nodiscard]] std::size_t series_index(const model::Pack& pack, const std::string& version);
[[nodiscard]] const model::Member* find_member(const model::Cluster& cluster,
                                               const std::string& name);

// Returns the value of ${name}; an error names the unknown name. `member` may be null (the system).
[[nodiscard]] Result<std::string>
resolve(const TemplateContext& scope, const model::Member* member, std::string_view name);
// Interpolates all strings of a Json value. ${secret:X}, ${script} and, with `keep_facts`,
// ${fact.X} stay as they are.
[[nodiscard]] Result<Json> fill(const TemplateContext& scope,
                                const model::Member* member,
                                const Json& value,
                                bool keep_facts = false);
[[nodiscard]] Result<std::string>
fill_text(const TemplateContext& scope, const model::Member* member, std::string_view text);
[[nodiscard]] Result<std::vector<model::Condition>>
fill_conditions(const TemplateContext& scope,
                const model::Member* member,
                const std::vector<model::Condition>& conditions);

}  // namespace drydock::planner
