// Site: a simulated site and what a run meets there: conductors that come, hang, die and come
// again, a person who approves and repairs, storms. The runner, the judge and the agents' sessions
// are the real ones; hosts, network and time are simulated (transport/fake), the system on the
// hosts is a FakeSystem.
//
// conduct() is one conductor's life, see_through() a whole run. Everything comes from the Faults'
// seed. One thread.
#pragma once

#include "conduct/session.h"
#include "journal/journal.h"
#include "transport/fake/fake_transport.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::sim {

// What happens to a conductor at the n-th record of its life.
struct Death {
    enum class Where { before_commit, after_commit, after_send };
    std::uint64_t record = 0;  // 0: it lives
    Where where = Where::before_commit;
    bool hangs = false;  // it is only taken for dead: another one takes over, then it wakes up
};

struct Life {
    bool died = false;
    std::uint64_t records = 0;  // that it wrote, or was about to
    run::State state;
    std::string gate;  // that waits for a person; empty: none
    Json halt;         // detail of run.halted, if it ended so
    Error error;       // the journal's or a fence's, if it ended so
};

// What must never be, under the name that the checker gives it.
struct Wrong {
    std::string property;  // "quorum"
    std::string what;
    bool operator==(const Wrong&) const = default;
};

struct Ending {
    Life last;
    int conductors = 0;
    int halts = 0;
    std::vector<Wrong> wrong;  // empty is good
};

// What is the same for all runs of one plan, for one who makes them by the thousand.
struct Prepared {
    explicit Prepared(const model::Plan& prepared_plan, std::string plan_digest = {});

    const model::Plan* plan;
    std::string digest;                             // empty: it is computed when a run begins
    std::shared_ptr<conduct::Inquiries> inquiries;  // shared with every conductor of the plan
};

// What is not the site's to know: the system that it runs.
struct Ground {
    std::function<std::unique_ptr<journal::Journal>()> open_journal;  // the same one each time
    // A person starts what died, of what should be up by the plan or is named where it halted.
    std::function<void(const model::Plan&, const Life&)> repair;
    std::function<void(std::vector<Wrong>&)> at_gate;  // a person is about to approve
    std::function<void()> after_death;                 // of a conductor; may be empty, like these
    std::function<void(const run::Event&)> on_event = {};  // made durable
    std::function<void()> before_wait = {};  // a conductor is about to wait; may throw Killed
};

class MortalJournal;
enum class CommitFault;

class Site {
public:
    // All must outlive the site.
    Site(transport::FakeSystem& system,
         transport::FakeClock& clock,
         transport::Faults& faults,
         Ground ground);

    // One conductor, until the run ends, waits for a person, or the conductor dies. With `approve`
    // an open gate is approved first.
    Life conduct(const model::Plan& plan, const Death& death = {}, bool approve = false);

    // Conductors one after the other, as long as they die; a person approves each gate, repairs and
    // resumes what halted, `patience` times and, if storms go on meanwhile, some more once they are
    // over. The n-th conductor dies as deaths[n] says.
    Ending see_through(const model::Plan& plan, const std::vector<Death>& deaths, int patience = 0);

    // What strikes by itself until `calm_ms`, whatever drydock does at that moment; from then on
    // nothing goes wrong any more.
    void plan_storms(const model::Plan& plan, std::int64_t calm_ms);

    // A person aborts the run, while nobody conducts it. Returns why not.
    // `give_up_hosts`: also where a host does not tell what is under way.
    Status abort(const model::Plan& plan, const Death& death = {}, bool give_up_hosts = false);

    // A person takes the run back: lets what is in flight end, makes the plan of the way back by
    // `compile`, and conducts it.
    using Compile = std::function<Result<model::Plan>(const model::Plan& forward)>;

    struct WayBack {
        Life life;
        std::optional<model::Plan> plan;  // nothing: it did not begin
    };

    WayBack downgrade(const model::Plan& plan, const Compile& compile, const Death& death = {});

    // A person applies a plan: it begins if nothing stands in its way, else Life::error says what.
    Life apply(const model::Plan& plan, const Death& death = {});

    // Where the run stands by its journal, as one sees who conducted none of it.
    [[nodiscard]] Life life_of(const model::Plan& plan);

    // What others do while a conductor hangs; by default one of them goes on with the run.
    void on_takeover(std::function<void(const model::Plan&)> act) { takeover_ = std::move(act); }

    // The machine of the conductors is booted anew: its clock before that is gone.
    void boot_conductors() { ++conductor_boots_; }

    // From now on, sessions displace another journal that holds the hosts.
    void take_over_hosts(bool take_over) { takes_over_hosts_ = take_over; }

    // The state of a run as the journal tells it.
    [[nodiscard]] run::State replay(const model::Plan& plan);
    [[nodiscard]] std::vector<run::Event> events(const model::Plan& plan);

    void let_pass(std::int64_t ms);

    [[nodiscard]] std::int64_t now_ms() const { return clock_.monotonic_ms(); }

    // `prepared` must outlive the site.
    // A line of the story, with the time, for who listens (tell()).
    void say(const std::string& line);

    void know(const Prepared& prepared) { prepared_[prepared.plan] = &prepared; }

    // From now on what happens is told to `tell`, a line at a time.
    void tell(std::function<void(const std::string&)> tell);

    transport::FakeTransport transport;

private:
    class Ear;
    struct Conductor;

    // How often a person tries again.
    struct Patience {
        int in_storms;
        int in_calm;
    };

    [[nodiscard]] Prepared prepared_for(const model::Plan& plan) const;
    void approve_by_hand(const model::Plan& plan);
    Life live(Conductor& conductor, const std::function<Status(conduct::RunSession&)>& act);
    [[nodiscard]] conduct::SessionSettings settings_for(const Prepared& prepared);
    void lose_commit_time();
    [[nodiscard]] CommitFault commit_fault();
    void stand_still();
    void stop_for(std::int64_t ms, bool with_clock);
    [[nodiscard]] Json last_halt(const model::Plan& plan);
    void strike(const model::Plan& plan);
    [[nodiscard]] bool repair(const model::Plan& plan, const Life& last, Patience& retries);
    void take_over(const model::Plan& plan, journal::Journal& hung);

    transport::FakeSystem& system_;
    transport::FakeClock& clock_;
    transport::StoppingClock conductor_clock_;
    transport::Faults& faults_;
    Ground ground_;
    std::map<const model::Plan*, const Prepared*> prepared_;
    int conductors_ = 0;
    int conductor_boots_ = 1;
    bool takes_over_hosts_ = false;
    std::function<void(const model::Plan&)> takeover_;
    std::int64_t calm_ms_ = 0;  // when nothing goes wrong any more
    std::function<void(const std::string&)> tell_;
};

// Actions that may not run twice whose effect took place more often than that.
[[nodiscard]] std::vector<Wrong> done_twice(Site& site, const model::Plan& plan);
// Events of the run's journal that no run may record (run/grammar.h).
[[nodiscard]] std::vector<Wrong> against_grammar(Site& site, const model::Plan& plan);
// What is wrong with an ending whatever the system: an unrepeatable action ran twice, a run that is
// neither finished nor says what a person can do.
[[nodiscard]] std::vector<Wrong>
judge_ending(Site& site, const model::Plan& plan, const Ending& ending);

// Conductors' deaths drawn from a seed.
[[nodiscard]] std::vector<Death> draw_deaths(transport::Faults& dice);
[[nodiscard]] int count_strikes(const transport::Faults& faults);

}  // namespace drydock::sim
