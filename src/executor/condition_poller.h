// ConditionPoller answers "does this hold?" for actions, on facts that are read after the question
// was asked.
//
// Questions that are due at the same time share one reading; each is decided when its own facts are
// in. While no action is under way, the first of several checks in a row reads for all of them
// (condition_poller_prefetch.cpp). A condition that does not hold yet is read again, soon at first
// and then more rarely. Where its facts tell their changes, it is read when one is told, and more
// rarely besides. That ends when the action's guard timeout or its own timeout is used up. One
// thread.
#pragma once

#include "executor/change_waits.h"
#include "executor/facts_reader.h"
#include "model/plan.h"
#include "os/clock.h"
#include "run/event.h"
#include "run/expected_facts.h"
#include "run/state.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::executor {

inline constexpr std::int64_t k_poll_ms_min = 4;  // between two readings of one question, at first
inline constexpr std::int64_t k_poll_ms_max = 250;  // and at last
// While changes of all its facts are told: at last, and after a change was told.
inline constexpr std::int64_t k_poll_told_ms_max = 5'000;
inline constexpr std::int64_t k_poll_woken_ms = 10;

// A guard needs facts that stay fresh for this long after its judgement, so that the command has
// time to begin.
inline constexpr std::int64_t k_begin_slack_ms = 500;

// The event of a judgement, and the time (monotonic) until which its facts are fresh.
struct Judgement {
    run::Event event;
    std::int64_t fresh_until_ms = 0;
};

class ConditionPoller {
public:
    using Members = model::Roster;

    // `state` is the runner's own. All references must outlive this.
    ConditionPoller(const model::Plan& plan,
                    const run::State& state,
                    AgentPool& hosts,
                    os::Clock& clock,
                    std::shared_ptr<ReadPlanCache> inquiries)
        : plan_(plan)
        , state_(state)
        , hosts_(hosts)
        , clock_(clock)
        , roster_(plan.roster())
        , presence_(plan)
        , inquiries_(std::move(inquiries))
        , changes_(hosts, clock) {}

    // Submits a question, unless the same one is being asked already.
    void submit(std::size_t action, run::Purpose purpose);
    // Starts readings for questions that are due, and answers those that need none. `is_still` is
    // true if no action is under way.
    std::vector<Judgement> step(bool is_still);
    // Drops facts read so far, because an action is about to be sent or asked after.
    void forget_facts();
    // True if the reply belongs to a reading of this poller. `judgements` gets the answers that it
    // decided.
    bool on_reply(const Reply& reply, std::vector<Judgement>& judgements);

    [[nodiscard]] std::int64_t next_due_ms() const;  // monotonic; a far future if nothing is due
    // Returns a sentence about the condition that is waited for; empty if none was read twice.
    [[nodiscard]] std::string waits_for() const;

private:
    struct Question {
        run::Purpose purpose = run::Purpose::none;
        std::shared_ptr<const CachedRead> cached_read;
        std::int64_t deadline_ms = 0;
        std::int64_t due_ms = 0;
        std::int64_t pause_ms = k_poll_ms_min;
        bool is_reading = false;
        bool is_woken = false;                  // a change was told while facts were read
        std::vector<std::string> expired_keys;  // facts of `kept` that are read once more
        std::shared_ptr<const model::FactBook> retained_facts;  // of earlier readings; null: none
        std::int64_t retained_since_ms = 0;  // when the oldest reading in `kept` began
        int renewals = 0;                    // of `kept`
        std::shared_ptr<const model::FactBook> previous_facts;  // null before the first reading
        std::string because;
    };

    // A question whose facts are on their way.
    struct Submission {
        std::size_t action = 0;
        std::size_t keys_read = 0;  // so many of its keys, from the first on, have values
    };

    struct Shared {
        FactRead reading;
        std::vector<Submission> submissions;
        std::vector<std::string> keys;  // sorted
        std::optional<std::uint64_t>
            quiet_generation;  // generation_ at its start, if no action was under way
    };

    // The facts of the last reading while no action was under way.
    struct QuietFacts {
        std::shared_ptr<const model::FactBook> book;  // null: none
        std::int64_t begun_ms = 0;
    };

    void decide_early(Shared& shared, std::vector<Judgement>& judgements);
    void decide_read(Shared& shared, std::vector<Judgement>& judgements);
    void decide_submitted(std::size_t action,
                          const FactRead& reading,
                          const std::shared_ptr<const model::FactBook>& book,
                          std::vector<Judgement>& judgements);
    // Returns facts for a question that are all fresh; null if some have to be read once more.
    [[nodiscard]] std::shared_ptr<const model::FactBook>
    merge_fresh(Question& question, std::shared_ptr<const model::FactBook> book);
    std::optional<Judgement> decide(std::size_t index,
                                    Question& question,
                                    const std::shared_ptr<const model::FactBook>& book,
                                    const Members& live_members);
    // Says when the facts are read anew, after a reading that did not decide the question.
    void set_pause(std::size_t index, Question& question, const model::FactBook& book);
    void wake(const ChangeWaits::End& end);
    void read(const std::vector<std::size_t>& due, bool is_still);
    // Returns the facts that these questions look at, sorted, each once.
    [[nodiscard]] std::vector<std::string> keys_of(const std::vector<std::size_t>& due);
    // Adds the facts of the checks that follow these questions.
    void add_ahead(const std::vector<std::size_t>& due, std::vector<std::string>& keys);
    void add_checks_behind(std::size_t action, std::vector<std::size_t>& checks) const;
    // True if facts that were read ahead answer the question, or will when they come.
    bool is_read_ahead(std::size_t action, Question& question, std::vector<Judgement>& judgements);
    bool join_reading(std::size_t action, Question& question);
    // Returns null if one of the facts was not read yet, or is old.
    [[nodiscard]] const model::FactBook* find_read(const std::vector<std::string>& keys) const;
    void keep_facts(const Shared& shared, const std::shared_ptr<const model::FactBook>& book);
    [[nodiscard]] std::vector<std::string> keys_of(const model::Action& action,
                                                   run::Purpose purpose) const;
    [[nodiscard]] model::Verdict verdict(const model::Action& action,
                                         run::Purpose purpose,
                                         const model::FactView& view,
                                         run::Outcome& outcome) const;
    [[nodiscard]] Judgement judgement(std::size_t action,
                                      const Question& question,
                                      const model::FactBook& book,
                                      const model::Verdict& verdict,
                                      run::Outcome outcome) const;
    [[nodiscard]] Json evidence(const Question& question,
                                const model::FactBook& book,
                                const model::Verdict& verdict) const;

    const model::Plan& plan_;
    const run::State& state_;
    AgentPool& hosts_;
    os::Clock& clock_;
    const Members roster_;
    const run::ExpectedMembers presence_;
    std::shared_ptr<ReadPlanCache> inquiries_;  // shared by sessions of one plan
    ChangeWaits changes_;
    std::map<std::size_t, Question> questions_;
    std::vector<std::unique_ptr<Shared>> readings_;
    std::uint64_t generation_ = 0;  // raised when facts are forgotten
    QuietFacts quiet_facts_;
};

}  // namespace drydock::executor
