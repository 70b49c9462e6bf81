// Valid plans of all packs, small enough for the reference explorer: what the mutants are made
// from.
#pragma once

#include "checker/checker.h"
#include "planner/fixture.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mutants {

struct Base {
    std::string name;  // "etcd upgrade"
    std::shared_ptr<const planner::Fixture> site;
    std::string from;
    std::string to;
    std::string procedure;
    std::optional<model::ReturnPointHint> closing =
        {};                       // where trying ways back found that it closes
    bool slow = false;            // few actions, in very many orders
    bool outlives_deaths = true;  // false: if a member dies at the wrong moment, the order is wrong
    // Of a way back: the temporary facts of the plan that it takes back.
    std::vector<model::TemporaryFact> temporaries = {};

    // Compiled by the real planner; with another pack than the site's, as a pack author who is
    // wrong would have it.
    [[nodiscard]] Result<model::Plan> plan() const;
    [[nodiscard]] Result<model::Plan> plan_with(const model::Pack& pack) const;
    // Empty where the pack has no `downgrade`, or the plan is one.
    [[nodiscard]] checker::CompileDowngrade back() const;
    // As a pack author who is wrong about the way back would have it.
    [[nodiscard]] checker::CompileDowngrade back_with(const model::Pack& pack) const;
};

[[nodiscard]] std::vector<Base> all_bases();
// Plans under the laws of what really happens: tests/mutants/packs.
[[nodiscard]] std::vector<Base> law_bases();

}  // namespace drydock::mutants
