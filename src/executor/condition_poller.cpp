// Asks questions about actions and decides them on facts: submit, read, decide, read again.
//
// A question goes round until it is decided or its time is up. It is due, its facts are read, and
// it is decided on them, or gets a pause and is due again. Three rules hold for an answer:
//
// - Facts were read after the question was submitted; an action that was sent since makes them
//   void.
// - All facts of one decision are fresh at that moment. If some grew old while others were awaited,
//   only those are read once more (Question::kept holds the others).
// - Facts from before this process or its machine stood still do not count.
//
// docs/design/0001-the-core.md, "What an effect rests on is fresh" and "One reading answers many
// questions". The prefetch and the evaluation have files of their own.
#include "executor/condition_poller.h"

#include "base/coverage_mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace drydock::executor {

namespace {

using model::Action;
using model::Truth;
using model::Verdict;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;

constexpr std::size_t k_purposes = 4;
constexpr std::int64_t k_recheck_ms_max = 10'000;
// The number of times that grown-old facts are read once more. Each round takes less time than the
// one before if hosts answer at all; then time is not the problem.
constexpr int k_renewals = 5;

const auto k_nothing = std::make_shared<const model::FactBook>();

// Lists the conditions that a purpose looks at.
std::vector<const std::vector<model::Condition>*> conditions_of(const Action& action,
                                                                Purpose purpose) {
    switch (purpose) {
    case Purpose::guard:
        return {&action.applies_if, &action.preconditions};
    case Purpose::then:
        return {&action.postconditions, &action.fail_fast_if};
    case Purpose::happened:
        return {&action.completion_check};
    case Purpose::none:
        break;
    }
    return {};
}

}  // namespace

// Returns the keys sorted, each once.
std::vector<std::string> ConditionPoller::keys_of(const Action& action, Purpose purpose) const {
    std::vector<std::string> keys;
    for (const auto* conditions : conditions_of(action, purpose)) {
        for (const model::Condition& condition : *conditions) {
            auto condition_keys = model::facts_of(condition, roster_, action.member);
            std::move(condition_keys.begin(), condition_keys.end(), std::back_inserter(keys));
        }
    }
    sort_keys(keys);
    return keys;
}

namespace {

// Returns how long a question may wait. A postcondition that is read again after a resume has used
// its time before; but some conditions compare two readings, and elections pass.
std::int64_t patience_of(const Action& action, Purpose purpose, run::Status status) {
    if (purpose != Purpose::then) {
        return action.guard_timeout_ms;
    }
    return status == run::Status::recheck
               ? std::max(action.guard_timeout_ms, std::min(action.timeout_ms, k_recheck_ms_max))
               : action.timeout_ms;
}

}  // namespace

// A question for another purpose replaces the action's present one; replies to that one are
// dropped.
void ConditionPoller::submit(std::size_t index, Purpose purpose) {
    const auto entry = questions_.find(index);
    if (entry != questions_.end() && entry->second.purpose == purpose) {
        return;
    }
    const Action& action = plan_.actions[index];
    Question question;
    question.purpose = purpose;
    question.cached_read = inquiries_->of(index * k_purposes + static_cast<std::size_t>(purpose),
                                          [&] { return keys_of(action, purpose); });
    question.due_ms = clock_.monotonic_ms();
    question.deadline_ms = question.due_ms + patience_of(action, purpose, state_.status(index));
    questions_[index] = std::move(question);
    for (const auto& shared : readings_) {  // those wait for the question that was replaced
        std::erase_if(shared->submissions,
                      [&](const Submission& submission) { return submission.action == index; });
    }
}

// Decides questions without facts at once: their answer needs no host.
std::vector<Judgement> ConditionPoller::step(bool is_still) {
    const std::int64_t now = clock_.monotonic_ms();
    std::vector<Judgement> judgements;
    std::vector<std::size_t> due;
    bool needs_facts = false;  // true if one of them looks at a fact
    for (auto& [action, question] : questions_) {
        if (question.is_reading || question.due_ms > now
            || (is_still && is_read_ahead(action, question, judgements))) {
            continue;
        }
        due.push_back(action);
        needs_facts = needs_facts || !question.cached_read->keys.empty();
    }
    for (const Judgement& judgement : judgements) {
        questions_.erase(judgement.event.action);
    }
    if (needs_facts) {
        read(due, is_still);
        return judgements;
    }
    // The view is that of a role's only member: a condition on all others holds.
    const Members live_members = due.empty() ? Members() : presence_.live_members(state_);
    for (const std::size_t action : due) {
        if (auto judgement = decide(action, questions_[action], k_nothing, live_members)) {
            judgements.push_back(std::move(*judgement));
            questions_.erase(action);
        }
    }
    return judgements;
}

