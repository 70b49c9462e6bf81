// Evaluates the conditions of a question on a set of facts, and words the event.
//
// A guard has two parts. If `when` is false, the action is skipped; if it cannot be told, the
// action waits. Only when it is true does `guard` decide. The event holds the facts as evidence:
// values alone where the conditions held, with their source where they did not, since a person will
// read those.
#include "executor/condition_poller.h"

#include <fmt/format.h>

namespace drydock::executor {

namespace {

using model::Action;
using model::Truth;
using model::Verdict;
using run::Outcome;
using run::Purpose;

Outcome outcome_of(Truth tri) {
    switch (tri) {
    case Truth::yes:
        return Outcome::yes;
    case Truth::no:
        return Outcome::no;
    case Truth::cannot_tell:
        break;
    }
    return Outcome::cannot_tell;
}

// Returns the verdict for an action without a `happened` probe: no host can tell, a person has to.
Verdict nobody_can_tell(const Action& action) {
    return {Truth::cannot_tell,
            fmt::format("nothing on the host tells whether \"{}\" happened: either it never began, "
                        "or it ended and its result was lost",
                        action.title),
            action.remedy};
}

}  // namespace

Verdict ConditionPoller::verdict(const Action& action,
                                 Purpose purpose,
                                 const model::FactView& view,
                                 Outcome& outcome) const {
    Verdict result;
    if (purpose == Purpose::guard) {
        result = model::evaluate_all(action.applies_if, view);
        if (result.outcome == Truth::no) {
            outcome = Outcome::skip;
            return result;
        }
        if (result.outcome == Truth::yes) {
            result = model::evaluate_all(action.preconditions, view);
        }
    } else if (purpose == Purpose::then) {
        result = model::evaluate_all(action.postconditions, view);
    } else {
        result = action.completion_check.empty()
                     ? nobody_can_tell(action)
                     : model::evaluate_all(action.completion_check, view);
    }
    outcome = outcome_of(result.outcome);
    return result;
}

// Returns the values of the facts that the question looks at. The evidence of each fact is added
// only if the conditions did not hold.
Json ConditionPoller::evidence(const Question& question,
                               const model::FactBook& book,
                               const Verdict& verdict) const {
    Json::Object facts;  // the keys are sorted
    facts.reserve(question.cached_read->keys.size());
    for (const std::string& key : question.cached_read->keys) {
        const auto entry = book.find(key);
        if (entry == book.end()) {
            continue;
        }
        const bool is_known = entry->second.status == model::ObservationStatus::known;
        facts.append(key,
                     verdict.outcome == Truth::yes ? (is_known ? entry->second.value : Json())
                                                   : model::to_json(entry->second));
    }
    Json::Object detail;
    detail.reserve(3);
    if (verdict.outcome != Truth::yes) {
        detail.append("because", verdict.because);
    }
    detail.append("facts", std::move(facts));
    if (verdict.outcome != Truth::yes) {
        detail.append("remedy", verdict.remedy);
    }
    return detail;
}

Judgement ConditionPoller::judgement(std::size_t action,
                                     const Question& question,
                                     const model::FactBook& book,
                                     const Verdict& verdict,
                                     Outcome outcome) const {
    return {run::Event{{run::EventType::facts_read, action, 0, outcome, question.purpose},
                       evidence(question, book, verdict)},
            fresh_until(question.cached_read->keys, book)};
}

}  // namespace drydock::executor
