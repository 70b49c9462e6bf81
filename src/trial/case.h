// A case: a folder with a pack to try, and with what must come of it.
//
//   case.yaml      what it is, and what stops the failing twin
//   cluster.yaml   the cluster; facts.yaml: what a survey finds there; plan.yaml: where to
//   pack/          the pack, unless case.yaml names one (`pack: packs/etcd`)
//   failing/, passing/   what differs for each twin: facts.yaml is merged, other files (of the
//                  pack, plan.yaml, cluster.yaml) take the place of the shared one
//
// A folder without the twins is one plan to try, and needs no case.yaml.
#pragma once

#include "base/enum_names.h"
#include "trial/input.h"

#include <string>
#include <vector>

namespace drydock::trial {

// What a plan goes through before anything is touched, in this order.
enum class Stage : std::uint8_t { none, lint, route, preflight, check };
inline constexpr EnumNames<Stage, Stage::check>
    k_stages({"", "lint", "route", "preflight", "check"});

[[nodiscard]] inline std::string_view name_of(Stage stage) {
    return k_stages.of(stage);
}

struct Case {
    std::string folder;
    std::string title;
    std::string report;         // where it is told of in public: "etcd-io/etcd#11716"
    Stage stage = Stage::none;  // what stops the failing twin
    std::string name;           // under which name: a policy, requirement, risk or property
    // Nothing stops the failing twin (`stopped_by: nothing`). It is told that its way back is
    // certain only if the fact `name` holds; that of the passing twin hangs on no fact.
    bool is_only_told = false;
    std::vector<std::string> says;   // words that the story or the remedy must hold
    std::string pack;                // `pack:`; empty: the folder pack/
    std::vector<std::string> twins;  // failing and passing; or one without a name
};

[[nodiscard]] InputResult<Case> read_case(const std::string& folder);
// Reads each folder below `folder` as a case, sorted by name.
[[nodiscard]] InputResult<std::vector<Case>> read_cases(const std::string& folder);

}  // namespace drydock::trial
