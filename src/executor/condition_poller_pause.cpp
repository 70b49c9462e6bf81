// The pauses between two readings of a question that is not decided yet.
//
// Without more, the pause grows by an eighth, so a change is seen late by at most an eighth of the
// wait. After a short while, agents are asked to tell when the facts change (change_waits.h). While
// they will, readings are only a net below that: a wait that hangs must not hide a change for long.
#include "executor/condition_poller.h"

#include <algorithm>

namespace drydock::executor {
namespace {

constexpr std::int64_t k_tell_from_ms = 32;  // the pause from which on changes are asked for

// True if a condition compares two readings: it needs the second one soon.
bool compares_readings(const std::vector<model::Condition>& conditions) {
    return std::any_of(conditions.begin(), conditions.end(), [](const auto& condition) {
        return condition.relation == model::Relation::caught_up
               || condition.relation == model::Relation::unchanged;
    });
}

bool compares_readings(const model::Action& action) {
    return compares_readings(action.applies_if) || compares_readings(action.preconditions)
           || compares_readings(action.postconditions) || compares_readings(action.fail_fast_if)
           || compares_readings(action.completion_check);
}

}  // namespace

void ConditionPoller::set_pause(std::size_t index,
                                Question& question,
                                const model::FactBook& book) {
    const std::int64_t pause_ms = question.pause_ms;
    const bool is_told =
        pause_ms > k_tell_from_ms && question.cached_read->read_plan != nullptr
        && !compares_readings(plan_.actions[index])
        && changes_.open(index, *question.cached_read->read_plan, book, question.deadline_ms);
    const bool is_woken = std::exchange(question.is_woken, false);
    question.due_ms = clock_.monotonic_ms() + (is_woken ? k_poll_woken_ms : pause_ms);
    question.pause_ms =
        is_told ? std::min(2 * pause_ms, k_poll_told_ms_max)
                : std::min(pause_ms + std::max<std::int64_t>(pause_ms / 8, 1), k_poll_ms_max);
}

// Reads facts of which a change was told. Where nobody tells them, the interval is as ever.
void ConditionPoller::wake(const ChangeWaits::End& end) {
    for (const std::size_t action : end.actions) {
        const auto entry = questions_.find(action);
        if (entry == questions_.end()) {
            continue;
        }
        Question& question = entry->second;
        question.pause_ms =
            end.has_failed ? std::min(question.pause_ms, k_poll_ms_max) : question.pause_ms;
        question.is_woken = question.is_reading && !end.has_failed;
        const std::int64_t pause_ms = end.has_failed ? question.pause_ms : k_poll_woken_ms;
        question.due_ms = std::min(question.due_ms, clock_.monotonic_ms() + pause_ms);
    }
}

}  // namespace drydock::executor
