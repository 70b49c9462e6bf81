// Reads facts before they are asked for.
//
// While no action is under way, nothing that this run does changes the cluster. A fact that was
// read for one check then holds for the next check, as long as it is fresh. So the first of several
// checks in a row reads for all of them: they need one reading, not one each.
//
// An action that is sent or asked after ends this: forget_facts() raises `generation_`, and a
// reading of an older generation is of no use. A check that does not hold on such facts is read
// anew. Guards of other actions are always read anew (docs/design/0001-the-core.md).
#include "base/coverage_mark.h"
#include "executor/condition_poller.h"

#include <algorithm>

namespace drydock::executor {

using run::Outcome;
using run::Purpose;

void ConditionPoller::forget_facts() {
    ++generation_;
    quiet_facts_ = {};
}

// Adds the checks that follow this one with only checks in between: they change nothing.
void ConditionPoller::add_checks_behind(std::size_t action,
                                        std::vector<std::size_t>& checks) const {
    if (plan_.actions[action].verb != model::Verb::require) {
        return;
    }
    for (std::size_t next = action + 1; next < plan_.actions.size(); ++next) {
        const model::Action& candidate = plan_.actions[next];
        const bool follows =
            std::find(candidate.predecessors.begin(), candidate.predecessors.end(), action)
            != candidate.predecessors.end();
        const bool is_listed = std::find(checks.begin(), checks.end(), next) != checks.end();
        if (follows && !is_listed && candidate.verb == model::Verb::require) {
            checks.push_back(next);
            add_checks_behind(next, checks);
        }
    }
}

// Adds the keys of the checks behind the questions that are asked for the first time.
void ConditionPoller::add_ahead(const std::vector<std::size_t>& due,
                                std::vector<std::string>& keys) {
    std::vector<std::size_t> checks;
    for (const std::size_t action : due) {
        const Question& question = questions_[action];
        if (question.purpose == Purpose::guard && !question.retained_facts
            && !question.previous_facts) {
            add_checks_behind(action, checks);
        }
    }
    for (const std::size_t check : checks) {
        auto check_keys = keys_of(plan_.actions[check], Purpose::guard);
        std::move(check_keys.begin(), check_keys.end(), std::back_inserter(keys));
    }
    if (!checks.empty()) {
        sort_keys(keys);
    }
}

namespace {

bool has_all(const model::FactBook& book, const std::vector<std::string>& keys) {
    return std::all_of(
        keys.begin(), keys.end(), [&](const auto& key) { return book.contains(key); });
}

}  // namespace

// Lets the question wait for a reading under way that reads all its facts.
bool ConditionPoller::join_reading(std::size_t action, Question& question) {
    const auto& keys = question.cached_read->keys;
    for (const auto& shared : readings_) {
        if (shared->quiet_generation == generation_
            && std::includes(shared->keys.begin(), shared->keys.end(), keys.begin(), keys.end())) {
            COVERAGE_MARK("judge: a check waits for facts that are read ahead");
            shared->submissions.push_back({action});
            question.is_reading = true;
            return true;
        }
    }
    return false;
}

// Returns facts that were read since the last action and are fresh, also those of a reading under
// way.
const model::FactBook* ConditionPoller::find_read(const std::vector<std::string>& keys) const {
    const std::int64_t fresh_ms = clock_.monotonic_ms() + k_begin_slack_ms;
    const auto fits = [&](const model::FactBook& book, std::int64_t begun_ms) {
        return begun_ms >= hosts_.clock_slipped_ms() && has_all(book, keys)
               && fresh_until(keys, book) >= fresh_ms;
    };
    if (quiet_facts_.book && fits(*quiet_facts_.book, quiet_facts_.begun_ms)) {
        return quiet_facts_.book.get();
    }
    for (const auto& shared : readings_) {
        if (shared->quiet_generation == generation_
            && fits(shared->reading.book(), shared->reading.begun_ms())) {
            return &shared->reading.book();
        }
    }
    return nullptr;
}

// Answers only with yes or skip: a condition that does not hold on these facts is read anew.
bool ConditionPoller::is_read_ahead(std::size_t index,
                                    Question& question,
                                    std::vector<Judgement>& judgements) {
    const model::Action& action = plan_.actions[index];
    const auto& keys = question.cached_read->keys;
    const bool is_first_look =
        question.purpose == Purpose::guard && !question.retained_facts && !question.previous_facts;
    if (action.verb != model::Verb::require || !is_first_look || keys.empty()) {
        return false;
    }
    const model::FactBook* book = find_read(keys);
    if (book == nullptr) {
        return join_reading(index, question);
    }
    const Members live_members = presence_.live_members(state_);
    const model::FactBook no_facts;
    const model::FactView view = {
        *book, no_facts, plan_.bound_facts, live_members, action.member, &roster_};
    Outcome outcome = Outcome::none;
    const auto result = verdict(action, question.purpose, view, outcome);
    if (outcome != Outcome::yes && outcome != Outcome::skip) {
        return false;
    }
    COVERAGE_MARK("judge: a check rests on facts that were read ahead");
    judgements.push_back(judgement(index, question, *book, result, outcome));
    return true;
}

void ConditionPoller::keep_facts(const Shared& shared,
                                 const std::shared_ptr<const model::FactBook>& book) {
    if (shared.quiet_generation == generation_) {
        quiet_facts_ = {book, shared.reading.begun_ms()};
    }
}

}  // namespace drydock::executor
