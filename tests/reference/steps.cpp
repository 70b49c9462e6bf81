#include "reference/steps.h"

#include "reference/answers.h"
#include "run/expected_facts.h"
#include "run/run.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Action;
using model::Condition;
using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

class Stepper {
public:
    Stepper(Model& model, const World& world, const checker::Faults& faults, Pace pace)
        : model_(model)
        , brisk_(pace == Pace::brisk)
        , here_(world)
        , state_(model.state(world))
        , up_(run::members_up(model.plan, state_))
        , budgets_{faults.failures, faults.unknown, faults.crashes, faults.member, faults.host} {
        for (const auto& [role, members] : up_) {
            all_up_.insert(members.begin(), members.end());
        }
    }

    std::vector<Step> all() {
        if (state_.phase() == run::Phase::halted) {
            after_halt();
            return std::move(steps_);
        }
        const auto commands = run::next(model_.program, state_);
        const bool leaving = std::any_of(commands.begin(), commands.end(), [](const auto& one) {
            return one.what == CommandKind::begin;
        });
        const auto guards = std::count_if(commands.begin(), commands.end(), is_guard);
        for (const Command& command : commands) {
            if (!leaving || command.what == CommandKind::begin || is_guard(command)) {
                obey(command, guards == 1 && !leaving);
            }
        }
        if (!leaving && state_.phase() == run::Phase::running) {
            things_happen(any_host_answers());
        }
        return std::move(steps_);
    }

private:
    static bool is_guard(const Command& command) {
        return command.what == CommandKind::judge && command.purpose == Purpose::guard;
    }

    [[nodiscard]] const Action& action(std::size_t index) const {
        return model_.plan.actions[index];
    }

    // A new step; what follows happens in it.
    void step(const std::string& what, std::size_t index) { step(what + " " + action(index).id); }

    void step(const std::string& what) { steps_.push_back({what, here_, {}}); }

    World& to() { return steps_.back().to; }

    [[nodiscard]] bool can(Fault fault) const { return here_.used.at(fault) < budgets_.at(fault); }

    void pay(Fault fault) { ++to().used.at(fault); }

    void move(EventType type,
              std::size_t index = 0,
              Outcome outcome = Outcome::none,
              Purpose purpose = Purpose::none) {
        run::State state = model_.state(to());
        const int more = type == EventType::action_intended ? 1 : 0;
        const int attempt = state.attempt(index) + more;
        run::apply(model_.program, state, {type, index, attempt, outcome, purpose});
        model_.keep(to(), state);
    }

    void effect(std::size_t index) { steps_.back().broken.merge(take_effect(model_, index, to())); }

    [[nodiscard]] bool is_away(std::size_t index) const {
        return model_.is_away(here_, action(index).member);
    }

    [[nodiscard]] Answer judge(const std::vector<Condition>& conditions, std::size_t index) const {
        return answer(model_, conditions, action(index).member, here_, up_);
    }

    void obey(const Command& command, bool alone) {
        if (is_guard(command)) {
            judge_guard(command.action, alone);
        } else if (command.what == CommandKind::judge && command.purpose == Purpose::then) {
            judge_then(command.action);
        } else if (command.what == CommandKind::judge) {
            judge_happened(command.action);
        } else if (command.what == CommandKind::begin) {
            step("begun", command.action);
            send(command.action);
        } else if (command.what == CommandKind::ask) {
            ask(command.action);
        } else if (command.what == CommandKind::await_person) {
            step("approved", command.action);
            move(EventType::gate_approved, command.action);
        } else if (command.what == CommandKind::halt) {
            step("halted", command.action);
            move(EventType::run_halted);
        } else if (command.what == CommandKind::finish) {
            step("finished");
            move(EventType::run_finished);
        }
    }

    void send(std::size_t index) {
        steps_.back().broken.merge(leave(model_, index, here_));
        move(EventType::action_intended, index);
    }

