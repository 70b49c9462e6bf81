// The return point by trying downgrades: a search without faults, a downgrade from each of its
// states, then backward reachability.
//
// A state is open if a downgrade works there or in a later state. The return point is the set of
// actions with an end that leads from an open state to one that is not. If another transition does
// so, no gate of the plan can guard it, and nothing is returned. See docs/design/0004, "What the
// rules mean exactly".
#include "checker/closing.h"

#include "checker/ends.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

constexpr std::size_t k_calm_bytes_max = std::size_t{64} << 20U;

Options calmly(const Options& options) {
    Options calm = options;
    calm.faults = k_no_faults;
    calm.memory_max = std::min(options.memory_max, k_calm_bytes_max);
    return calm;
}

class Calm {
public:
    Calm(const Site& site, const Options& options, WaysBack& ways)
        : site_(site)
        , options_(calmly(options))
        , ways_(ways)
        , search_(site, options_)
        , explorer_(site, k_no_faults, true, true, options.shortcuts)
        , symmetry_(search_.symmetry())
        , batch_(site.size) {}

    // The order matters: why_closed() fills the cache of downgrades before the fixpoint asks for it
    // again, and stops at the limit.
    std::optional<model::Closing> find() {
        if (!search_.run(0)) {
            return std::nullopt;
        }
        const auto ids = search_.in_order();
        for (const std::uint32_t id : ids) {
            (void)why_closed(search_.row(id));
            if (ways_.tried() >= options_.worlds_max) {
                return std::nullopt;
            }
        }
        open_ = from_the_ends(
            site_,
            options_,
            search_,
            [&](const Byte* row) { return why_closed(row).empty(); },
            OneLeads());
        bool is_determined = open_[ids.front()];
        for (std::size_t i = 0; i < ids.size() && is_determined; ++i) {
            is_determined = !open_[ids[i]] || look_behind(ids[i]);
        }
        return is_determined ? std::optional(std::move(found_)) : std::nullopt;
    }

private:
    // Notes the actions that close the way back in this state. Returns false if a transition other
    // than the end of an action closes it, or if a successor was not stored.
    bool look_behind(std::uint32_t id) {
        batch_.clear();
        explorer_.expand(search_.row(id), batch_);
        for (std::size_t i = 0; i < batch_.size(); ++i) {
            const Choice choice = batch_.choice(i);
            symmetry_.sort(batch_.row(i));
            const std::uint32_t next = search_.find(batch_.row(i));
            if (next != k_nobody && open_[next]) {
                continue;
            }
            if (next == k_nobody || choice.kind != Kind::done) {
                return false;
            }
            note(site_.plan.actions[choice.index].id, why_closed(batch_.row(i)));
        }
        return true;
    }

    // Returns the reason why no downgrade works; empty if one works. A destroyed store that the old
    // release needs is decided first: no downgrade brings it back.
    [[nodiscard]] std::string why_closed(const Byte* row) {
        for (std::size_t i = 0; i < site_.acts.size(); ++i) {
            const auto status = static_cast<run::Status>(site_.status(row, i));
            const bool has_run = status == run::Status::done || status == run::Status::acted;
            for (const int index : has_run ? site_.acts[i].destroyed : std::vector<int>()) {
                const Store& store = site_.stores[static_cast<std::size_t>(index)];
                if (store.laws.contains(site_.plan.from)) {
                    return fmt::format(
                        "{}, which {} needs, is destroyed", store.name, site_.plan.from);
                }
            }
        }
        return ways_.why_not(row);
    }

    // The reason of the first action stands for all.
    void note(const std::string& action, const std::string& reason) {
        auto& names = found_.actions;
        if (std::find(names.begin(), names.end(), action) == names.end()) {
            found_.because = names.empty() ? reason : found_.because;
            names.push_back(action);
        }
    }

    const Site& site_;
    Options options_;
    WaysBack& ways_;
    Search search_;
    Explorer explorer_;
    Symmetry symmetry_;
    Batch batch_;
    std::vector<bool> open_;  // by id: a downgrade works there or in a later state
    model::Closing found_;
};

}  // namespace

std::optional<model::Closing>
find_closing(const Site& site, const Options& options, WaysBack& ways) {
    return Calm(site, options, ways).find();
}

}  // namespace drydock::checker
