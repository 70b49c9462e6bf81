// Tests when an action is begun again, and when it is not.
#include "run/run.h"
#include "run/run_fixture.h"

#include <gtest/gtest.h>

#include <set>

namespace drydock::run {
namespace {

// An optional action may be under way still, so its successors must not begin beside it.
TEST(RunApply, LeavesNothingOutThatMayBeUnderWay) {
    Plan plan = diamond(Repeatable::probe);
    plan.actions[0].optional = true;
    for (const Outcome outcome : {Outcome::no, Outcome::cannot_tell}) {
        State state = apply(
            plan, with(running(plan), 0, Status::agent_silent), read(Purpose::happened, outcome));
        EXPECT_EQ(state.status(0), Status::unreachable);
        state.set_status(1, Status::done);
        EXPECT_EQ(next(plan, state),
                  (std::vector<Command>{{CommandKind::halt, 0, 0, Purpose::none}}));
        state = apply(plan, resume(plan, state), ended(Outcome::failed));
        EXPECT_TRUE(state.failed_optional(0));
    }
}

// The death of a conductor is no resume: failures are not forgotten.
TEST(RunApply, ResumesOnlyAfterAHaltOrAPause) {
    const Plan plan = diamond(Repeatable::no);
    for (const Phase phase : {Phase::created,
                              Phase::running,
                              Phase::pausing,
                              Phase::finished,
                              Phase::returned,
                              Phase::aborted}) {
        State state = with(running(plan), 0, Status::failed);
        state.set_phase(phase);
        EXPECT_EQ(apply(plan, state, {EventType::run_resumed}), state);
    }
    State paused = with(running(plan), 0, Status::done);
    paused = apply(plan, paused, {EventType::run_paused});
    EXPECT_EQ(apply(plan, paused, {EventType::run_resumed}).phase(), Phase::running);
}

// A permission that lapsed before the command left is no failure and begins nothing.
TEST(RunApply, CountsNoAttemptThatNeverBegan) {
    const Plan plan = diamond(Repeatable::no);
    State state = running(plan);
    for (int attempt = 1; attempt < k_unbegun_max; ++attempt) {
        state = intend(plan, state, attempt);
        EXPECT_EQ(state.begun(0), 1);
        state = apply(plan, state, attached(Outcome::none, attempt));
        ASSERT_EQ(state.status(0), Status::waiting) << attempt;
        EXPECT_EQ(state.begun(0), 0);
        EXPECT_EQ(state.failures(0), 0);
    }
    state = apply(plan, intend(plan, state, k_unbegun_max), attached(Outcome::none, k_unbegun_max));
    EXPECT_EQ(state.status(0), Status::failed);
    EXPECT_TRUE(repeats_used_up(state, 0));
}

// A pause is a person's wish. Even an unrepeatable action goes on, and a crash behind many pauses
// finds its repeats unused.
TEST(RunApply, CountsNoPauseAsAFailureOrARepeat) {
    const Plan plan = diamond(Repeatable::no);
    State state = running(plan);
    const int pauses = 5 * k_attempts_max;
    for (int attempt = 1; attempt <= pauses; ++attempt) {
        state = apply(plan, intend(plan, state, attempt), ended(Outcome::paused, attempt));
        ASSERT_EQ(state.status(0), Status::waiting) << attempt;
        state.set_status(1, Status::done);
        request_pause(state);
        ASSERT_EQ(next(plan, state),
                  (std::vector<Command>{{CommandKind::pause, 0, 0, Purpose::none}}));
        state = resume(plan, apply(plan, state, {EventType::run_paused}));
    }
    EXPECT_EQ(state.failures(0), 0);
    EXPECT_EQ(state.begun(0), 1) << "it has begun, so its facts are open";
    EXPECT_FALSE(repeats_used_up(state, 0));
}

// The checker explores cuts and no pauses: a pause must leave nothing that a cut does not.
TEST(RunApply, LeavesAfterAPauseWhatACutLeaves) {
    const Plan plan = diamond(Repeatable::yes);
    const State begun = intend(plan, running(plan), 1);
    State cut = apply(plan, begun, ended(Outcome::unknown, 1));
    cut = apply(plan, cut, attached(Outcome::interrupted, 1));
    cut = apply(plan, cut, read(Purpose::happened, Outcome::no));
    EXPECT_EQ(apply(plan, begun, ended(Outcome::paused, 1)), cut);
}

TEST(RunApply, RepeatsUnknownOutcomesSoOftenAndNoMore) {
    const Plan plan = diamond(Repeatable::yes);
    State state = running(plan);
    for (int attempt = 1; attempt <= k_attempts_max; ++attempt) {
        state = apply(plan, intend(plan, state, attempt), attached(Outcome::interrupted, attempt));
        state = apply(plan, state, read(Purpose::happened, Outcome::cannot_tell));
    }
    EXPECT_EQ(state.status(0), Status::failed);
    EXPECT_TRUE(repeats_used_up(state, 0));
    EXPECT_FALSE(attempts_used_up(state, 0));
    EXPECT_EQ(intend(plan, resume(plan, state), k_attempts_max + 1).status(0), Status::intended);
}

// No attempt is intended whose number the state cannot hold.
TEST(RunApply, FailsForGoodWhenTheNumbersOfAttemptsAreUsedUp) {
    const Plan plan = diamond(Repeatable::yes);
    const int last = State::k_attempt_max;
    State state = running(plan);
    state.set(0, Status::waiting, 0, last - 1);
    state = intend(plan, state, last);
    EXPECT_EQ(state.attempt(0), last);
    EXPECT_TRUE(attempts_used_up(state, 0));
    EXPECT_EQ(apply(plan, state, ended(Outcome::done, last)).status(0), Status::applied);
    state = apply(plan, state, ended(Outcome::failed, last));
    for (int i = 0; i < 3; ++i) {
        state = apply(plan, resume(plan, state), read(Purpose::guard, Outcome::yes));
        EXPECT_EQ(state.status(0), Status::failed);
        EXPECT_EQ(state.attempt(0), last);
    }
}

// True if the event shows for certain that the last attempt changed nothing, or comes from a
// person.
bool allows_repeat(const Event& event, Phase phase) {
    const bool is_unbegun =
        event.type == EventType::action_attached && event.outcome == Outcome::none;
    const bool is_undone = event.type == EventType::facts_read && event.purpose == Purpose::happened
                           && event.outcome == Outcome::no;
    const bool is_answered =
        event.type == EventType::run_resumed && (phase == Phase::halted || phase == Phase::paused);
    return is_unbegun || is_undone || is_answered;
}

std::vector<Event> all_events() {
    std::vector<Event> events;
    for (int type = 0; type <= static_cast<int>(EventType::run_aborted); ++type) {
        for (int outcome = 0; outcome <= static_cast<int>(Outcome::skip); ++outcome) {
            for (int purpose = 0; purpose <= static_cast<int>(Purpose::happened); ++purpose) {
                events.push_back({static_cast<EventType>(type),
                                  0,
                                  1,
                                  static_cast<Outcome>(outcome),
                                  static_cast<Purpose>(purpose),
                                  {}});
            }
        }
    }
    return events;
}

// In every status and phase, and whatever happens there.
TEST(RunApply, BeginsWhatMayNotBeRepeatedAgainOnlyWhenAPersonAnswered) {
    Plan plan = diamond(Repeatable::no);
    plan.actions[0].attempts = 5;
    const std::set<Status> to_begin = {Status::waiting, Status::ready};
    for (const Status status : k_statuses) {
        for (int phase = 0; phase <= static_cast<int>(Phase::aborted); ++phase) {
            for (const Event& event : all_events()) {
                State state = with(running(plan), 0, status);
                state.set_phase(static_cast<Phase>(phase));
                const State after = apply(plan, state, event);
                const bool repeats =
                    !to_begin.contains(status) && to_begin.contains(after.status(0));
                EXPECT_TRUE(!repeats || allows_repeat(event, static_cast<Phase>(phase)))
                    << name_of(event.type) << ' ' << name_of(event.outcome) << " in "
                    << static_cast<int>(status);
            }
        }
    }
}

}  // namespace
}  // namespace drydock::run