    void judge_guard(std::size_t index, bool alone) {
        const Answer when = judge(action(index).when, index);
        if (when.told == Truth::no || (when.open && holds(when))) {
            step("skipped", index);
            move(EventType::facts_read, index, Outcome::skip, Purpose::guard);
        }
        if (when.told == Truth::no) {
            return;
        }
        const Answer guard = judge(action(index).guard, index);
        const bool good = holds(when) && holds(guard);
        if (good) {
            pass_guard(index, alone);
        }
        if (!good || (guard.open && can(k_failure))) {
            step("judged_no", index);
            move(EventType::facts_read, index, Outcome::no, Purpose::guard);
            if (good) {
                pay(k_failure);
            }
        }
    }

    void pass_guard(std::size_t index, bool alone) {
        step("judged_yes", index);
        move(EventType::facts_read, index, Outcome::yes, Purpose::guard);
        const Status status = model_.state(to()).status(index);
        if (action(index).is_gate()) {
            move(EventType::soak_started, index);
            move(EventType::gate_opened, index);
        } else if (status == Status::ready && (alone || leaves_at_once(index))) {
            send(index);
        } else if (status == Status::applied && brisk_ && keep_promise(index)) {
            step("broken", index);
            move(EventType::facts_read, index, Outcome::yes, Purpose::guard);
            break_promise(index);
        }
    }

    [[nodiscard]] bool leaves_at_once(std::size_t index) const {
        const Action& one = action(index);
        return brisk_ ? !takes_down(model_, one) || one.guard.empty()
                      : one.guard.empty() && one.when.empty();
    }

    // What is certain is seen at once, unless a law may fire before. Whether it might be doubted as
    // well.
    bool keep_promise(std::size_t index) {
        const auto up = run::members_up(model_.plan, model_.state(to()));
        const Answer then = answer(model_, action(index).then, action(index).member, to(), up);
        const bool fires =
            std::any_of(model_.rises.begin(), model_.rises.end(), [&](const auto& rise) {
                return may_fire(model_, rise, to());
            });
        if (!holds(then) || fires) {
            return false;
        }
        prove_copies(model_, index, to());
        move(EventType::facts_read, index, Outcome::yes, Purpose::then);
        return then.open && can(k_failure);
    }

    void break_promise(std::size_t index) {
        pay(k_failure);
        move(EventType::facts_read, index, Outcome::no, Purpose::then);
    }

    void end_well(std::size_t index) {
        end("done", index, Outcome::done);
        effect(index);
        if (!brisk_ || model_.state(to()).status(index) != Status::applied) {
            return;
        }
        if (keep_promise(index)) {
            end("broken", index, Outcome::done);
            effect(index);
            break_promise(index);
        }
        if (starts(action(index)) && can(k_member)) {
            end("died_after", index, Outcome::done);
            effect(index);
            pay(k_member);
            die(model_, action(index).member, to());
        }
    }

    void judge_then(std::size_t index) {
        const Answer then = judge(action(index).then, index);
        const bool good = holds(then);
        if (good) {
            step("kept", index);
            prove_copies(model_, index, to());
            move(EventType::facts_read, index, Outcome::yes, Purpose::then);
        }
        if (!good || (then.open && can(k_failure))) {
            const bool no = then.told != Truth::cannot_tell;
            step("broken", index);
            move(EventType::facts_read,
                 index,
                 no ? Outcome::no : Outcome::cannot_tell,
                 Purpose::then);
            if (good) {
                pay(k_failure);
            }
        }
    }

    void tell_happened(const char* what, std::size_t index, Outcome outcome) {
        step(what, index);
        move(EventType::facts_read, index, outcome, Purpose::happened);
    }

    // A probe that nobody models tells the truth of what may not be repeated, else anything.
    void judge_happened(std::size_t index) {
        const Answer happened = judge(action(index).happened, index);
        if (action(index).happened.empty() || happened.told == Truth::cannot_tell) {
            tell_happened("nobody_knows", index, Outcome::cannot_tell);
            return;
        }
        const bool once =
            action(index).repeatable == model::Repeatable::no && !action(index).request.is_null();
        const bool ran = here_.ran.contains(index);
        const bool truth = happened.open && once;
        if (holds(happened) && (!truth || ran)) {
            tell_happened("happened", index, Outcome::yes);
        }
        if (!holds(happened) || (happened.open && !(truth && ran))) {
            tell_happened("not_happened", index, Outcome::no);
        }
    }

