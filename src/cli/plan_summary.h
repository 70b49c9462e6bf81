// Outline: a plan in the units that people count: one line for each member and phase, gates between
// them, and the number of members that serve meanwhile. Pure. The plan screen, the guide and the
// live table use it.
#pragma once

#include "model/plan.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace drydock::cli {

// The actions of one member (or of the system) in one phase, in order; a gate stands alone.
struct Block {
    std::string phase;
    std::string member;
    std::vector<const model::Action*> actions;
    std::size_t group = 0;  // blocks of one group run side by side
    bool touches = false;   // stops or starts its member

    [[nodiscard]] const model::Action* gate() const;
    [[nodiscard]] std::int64_t takes_ms() const;
};

struct Group {
    std::size_t serving_min = 0;  // members that serve at its worst moment
    std::int64_t takes_ms = 0;    // of its longest block
    bool touches = false;
    bool outage = false;  // of some role fewer serve than are needed
};

struct Outline {
    std::vector<Block> blocks;
    std::vector<Group> groups;
    std::size_t members = 0;
    std::size_t serving_min = 0;
    std::int64_t takes_ms = 0;  // the usual time of all actions; gates and soaks apart
    std::int64_t soak_ms = 0;
    std::int64_t outage_ms = 0;  // of groups with an outage
    bool outage = false;
    bool refuses_writes = false;  // a step keeps clients out, by the fact bound to `writes`
    int quorum = 0;               // of the only role; 0 if there are several
};

// Returns the outline, which borrows the plan.
[[nodiscard]] Outline outline_of(const model::Plan& plan);
// Returns "stop", "install 3.5.16", "14 checks", or the action's own title.
[[nodiscard]] std::string words_of(const model::Action& action, const model::Plan& plan);
[[nodiscard]] std::string words_of(const Block& block, const model::Plan& plan);
// Returns the cost of a way back, and what it hangs on by the plan's check: "nothing lost; certain,
// if epoch_lead holds".
[[nodiscard]] std::string cost_words(const model::RecoveryOption& way, const model::Plan& plan);
// Returns what the downgrade hangs on: "certain, if epoch_lead holds". `facts` is not empty.
[[nodiscard]] std::string certainty_words(const std::vector<std::string>& facts);
// True if the action only orders other actions, and has nothing to do or to observe.
[[nodiscard]] bool is_barrier(const model::Action& action);

}  // namespace drydock::cli
