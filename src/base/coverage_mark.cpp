// The list of coverage marks that this process has hit.
//
// Marks are static objects, spread over all libraries of the program, so no constructor order can
// be relied on. A mark adds itself to a lock-free list at its first hit. Marks are never removed.
#include "base/coverage_mark.h"

namespace drydock {

namespace {

constinit std::atomic<CoverageMark*> g_first = nullptr;

}  // namespace

// Pushes the mark on the list once. Two threads may hit a mark for the first time together;
// `listed_` lets one of them through. A mark is static, so the list has no owner and no end of
// life.
void CoverageMark::list() {
    if (listed_.exchange(true)) {
        return;
    }
    next_ = g_first.load();
    while (!g_first.compare_exchange_weak(next_, this)) {
    }
}

std::map<std::string, std::uint64_t> marks_hit() {
    std::map<std::string, std::uint64_t> hits;
    for (const CoverageMark* mark = g_first.load(); mark != nullptr; mark = mark->next_) {
        hits[mark->name_] += mark->hits_.load(std::memory_order_relaxed);
    }
    return hits;
}

}  // namespace drydock
