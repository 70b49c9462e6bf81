#include "sim/site.h"

#include "base/check.h"
#include "base/probe.h"
#include "conduct/drift.h"
#include "sim/mortal.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using run::Event;
using run::EventType;
using transport::Fault;
using transport::Faults;

constexpr int k_lives_max = 400;                   // of one run; more means that it goes in circles
constexpr std::int64_t k_storm_ms_max = 60'000;    // between two looks whether something strikes
constexpr std::int64_t k_cut_ms_max = 120'000;     // longer than the conductor waits for an answer
constexpr std::int64_t k_boot_ms_max = 40'000;     // until a host is back
constexpr std::int64_t k_step_ms_max = 3'600'000;  // of the wall clock
constexpr std::int64_t k_turn_ms_max = 60'000;     // nobody asks for a pause here
constexpr std::int64_t k_repair_ms = 5'000;        // that a person takes
constexpr int k_tries_after_storms = 16;           // outlasts what the last storm cut off

Event plain(EventType type) {
    return {{type, 0, 0, run::Outcome::none, run::Purpose::none}, {}};
}

std::optional<std::size_t> open_gate(const model::Plan& plan, const run::State& state) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (state.status(i) == run::Status::open) {
            return i;
        }
    }
    return std::nullopt;
}

bool over(const run::State& state) {
    return state.phase() == run::Phase::finished;
}

run::State replayed(const model::Plan& plan, const std::vector<Event>& events) {
    const run::Program program(plan);
    run::State state(plan.actions.size());
    for (const Event& event : events) {
        run::apply(program, state, event);
    }
    return state;
}

Event drifted(const run::Drift& drift) {
    Event event = plain(EventType::drift_found);
    event.detail
        .set("cause", fmt::format("{} is {}, expected {}", drift.key, drift.found, drift.expected))
        .set("remedy", "bring it back, then drydock resume");
    return event;
}

std::string in_words(const model::Plan& plan, const Event& event) {
    const std::string action = plan.actions.empty() || run::name_of(event.type).starts_with("run.")
                                       || run::name_of(event.type).starts_with("conductor.")
                                       || event.type == EventType::drift_found
                                   ? ""
                                   : " " + plan.actions[event.action].id;
    std::string text = fmt::format("{}{}", run::name_of(event.type), action);
    if (event.purpose != run::Purpose::none) {
        text += fmt::format(" ({})", run::name_of(event.purpose));
    }
    if (event.outcome != run::Outcome::none) {
        text += fmt::format(": {}", run::name_of(event.outcome));
    }
    const std::string& why =
        event.detail[event.detail.contains("cause") ? "cause" : "because"].as_string();
    return why.empty() ? text : fmt::format("{}, {}", text, why);
}

}  // namespace

// Hears what a conductor makes durable.
class Site::Ear final : public conduct::Listener {
public:
    Ear(Site& site, const model::Plan& plan, int conductor)
        : site_(site)
        , plan_(plan)
        , conductor_(conductor) {}

    void on_event(const Event& event, const run::State&) override {
        if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
            halt = event.detail;
        }
        if (site_.ground_.on_event) {
            site_.ground_.on_event(event);
        }
        if (site_.tell_) {
            site_.say(fmt::format("conductor {}: {}", conductor_, in_words(plan_, event)));
        }
    }

    void on_wait(const std::string&, const run::State&) override {}

    Json halt;

private:
    Site& site_;
    const model::Plan& plan_;
    int conductor_;
};

Prepared::Prepared(const model::Plan& what, std::string its_digest)
    : plan(&what)
    , digest(std::move(its_digest))
    , inquiries(std::make_shared<conduct::Inquiries>(what.sources)) {
}

Site::Site(transport::FakeSystem& system,
           transport::FakeClock& clock,
           Faults& faults,
           Ground ground)
    : transport(system, clock, faults)
    , system_(system)
    , clock_(clock)
    , faults_(faults)
    , ground_(std::move(ground)) {
}

void Site::tell(std::function<void(const std::string&)> tell) {
    tell_ = std::move(tell);
    faults_.on_strike([this](Fault fault) { say(fmt::format("FAULT {}", name_of(fault))); });
}

void Site::say(const std::string& line) {
    if (tell_) {
        tell_(
            fmt::format("{:9.3f} s  {}", static_cast<double>(clock_.monotonic_ms()) / 1000, line));
    }
}

