// InitialValues: the values at the begin of a search, of facts and of stores.
//
// They come from the other search, if one is continued, else from the facts that the plan is bound
// to, else from the survey. The layout of a Model asks for each value once.
#pragma once

#include "checker/model.h"

#include <string>

namespace drydock::checker {

// Returns the observation with this key; null: there is none, or it is unknown.
[[nodiscard]] const model::Observation* known_fact(const model::FactBook& book,
                                                   const std::string& key);

class InitialValues {
public:
    InitialValues(const Model& model, const InitialState* start) : model_(model), start_(start) {}

    // Returns null if nobody can tell it. Its status is unknown if the other plan left it open.
    [[nodiscard]] const model::Observation* fact(const std::string& key) const;
    // The store of a member; k_no_index: the shared one.
    [[nodiscard]] Byte format(const model::PlanStore& store, Index member) const;
    [[nodiscard]] Byte copied_format(const model::PlanStore& store, Index member) const;
    // Returns the release that left the store unclean; absent: it is clean.
    [[nodiscard]] model::Observation left_by(const model::PlanStore& store, Index member) const;
    // True if another copy is newer.
    [[nodiscard]] bool is_stale(const model::PlanStore& store, Index member) const;

private:
    [[nodiscard]] bool is_left_open(const std::string& key) const;
    [[nodiscard]] std::string name_of(Index member) const;
    [[nodiscard]] std::string instance_name(const model::PlanStore& store, Index member) const;
    [[nodiscard]] std::string written_format(const model::PlanStore& store, Index member) const;
    [[nodiscard]] std::string written_by_axis(const model::PlanStore& store, Index member) const;
    // Returns the release that the member runs; of a shared store, that of any member.
    [[nodiscard]] const model::Observation* running(Index member) const;
    [[nodiscard]] bool runs(Index member, const std::string& release) const;

    const Model& model_;
    const InitialState* start_;
};

}  // namespace drydock::checker