// One reading serves all questions that are due. Each request asks one host for all its facts.
void ConditionPoller::read(const std::vector<std::size_t>& due, bool is_still) {
    std::vector<Submission> submissions;
    for (const std::size_t action : due) {
        questions_[action].is_reading = true;
        submissions.push_back({action});
    }
    std::vector<std::string> keys = keys_of(due);
    if (is_still) {
        add_ahead(due, keys);
    }
    auto inquiry = inquiries_->of(keys);
    readings_.push_back(
        std::make_unique<Shared>(Shared{FactRead(std::move(inquiry), hosts_, clock_),
                                        std::move(submissions),
                                        std::move(keys),
                                        is_still ? std::optional(generation_) : std::nullopt}));
}

// A question that keeps fresh facts of an earlier reading asks only for its old ones.
std::vector<std::string> ConditionPoller::keys_of(const std::vector<std::size_t>& due) {
    std::vector<std::string> keys;  // questions share them
    for (const std::size_t action : due) {
        const Question& question = questions_[action];
        const auto& question_keys =
            question.retained_facts ? question.expired_keys : question.cached_read->keys;
        keys.insert(keys.end(), question_keys.begin(), question_keys.end());
    }
    sort_keys(keys);
    return keys;
}

// Decides a question on a full set of fresh facts. An undecided question keeps the book, since the
// relations `reaches` and `stands` compare with the reading before.
std::optional<Judgement> ConditionPoller::decide(std::size_t index,
                                                 Question& question,
                                                 const std::shared_ptr<const model::FactBook>& book,
                                                 const Members& live_members) {
    Outcome outcome = Outcome::none;
    const Action& action = plan_.actions[index];
    const model::FactBook& earlier =
        question.previous_facts ? *question.previous_facts : *k_nothing;
    const model::FactView view = {
        *book, earlier, plan_.bound_facts, live_members, action.member, &roster_};
    const Verdict result = verdict(action, question.purpose, view, outcome);
    const bool in_vain =
        question.purpose == Purpose::then && outcome != Outcome::yes
        && std::any_of(
            action.fail_fast_if.begin(), action.fail_fast_if.end(), [&](const auto& condition) {
                return model::evaluate(condition, view).outcome == Truth::yes;
            });
    if (in_vain) {
        COVERAGE_MARK("judge: waiting is in vain");
    }
    // "It did not happen" is an answer. A guard that does not hold yet may hold soon.
    const bool is_settled = outcome == Outcome::yes || outcome == Outcome::skip || in_vain
                            || (question.purpose == Purpose::happened
                                && (outcome == Outcome::no || question.cached_read->keys.empty()));
    const std::int64_t now = clock_.monotonic_ms();
    if (!is_settled && now < question.deadline_ms) {
        question.because = result.because;
        question.is_reading = false;
        question.previous_facts = book;
        set_pause(index, question, *book);
        return std::nullopt;
    }
    return judgement(index, question, *book, result, outcome);
}

namespace {

// Marks facts as unknown that came too late again and again.
std::shared_ptr<const model::FactBook> forget(const model::FactBook& book,
                                              const std::vector<std::string>& old) {
    auto rest = std::make_shared<model::FactBook>(book);
    for (const std::string& key : old) {
        (*rest)[key] = {model::ObservationStatus::unknown, {}, "its host takes too long to answer"};
    }
    return rest;
}

}  // namespace

// Merges the facts that were kept with the ones just read. If some are old by now, the question
// keeps all of them and is due at once, for the old ones only.
std::shared_ptr<const model::FactBook>
ConditionPoller::merge_fresh(Question& question, std::shared_ptr<const model::FactBook> book) {
    const std::int64_t now = clock_.monotonic_ms();
    if (question.retained_facts) {
        auto whole = std::make_shared<model::FactBook>(*question.retained_facts);
        for (const auto& [key, observation] : *book) {
            whole->insert_or_assign(key, observation);
        }
        book = std::move(whole);
    }
    const std::int64_t slack = question.purpose == Purpose::guard ? k_begin_slack_ms : 0;
    question.expired_keys = inquiries_->too_old(question.cached_read->keys, *book, now + slack);
    const bool in_vain = question.renewals >= k_renewals && now >= question.deadline_ms;
    if (question.expired_keys.empty() || in_vain) {
        question.retained_facts.reset();
        question.renewals = 0;
        return question.expired_keys.empty() ? book : forget(*book, question.expired_keys);
    }
    COVERAGE_MARK("judge: facts have grown old");
    question.retained_facts = std::move(book);
    ++question.renewals;
    question.is_reading = false;
    question.due_ms = now;
    return nullptr;
}

