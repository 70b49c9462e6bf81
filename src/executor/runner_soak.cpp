// Soaks: the time that a gate has waited, by clocks that ran without a break.
//
// A conductor may die during a soak of days. Its successor takes the longest time that one clock
// proves: its own, if the machine was not booted since, or that of a greeted host. Wall clocks
// prove nothing, since a person can set them (docs/design/0005-the-run-session.md, "Soaks").
#include "executor/runner.h"

#include <algorithm>

namespace drydock::executor {

using run::EventType;
using run::Outcome;
using run::Purpose;

namespace {

// The time by which two clocks of whole milliseconds may seem to drift together.
constexpr std::int64_t k_clocks_ms = 2;

}  // namespace

// Records the clocks of all hosts at the begin of a soak: a wall clock that is set ends no soak.
void Runner::soak(std::size_t action) {
    soak_started_[action] = clock_.monotonic_ms();
    Json clocks = hosts_.clocks();
    clocks.set(settings_.boot_id, clock_.monotonic_ms());
    Json detail;
    detail.set("clocks", std::move(clocks)).set("wall_ms", clock_.wall_ms());
    apply({{EventType::soak_started, action, 0, Outcome::none, Purpose::none}, std::move(detail)});
}

// Restores a soak that other conductors saw: the longest time that one clock proves.
void Runner::set_soak_started(std::size_t action, const Json& detail) {
    Json now = hosts_.clocks();
    now.set(settings_.boot_id, clock_.monotonic_ms());
    std::int64_t elapsed = 0;
    for (const auto& [boot, then_ms] : detail["clocks"].members()) {
        if (now.contains(boot)) {
            elapsed = std::max(elapsed, now[boot].as_int() - then_ms.as_int() - k_clocks_ms);
        }
    }
    soak_started_[action] = clock_.monotonic_ms() - elapsed;
}

// Opens the gate once its soak time is over. True if it did.
bool Runner::await_soak(std::size_t action) {
    const std::int64_t now = clock_.monotonic_ms();
    const std::int64_t elapsed = now - soak_started_.emplace(action, now).first->second;
    if (elapsed < plan_.actions[action].soak_ms) {
        return false;
    }
    Json detail;
    detail.set("gate", plan_.actions[action].gate).set("words", plan_.actions[action].reason);
    apply({{EventType::gate_opened, action, 0, Outcome::none, Purpose::none}, std::move(detail)});
    return true;
}

}  // namespace drydock::executor
