// Director: makes a story of the checker come about on a simulated site, turn by turn.
//
// What hosts, members, laws, the network and persons do comes when the story tells it, and not
// before. What the conductor itself does (it judges, begins, halts) is only watched: it is the real
// one, and must do what the story says. Where it does something else the director stops, and
// says at which turn. One thread.
#pragma once

#include "sim/plan_system.h"
#include "sim/wishes.h"

#include <set>
#include <string>
#include <vector>

namespace drydock::sim {

// One turn of a story: what happened, and to whom.
struct Turn {
    std::string what;   // "begun", "done", "member_dies"
    std::string about;  // an action, a member, a host, or a store; empty: the run

    [[nodiscard]] std::string text() const;
};

class Director {
public:
    // `system` is directed from now on. Both must outlive the director.
    Director(const model::Plan& plan, PlanSystem& system, std::vector<Turn> story);

    // Whose hosts do nothing by themselves from now on.
    void take_over(Site& site);

    // A conductor is about to wait: the next turn that is not its own to make comes about. Throws
    // Killed where the story kills it, at the end of the story, and where the story cannot go on.
    void before_wait(Site& site);
    // A conductor has made an event durable.
    void on_event(const run::Event& event);

    enum class Next { conduct, approve, over };
    // What a person does when no conductor is there any more.
    [[nodiscard]] Next between(Site& site, const Life& life);

    // What is begun by the story takes its effect.
    void finish_begun(Site& site);

    [[nodiscard]] std::size_t told() const { return at_; }

    // Why the turn told() could not be made to come about; empty: all were.
    [[nodiscard]] const std::string& obstacle() const { return obstacle_; }

private:
    [[nodiscard]] bool over() const { return at_ == story_.size() || !obstacle_.empty(); }

    [[nodiscard]] std::size_t next_of(const std::string& about) const;
    [[nodiscard]] std::string comes_next(const std::string& action) const;
    [[nodiscard]] bool never_begins(const std::string& action) const;
    void consume(std::size_t turn);
    void give_up(const std::string& instead);
    void advance();
    void note(const run::Event& event);
    [[nodiscard]] bool all_arrived(Site& site) const;
    void on_action(const std::string& action, const run::Event& event);
    void on_run(const std::string& step_name);
    bool change_world(Site& site);
    bool end_action(Site& site);
    void lose(Site& site, const std::string& host);
    bool passes(Site& site, const std::string& host, const Json& frame);
    void prepare();
    void prepare(const Turn& turn);
    void grant(const std::vector<model::Condition>& conditions, const model::Action& action);
    void deny(const std::vector<model::Condition>& conditions, const model::Action& action);
    bool deny(const model::Condition& condition, const model::Action& action);
    void take_back(const std::string& action);

    const model::Plan& plan_;
    PlanSystem& system_;
    Wishes wishes_;
    std::vector<Turn> story_;
    std::size_t at_ = 0;                       // the first turn that has not come about
    std::set<std::size_t> early_;              // turns behind it that have
    std::set<std::size_t> prepared_;           // turns whose facts are as they must be
    std::map<std::string, std::string> last_;  // what came about of each action last
    std::map<std::string, Settings> denied_;   // by action: values to put back
    std::set<std::string> modelled_;           // keys of facts that the plan moves
    std::set<std::string> away_;               // hosts
    std::vector<std::string> begun_;           // actions, in order, that have not ended
    std::string settling_;        // an action of which the conductor has not seen all; empty: none
    std::int64_t since_ms_ = -1;  // when a turn came about last
    bool forced_ = false;         // turn at_ was made to happen, and is not durable yet
    std::string obstacle_;
};

}  // namespace drydock::sim
