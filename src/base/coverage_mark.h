// COVERAGE_MARK("name"): marks a rare branch, so that a simulation can tell whether a run ever took
// it.
//
// A branch that no seed reaches is a branch that no seed tests. tests/sim lists the names that a
// sweep must hit. A test compares that list with the marks in the sources. A mark costs one load
// and one store. Threads that hit a mark at once may lose some counts, but never the first one.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>

namespace drydock {

class CoverageMark {
public:
    constexpr explicit CoverageMark(const char* name) : name_(name) {}

    void hit() {
        const std::uint64_t hits = hits_.load(std::memory_order_relaxed);
        hits_.store(hits + 1, std::memory_order_relaxed);
        if (hits == 0) {
            list();
        }
    }

private:
    friend std::map<std::string, std::uint64_t> marks_hit();
    void list();

    const char* name_;
    std::atomic<std::uint64_t> hits_ = 0;
    std::atomic<bool> listed_ = false;
    CoverageMark* next_ = nullptr;
};

// Returns the number of hits of each mark in this process, without the marks that were never hit.
[[nodiscard]] std::map<std::string, std::uint64_t> marks_hit();

}  // namespace drydock

// NOLINTNEXTLINE(readability-identifier-naming): as it is called in the sources
#define COVERAGE_MARK(name)                                                                        \
    do {                                                                                           \
        static constinit ::drydock::CoverageMark drydock_coverage_mark(name);                      \
        drydock_coverage_mark.hit();                                                               \
    } while (false)
