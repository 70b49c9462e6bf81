// Which laws of what happens a drawn plan uses, and the property that each is about.
#pragma once

#include "reference/random_plan.h"

#include <array>
#include <string_view>
#include <vector>

namespace drydock::reference {

struct LawAndProperty {
    std::string_view law;
    checker::Property property = checker::Property::quorum;

    auto operator<=>(const LawAndProperty&) const = default;
};

// Of the plans with a law: how many broke its property, and how many did not.
struct Outcomes {
    int broken = 0;
    int held = 0;
};

inline constexpr std::array<LawAndProperty, 26> k_laws_of_what_happens = {{
    {"temporary", checker::Property::left_behind},
    {"temporary back", checker::Property::no_way_back},
    {"open behind a gate", checker::Property::no_way_back},
    {"groups", checker::Property::quorum},
    {"voters", checker::Property::quorum},
    {"ready_with", checker::Property::quorum},
    {"run moves", checker::Property::quorum},
    {"restarts never", checker::Property::skew},
    {"restarts", checker::Property::skew},
    {"budget restart", checker::Property::stuck},
    {"on_lead", checker::Property::unasked_return_point},
    {"when_all_running", checker::Property::unasked_return_point},
    {"leader_only", checker::Property::unreadable_start},
    {"starts_on", checker::Property::unreadable_start},
    {"destroys", checker::Property::unreadable_start},
    {"restores", checker::Property::unreadable_start},
    {"while", checker::Property::unreadable_start},
    {"alone", checker::Property::alone},
    {"alone start", checker::Property::alone},
    {"clean_stop", checker::Property::unreadable_start},
    {"newest", checker::Property::lost_writes},
    {"read_by", checker::Property::unreadable_start},
    {"own", checker::Property::unreadable_start},
    {"votes moved", checker::Property::quorum},
    {"while together", checker::Property::unreadable_start},
    {"while down", checker::Property::unreadable_start},
}};

// Those of the list above.
[[nodiscard]] std::vector<LawAndProperty> laws_used(const Drawn& drawn);

}  // namespace drydock::reference
