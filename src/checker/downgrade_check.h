// DowngradeChecker: the states from which a downgrade is certain to end with the old release
// serving. The planner compiles the downgrade in each such state. Beside it: the states from which
// the run can terminate.
#pragma once

#include "checker/search.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace drydock::checker {

// Compiles and checks the downgrade from states of one model, once for each distinct state of the
// cluster.
class DowngradeChecker {
public:
    DowngradeChecker(const Model& model, const Options& options);

    [[nodiscard]] bool is_enabled() const { return options_.back != nullptr; }

    // Returns the reason why no downgrade works from this row; empty if one works.
    [[nodiscard]] const std::string& failure_reason(const Byte* row);

    // Queues a row; try_added() checks the queue on two threads. The rows stay with the caller.
    void add(const Byte* row);
    void try_added();

    [[nodiscard]] std::size_t tried() const { return results_.size(); }

    // True if a downgrade must work from here. No action is in flight, every host answers, and no
    // law that closes the way back was approved or may fire.
    [[nodiscard]] bool applies(const Byte* row) const;

    // Returns the facts without a law on which downgrades that end well hang.
    [[nodiscard]] const std::set<std::string>& hangs_on() const { return hangs_on_; }

    [[nodiscard]] bool is_known(const Byte* row) const { return results_.contains(world_of(row)); }

private:
    [[nodiscard]] std::string world_of(const Byte* row) const;
    // True if no step has left anything to take back. Members that are down do not count.
    [[nodiscard]] bool is_untouched(const Byte* row) const;
    [[nodiscard]] std::string attempt(const Byte* row);
    void note_conditions(const Model& downgrade);

    const Model& model_;
    const Options& options_;
    std::map<std::string, std::string, std::less<>> results_;  // by the bytes of the cluster state
    std::vector<std::pair<const Byte*, std::string*>> added_;
    std::mutex mutex_;  // of hangs_on_
    std::set<std::string> hangs_on_;
};

// Returns for each row, by its id, whether the run and an operator can end it without a further
// fault. An end is a finished run, or a halt for which the pack names a remedy.
[[nodiscard]] std::vector<bool>
can_terminate(const Model& model, const Options& options, const Search& search);
// Returns the error of this finished row; empty: none. Members that the plan stops or starts must
// run the release that it leads to. Members that a side-by-side plan leaves down are exempt.
[[nodiscard]] std::string final_state_error(const Model& model, const Byte* row);

}  // namespace drydock::checker
