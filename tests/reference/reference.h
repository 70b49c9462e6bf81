// The reference explorer: slow and simple. It walks breadth first through every world that a plan
// and the faults allow, with run::apply(), run::next() and model::evaluate() themselves, and keeps
// each world whole: no symmetry, no packing, no second thread. The checker must come to the same
// verdict, with stories of the same length.
#pragma once

#include "reference/steps.h"

#include <optional>

namespace drydock::reference {

// The shortest way to what breaks a property.
struct Finding {
    int length = 0;  // steps
    std::vector<std::string> story;
};

struct Verdict {
    bool whole = true;   // false: there were more than `worlds_max` worlds
    bool never = false;  // it cannot be finished even if nothing fails
    std::map<checker::Property, Finding> broken;
    std::size_t worlds = 0;
    std::size_t ways_back = 0;  // distinct worlds from which the way back was tried
};

struct Request {
    checker::Faults faults;
    checker::CompileDowngrade back;  // empty: no_way_back is not asked
    std::size_t downgrade_starts_max = 2'000'000;
    bool first_only = false;  // stop at the first thing that breaks
    Pace pace = Pace::brisk;
};

[[nodiscard]] Verdict explore(const model::Plan& plan, const Request& request);

// "quorum, stuck", or "nothing"; and with lengths: "quorum 7, stuck 12", where a plan that can
// never be finished has none, because there is no shortest way to what does not happen.
[[nodiscard]] std::string names(const Verdict& verdict);
[[nodiscard]] std::string show(const Verdict& verdict);

}  // namespace drydock::reference
