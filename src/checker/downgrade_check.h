// DowngradeChecker: the states from which a downgrade is certain to end with the old release
// serving. The planner compiles the downgrade in each such state.
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

    [[nodiscard]] bool is_enabled() const { return options_.compile_downgrade != nullptr; }

    // Returns the reason why no downgrade works from this row; empty if one works.
    [[nodiscard]] const std::string& failure_reason(const Byte* row);
    // Returns the reason why no downgrade leads to the old release serving; empty if one does. One
    // that only leaves temporary facts switched is a fault of the pack, and leads there.
    [[nodiscard]] const std::string& closing_reason(const Byte* row);

    // Queues a row; check_added() checks the queue on two threads. The rows stay with the caller.
    void add(const Byte* row);
    void check_added();

    [[nodiscard]] std::size_t tried() const { return results_.size(); }

    // True if a downgrade must work from here. No action is in flight, every host answers, no law
    // that closes the way back may fire, and behind an approval no action that closes it has begun.
    [[nodiscard]] bool applies(const Byte* row) const;

    // Returns the facts without a law on which downgrades that end well hang.
    [[nodiscard]] const std::set<std::string>& hangs_on() const { return hangs_on_; }

    [[nodiscard]] bool is_known(const Byte* row) const {
        return results_.contains(downgrade_start_of(row));
    }

private:
    // What became of the downgrade from a state of the cluster; each is empty if it did not happen.
    struct Outcome {
        std::string closed;       // why it does not lead to the old release serving
        std::string left_behind;  // what it leaves switched

        [[nodiscard]] const std::string& failure() const {
            return closed.empty() ? left_behind : closed;
        }
    };

    [[nodiscard]] const Outcome& outcome_of(const Byte* row);
    [[nodiscard]] std::string downgrade_start_of(const Byte* row) const;
    // True if no step has left anything to take back. Members that are down do not count.
    [[nodiscard]] bool is_untouched(const Byte* row) const;
    [[nodiscard]] Outcome attempt(const Byte* row);
    void note_conditions(const Model& downgrade);

    const Model& model_;
    const Options& options_;
    std::map<std::string, Outcome, std::less<>> results_;  // by the bytes of the cluster state
    std::vector<std::pair<const Byte*, Outcome*>> added_;
    std::mutex mutex_;  // of hangs_on_
    std::set<std::string> hangs_on_;
};

}  // namespace drydock::checker