// Gives a reply to the reading that asked for it, or to the wait for a change.
bool ConditionPoller::on_reply(const Reply& reply, std::vector<Judgement>& judgements) {
    if (const auto end = changes_.on_reply(reply)) {
        wake(*end);
        return true;
    }
    for (auto position = readings_.begin(); position != readings_.end(); ++position) {
        Shared& shared = **position;
        if (!shared.reading.on_reply(reply, hosts_)) {
            continue;
        }
        if (shared.reading.done()) {
            decide_read(shared, judgements);
            readings_.erase(position);
        } else {
            decide_early(shared, judgements);
        }
        return true;
    }
    return false;
}

namespace {

model::FactBook part_of(const model::FactBook& book, const std::vector<std::string>& keys) {
    model::FactBook part;
    for (const std::string& key : keys) {
        part.insert_or_assign(part.end(), key, book.at(key));
    }
    return part;
}

}  // namespace

// Decides questions whose own facts are in, so that no question waits for a host that it does not
// ask.
void ConditionPoller::decide_early(Shared& shared, std::vector<Judgement>& judgements) {
    const model::FactBook& book = shared.reading.book();
    std::erase_if(shared.submissions, [&](Submission& submission) {
        const Question& question = questions_[submission.action];
        const auto& keys =
            question.retained_facts ? question.expired_keys : question.cached_read->keys;
        while (submission.keys_read < keys.size() && book.contains(keys[submission.keys_read])) {
            ++submission.keys_read;
        }
        if (submission.keys_read < keys.size()) {
            return false;
        }
        decide_submitted(submission.action,
                         shared.reading,
                         std::make_shared<const model::FactBook>(part_of(book, keys)),
                         judgements);
        return true;
    });
}

// Decides the questions of a reading that has ended, and keeps its facts for checks that come next.
void ConditionPoller::decide_read(Shared& shared, std::vector<Judgement>& judgements) {
    const auto book = std::make_shared<const model::FactBook>(shared.reading.take_book());
    for (const Submission& submission : shared.submissions) {
        decide_submitted(submission.action, shared.reading, book, judgements);
    }
    keep_facts(shared, book);
}

// Decides a question unless its facts were read before this process or its machine stood still;
// those are read again.
void ConditionPoller::decide_submitted(std::size_t action,
                                       const FactRead& reading,
                                       const std::shared_ptr<const model::FactBook>& book,
                                       std::vector<Judgement>& judgements) {
    const std::int64_t now = clock_.monotonic_ms();
    Question& question = questions_[action];
    question.retained_since_ms =
        question.retained_facts ? question.retained_since_ms : reading.begun_ms();
    if (question.retained_since_ms < hosts_.clock_slipped_ms()) {
        COVERAGE_MARK("judge: facts were read before the clock stood still");
        question.retained_facts.reset();
        question.is_reading = false;
        question.due_ms = now;
        return;
    }
    const bool all_fresh =
        !question.retained_facts && reading.fresh_until_ms() >= now + k_begin_slack_ms;
    const auto facts = all_fresh ? book : merge_fresh(question, book);
    auto judgement =
        facts ? decide(action, question, facts, presence_.live_members(state_)) : std::nullopt;
    if (judgement) {
        judgements.push_back(std::move(*judgement));
        questions_.erase(action);
    }
}

std::int64_t ConditionPoller::next_due_ms() const {
    std::int64_t due = std::numeric_limits<std::int64_t>::max();
    for (const auto& [action, question] : questions_) {
        if (!question.is_reading) {
            due = std::min(due, question.due_ms);
        }
    }
    return due;
}

// Reports the first question that was read and did not hold.
std::string ConditionPoller::waits_for() const {
    for (const auto& [action, question] : questions_) {
        if (!question.because.empty()) {
            return fmt::format("{}: {}", plan_.actions[action].title, question.because);
        }
    }
    return {};
}

}  // namespace drydock::executor
