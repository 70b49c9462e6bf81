#include "base/probe.h"

namespace drydock {

namespace {

constinit std::atomic<Probe*> g_first = nullptr;

}  // namespace

// A mark lives as long as the program, so the list needs no end.
void Probe::list() {
    if (listed_.exchange(true)) {
        return;
    }
    next_ = g_first.load();
    while (!g_first.compare_exchange_weak(next_, this)) {
    }
}

std::map<std::string, std::uint64_t> probes_hit() {
    std::map<std::string, std::uint64_t> hits;
    for (const Probe* mark = g_first.load(); mark != nullptr; mark = mark->next_) {
        hits[mark->name_] += mark->hits_.load(std::memory_order_relaxed);
    }
    return hits;
}

}  // namespace drydock
