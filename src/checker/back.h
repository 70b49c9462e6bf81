// Ways back and ends: from which worlds the downgrade, compiled there by the real planner, ends
// with the old release serving; and from which states the run can still be brought to an end.
#pragma once

#include "checker/search.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::checker {

// The downgrade from the worlds of one site, each tried once.
class WaysBack {
public:
    WaysBack(const Site& site, const Options& options);

    [[nodiscard]] bool are_there() const { return static_cast<bool>(options_.back); }

    // Why there is none from this row; empty if there is one.
    [[nodiscard]] const std::string& why_not(const Byte* row);

    // The same, for many, on two threads: what was added is tried by the next call. The row stays
    // the caller's.
    void add(const Byte* row);
    void try_added();

    [[nodiscard]] std::size_t tried() const { return known_.size(); }

    // Whether it is asked here: nothing is in flight, every host answers, and nothing that closes
    // the way back was approved or may happen.
    [[nodiscard]] bool is_asked(const Byte* row) const;

    [[nodiscard]] bool is_known(const Byte* row) const { return known_.contains(world_of(row)); }

private:
    [[nodiscard]] std::string world_of(const Byte* row) const;
    // Whether no step has left anything that is to be taken back; who is down is no matter.
    [[nodiscard]] bool is_untouched(const Byte* row) const;
    [[nodiscard]] std::string attempt(const Byte* row) const;

    const Site& site_;
    const Options& options_;
    std::map<std::string, std::string, std::less<>> known_;  // by the bytes of the world
    std::vector<std::pair<const Byte*, std::string*>> added_;
};

// For each row, by its id: whether the run, a person and no fault more can bring it to its end: it
// is finished, or halts where the pack says what a person can do.
[[nodiscard]] std::vector<bool>
can_end(const Site& site, const Options& options, const Search& search);
// Members that the plan takes down or brings up must run in the end what it leads to, but for the
// side that one of two leaves: what is wrong about this finished row; empty: nothing.
[[nodiscard]] std::string wrong_at_the_end(const Site& site, const Byte* row);

}  // namespace drydock::checker