std::vector<Event> Site::events(const model::Plan& plan) {
    const run::EventCodec codec(plan);
    std::vector<Event> events;
    const auto records = ground_.open_journal()->read(plan.run);
    if (!records) {
        return events;
    }
    for (const journal::Record& record : *records) {
        for (const Json& json : record.events) {
            auto event = codec.decode(json);
            CHECK(event.has_value());
            events.push_back(std::move(*event));
        }
    }
    return events;
}

run::State Site::replay(const model::Plan& plan) {
    return replayed(plan, events(plan));
}

// The others think that the hung one is dead: its lease is free, a new conductor takes over and
// goes as far as it gets.
void Site::take_over(const model::Plan& plan, journal::Journal& hung) {
    say("it hangs; another conductor takes over");
    hung.release_lease(plan.run);
    (void)conduct(plan);
    say("the one that hung wakes up");
}

Prepared Site::prepared_for(const model::Plan& plan) const {
    return prepared_ != nullptr && prepared_->plan == &plan ? *prepared_ : Prepared(plan);
}

// What a conductor does first, and then the run as far as it goes. One that goes on with a run
// compares the world with what the run expects before it writes anything.
Status Site::carry_on(const Prepared& prepared,
                      conduct::Runner& runner,
                      conduct::Hosts& hosts,
                      bool goes_on) {
    DRYDOCK_TRY(runner.record(plain(EventType::conductor_started)));
    if (!goes_on) {
        return runner.run();
    }
    const auto drift =
        conduct::look_for_drift(*prepared.plan, runner.state(), hosts, clock_, *prepared.inquiries);
    if (!drift.empty()) {
        PROBE("sim: a run is resumed in a world that moved");
        return runner.record(drifted(drift.front()));
    }
    const run::Phase phase = runner.state().phase();
    if (phase == run::Phase::halted || phase == run::Phase::paused) {
        DRYDOCK_TRY(runner.record(plain(EventType::run_resumed)));
    }
    return runner.run();
}

// A person approves the open gate, by a process of their own, while nobody conducts.
void Site::approve_by_hand(const model::Plan& plan) {
    const auto journal = ground_.open_journal();
    const auto gate = open_gate(plan, replay(plan));
    if (!gate || !journal->take_lease(plan.run, {"sim", 2, clock_.wall_ms()})) {
        return;
    }
    Event approved = plain(EventType::gate_approved);
    approved.action = *gate;
    say(fmt::format("a person approves {}", plan.actions[*gate].gate));
    (void)journal->append(plan.run, clock_.wall_ms(), {run::EventCodec(plan).encode(approved)});
}

// From the journal's word to the end of this conductor.
Life Site::live(const Prepared& prepared, MortalJournal& journal, std::uint64_t epoch) {
    const model::Plan& plan = *prepared.plan;
    const auto told = events(plan);
    MortalTransport mortal(transport, journal, ground_.before_wait);
    conduct::Hosts hosts(mortal, clock_, conduct::addresses_of(plan.hosts), epoch);
    Ear ear(*this, plan, ++conductors_);
    conduct::Settings settings;
    settings.run = plan.run;
    settings.epoch = epoch;
    settings.turn_ms_max = k_turn_ms_max;
    settings.inquiries = prepared.inquiries;
    conduct::Runner runner(
        plan, replayed(plan, told), journal, hosts, clock_, ear, std::move(settings));
    for (const Event& event : told) {
        if (event.type == EventType::soak_started) {
            runner.set_soak_started(event.action, event.detail["wall_ms"].as_int());
        }
    }
    Life life;
    try {
        const Status status = carry_on(prepared, runner, hosts, !told.empty());
        life.error = status ? Error() : status.error();
    } catch (const Killed&) {
        life.died = true;
        say("it dies");
    }
    life.halt = journal.slept() ? last_halt(plan) : ear.halt;
    const bool knows = !life.died && life.error.code.empty() && !journal.slept();
    life.state = knows ? runner.state() : replay(plan);
    return life;
}

// What a person reads who asks for the status, not who watches one conductor.
Json Site::last_halt(const model::Plan& plan) {
    Json halt;
    for (Event& event : events(plan)) {
        if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
            halt = std::move(event.detail);
        } else if (event.type == EventType::run_resumed) {
            halt = {};
        }
    }
    return halt;
}