    void end(const char* what, std::size_t index, Outcome outcome) {
        step(what, index);
        move(EventType::action_ended, index, outcome);
    }

    void ask(std::size_t index) {
        if (is_away(index)) {
            end("no_answer", index, Outcome::unknown);
            return;
        }
        step("never_begun", index);
        move(EventType::action_attached, index, Outcome::none);
        end_well(index);
        if (can(k_failure)) {
            end("failed", index, Outcome::failed);
            pay(k_failure);
        }
        for (const bool late : {false, true}) {
            if (can(k_unknown)) {
                step(late ? "torn_late" : "torn", index);
                pay(k_unknown);
                move(EventType::action_attached, index, Outcome::torn);
                if (late) {
                    effect(index);
                }
            }
        }
    }

    bool any_host_answers() {
        bool any = false;
        for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
            if (state_.status(i) == Status::intended) {
                any = true;
                host_answers(i);
            }
        }
        return any;
    }

    void host_answers(std::size_t index) {
        if (is_away(index)) {
            end("no_answer", index, Outcome::unknown);
            return;
        }
        end_well(index);
        if (can(k_failure)) {
            end("failed", index, Outcome::failed);
            pay(k_failure);
            if (moves_world(model_, index)) {
                end("failed_late", index, Outcome::failed);
                pay(k_failure);
                effect(index);
            }
        }
        if (can(k_unknown)) {
            end("no_answer", index, Outcome::unknown);
            pay(k_unknown);
        }
    }

    void things_happen(bool under_way) {
        if (under_way && can(k_crash)) {
            step("conductor_dies");
            pay(k_crash);
            move(EventType::conductor_started);
        }
        for (const Rise& rise : model_.rises) {
            if (may_fire(model_, rise, here_)) {
                step("law_fires " + rise.store->name);
                fire(model_, rise, to());
            }
        }
        for (const std::string& member : model_.plan.members()) {
            const std::string& key = model_.key_of(member, "running");
            const bool up =
                !key.empty() && model_.value(here_, key).status == model::ObservationStatus::known;
            if (up && can(k_member)) {
                step("member_dies " + member);
                pay(k_member);
                die(model_, member, to());
            }
        }
        hosts_come_and_go(can(k_host));
    }

    void hosts_come_and_go(bool go) {
        std::set<std::string> hosts;
        for (const std::string& member : model_.plan.members()) {
            hosts.insert(model_.host_of(member));
        }
        for (const std::string& host : hosts) {
            if (here_.away.contains(host)) {
                step("host_back " + host);
                to().away.erase(host);
            } else if (go) {
                step("host_lost " + host);
                pay(k_host);
                to().away.insert(host);
            }
        }
    }

    // Whether an action that failed ran, is then a person's to say. What was only not seen or not
    // reached is looked for again.
    void after_halt() {
        step("resumed");
        move(EventType::run_resumed);
        for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
            if (state_.status(i) == Status::failed) {
                to().ran.erase(i);
            }
        }
        for (const std::string& member : model_.plan.members()) {
            if (all_up_.contains(member) && may_be_started(model_, member, here_)) {
                step("member_started " + member);
                start_by_hand(model_, member, to());
            }
        }
        hosts_come_and_go(false);
    }

    Model& model_;
    bool brisk_;
    const World& here_;
    run::State state_;
    model::Roster up_;
    std::set<std::string> all_up_;
    std::array<int, 5> budgets_;
    std::vector<Step> steps_;
};

}  // namespace

std::vector<Step>
steps(Model& model, const World& world, const checker::Faults& faults, Pace pace) {
    return Stepper(model, world, faults, pace).all();
}

}  // namespace drydock::reference
