// The return point by trying downgrades: a search without faults, a downgrade from each of its
// states, then backward reachability.
//
// A state is open if a downgrade leads to the old release serving, there or in a later state. The
// return point is the set of actions with an end that leads from an open state to one that is not.
// If another transition does so, no gate of the plan can guard it, and nothing is returned. A
// downgrade that only leaves temporary facts switched keeps the state open: a person could still
// switch them. See docs/design/0004, "What the rules mean exactly".
#include "checker/return_point_search.h"

#include "checker/backward_reachability.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

constexpr std::size_t k_fault_free_bytes_max = std::size_t{64} << 20U;

Options without_faults(const Options& options) {
    Options fault_free = options;
    fault_free.faults = k_no_faults;
    fault_free.judges_restarts = false;
    fault_free.memory_max = std::min(options.memory_max, k_fault_free_bytes_max);
    return fault_free;
}

class FaultFreeSearch {
public:
    FaultFreeSearch(const Model& model, const Options& options, DowngradeChecker& ways)
        : model_(model)
        , options_(without_faults(options))
        , ways_(ways)
        , search_(model, options_)
        , explorer_(model, k_no_faults, true, true, options.resolve_local)
        , symmetry_(search_.symmetry())
        , batch_(model.size) {}

    // The order matters: why_closed() fills the cache of downgrades before the fixpoint asks for it
    // again, and stops at the limit.
    std::optional<model::ReturnPointHint> find() {
        if (!search_.run(0)) {
            return std::nullopt;
        }
        const auto ids = search_.in_order();
        for (const std::uint32_t id : ids) {
            (void)why_closed(search_.row(id));
            if (ways_.tried() >= options_.downgrade_starts_max) {
                return std::nullopt;
            }
        }
        open_ = backward_reachable(
            model_,
            options_,
            search_,
            [&](const Byte* row) { return why_closed(row).empty(); },
            AnySuccessorLeads());
        bool is_determined = open_[ids.front()];
        for (std::size_t i = 0; i < ids.size() && is_determined; ++i) {
            is_determined = !open_[ids[i]] || check_successors(ids[i]);
        }
        return is_determined ? std::optional(std::move(hint_)) : std::nullopt;
    }

private:
    // Notes the actions that close the way back in this state. Returns false if a transition other
    // than the end of an action closes it, or if a successor was not stored.
    bool check_successors(std::uint32_t id) {
        batch_.clear();
        explorer_.expand(search_.row(id), batch_);
        for (std::size_t i = 0; i < batch_.size(); ++i) {
            const Transition choice = batch_.transition(i);
            symmetry_.sort(batch_.row(i));
            const std::uint32_t next = search_.find(batch_.row(i));
            if (next != k_no_state && open_[next]) {
                continue;
            }
            if (next == k_no_state || choice.kind != TransitionKind::done) {
                return false;
            }
            note(model_.plan.actions[choice.index].id, why_closed(batch_.row(i)));
        }
        return true;
    }

    // Returns the reason why no downgrade works; empty if one works. A destroyed store that the old
    // release needs is decided first: no downgrade brings it back.
    [[nodiscard]] std::string why_closed(const Byte* row) {
        for (std::size_t i = 0; i < model_.actions.size(); ++i) {
            const auto status = model_.status(row, i);
            const bool has_run = status == run::Status::done || status == run::Status::applied;
            for (const Index index : has_run ? model_.actions[i].destroyed : std::vector<Index>()) {
                const Store& store = model_.stores[index];
                if (store.laws.contains(model_.plan.from_version)) {
                    return fmt::format(
                        "{}, which {} needs, is destroyed", store.name, model_.plan.from_version);
                }
            }
        }
        return ways_.closing_reason(row);
    }

    // The reason of the first action stands for all.
    void note(const std::string& action, const std::string& reason) {
        auto& names = hint_.actions;
        if (std::find(names.begin(), names.end(), action) == names.end()) {
            hint_.because = names.empty() ? reason : hint_.because;
            names.push_back(action);
        }
    }

    const Model& model_;
    Options options_;
    DowngradeChecker& ways_;
    Search search_;
    SuccessorGenerator explorer_;
    Symmetry symmetry_;
    Successors batch_;
    std::vector<bool> open_;  // by id: a downgrade works there or in a later state
    model::ReturnPointHint hint_;
};

}  // namespace

std::optional<model::ReturnPointHint>
find_closing(const Model& model, const Options& options, DowngradeChecker& ways) {
    return FaultFreeSearch(model, options, ways).find();
}

}  // namespace drydock::checker