Life Site::conduct(const model::Plan& plan, const Death& death, bool approve) {
    if (approve) {
        approve_by_hand(plan);
    }
    MortalJournal journal(
        ground_.open_journal(),
        death,
        [this, &plan](journal::Journal& hung) { take_over(plan, hung); },
        [this] { return faults_.strikes(Fault::journal_full); });
    const Prepared prepared = prepared_for(plan);
    if (!journal.find_run(plan.run)) {
        const std::string& digest = prepared.digest;
        (void)journal.create_run(
            {plan.run, clock_.wall_ms(), digest.empty() ? plan.digest() : digest});
    }
    const auto epoch = journal.take_lease(plan.run, {"sim", 1, clock_.wall_ms()});
    if (!epoch) {
        Life refused;
        refused.error = epoch.error();
        return refused;
    }
    Life life = live(prepared, journal, *epoch);
    life.records = journal.records();
    if (const auto gate = open_gate(plan, life.state); gate && !life.died) {
        life.gate = plan.actions[*gate].gate;
    }
    return life;
}

Ending Site::see_through(const model::Plan& plan, const std::vector<Death>& deaths, int patience) {
    Ending ending;
    Patience left = {patience, calm_ms_ > now_ms() ? k_tries_after_storms : patience};
    bool approve = false;
    while (ending.conductors < k_lives_max) {
        const auto life = static_cast<std::size_t>(ending.conductors++);
        const bool disturbed = life < deaths.size();
        ending.last = conduct(plan, disturbed ? deaths[life] : Death{}, approve);
        if (ending.last.died && ground_.after_death) {
            ground_.after_death();
        }
        if (!ending.last.gate.empty()) {
            ground_.at_gate(ending.wrong);
            approve = true;
        } else if (!ending.last.died) {
            if (over(ending.last.state) || !repair(plan, ending.last, left)) {
                break;
            }
            ++ending.halts;
        }
    }
    return ending;
}

// False: the person has no patience left, and it is not the weather.
bool Site::repair(const model::Plan& plan, const Life& last, Patience& left) {
    if (now_ms() < calm_ms_ && --left.in_storms < 0) {
        say("a person waits until it is over");
        let_pass(calm_ms_ - now_ms());
    }
    if (now_ms() >= calm_ms_ && --left.in_calm < 0) {
        return false;
    }
    say("a person repairs what is down and resumes");
    ground_.repair(plan, last);
    let_pass(k_repair_ms);
    return true;
}

void Site::let_pass(std::int64_t ms) {
    const std::int64_t end = clock_.monotonic_ms() + ms;
    while (clock_.monotonic_ms() < end) {
        transport.wait({}, end - clock_.monotonic_ms());
    }
    system_.advance(end);
}

void Site::strike(const model::Plan& plan) {
    const std::int64_t now = clock_.monotonic_ms();
    const auto some_host = [&] {
        const auto choice = faults_.between(0, static_cast<std::int64_t>(plan.hosts.size()) - 1);
        return std::next(plan.hosts.begin(), choice)->first;
    };
    system_.advance(now);
    if (faults_.strikes(Fault::member_dies)) {
        system_.kill_one(faults_.between(0, 100));
    }
    if (faults_.strikes(Fault::clock_steps)) {
        clock_.jump_wall(faults_.between(-k_step_ms_max, k_step_ms_max));
    }
    if (faults_.strikes(Fault::host_cut)) {
        transport.cut(some_host(), now + faults_.between(1'000, k_cut_ms_max));
    }
    if (faults_.strikes(Fault::host_reboots)) {
        const std::string host = some_host();
        if (system_.host_dies(host)) {
            transport.reboot(host, now + faults_.between(5'000, k_boot_ms_max));
        }
    }
}

void Site::plan_storms(const model::Plan& plan, std::int64_t calm_ms) {
    calm_ms_ = calm_ms;
    for (std::int64_t at = 0; at < calm_ms;) {
        at += faults_.between(1, k_storm_ms_max);
        transport.at(at, [this, &plan] { strike(plan); });
    }
    transport.at(calm_ms, [this] {
        faults_.calm();
        say("from now on nothing goes wrong any more");
    });
}

}  // namespace drydock::sim
