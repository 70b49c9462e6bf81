#include "sim/world.h"

#include "base/check.h"
#include "conduct/reading.h"
#include "pack/pack.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

using run::Event;
using run::EventType;

constexpr int k_lives_max = 400;  // of one run; more means that it goes in circles

// Three hosts, each with its own member, as an operator would write them.
constexpr std::string_view k_cluster = R"(cluster: sim
system: etcd
hosts: {a: {connect: [to, a]}, b: {connect: [to, b]}, c: {connect: [to, c]}}
roles:
  member:
    service:
      process:
        argv: ["${release}/etcd", --name, "${member}", --data-dir, "${data_dir}"]
        pid_file: "/run/${member}.pid"
        log: "/log/${member}.log"
    release:
      link: "/opt/${member}/current"
      versions: {"3.4.23": /opt/etcd-3.4.23, "3.5.21": /opt/etcd-3.5.21, "3.6.1": /opt/etcd-3.6.1}
    settings: {data_dir: "/data/${member}", initial_cluster: "m1=http://a:2380,m2=http://b:2380,m3=http://c:2380"}
members:
  - {role: member, name: m1, host: a, settings: {client_url: "http://a:2379", peer_url: "http://a:2380"}}
  - {role: member, name: m2, host: b, settings: {client_url: "http://b:2379", peer_url: "http://b:2380"}}
  - {role: member, name: m3, host: c, settings: {client_url: "http://c:2379", peer_url: "http://c:2380"}}
policy: {soak: 10m, backups: {path: /backup}}
)";

model::Pack load_etcd() {
    auto loaded = pack::load_pack(DRYDOCK_SOURCE_DIR "/packs/etcd");
    CHECK(loaded.value.has_value());
    return std::move(*loaded.value);
}

model::Cluster load_three(const model::Pack& pack) {
    auto loaded = pack::read_cluster("/site/sim.yaml", k_cluster, pack);
    CHECK(loaded.value.has_value());
    return std::move(*loaded.value);
}

// What leaves a conductor when it is killed: nothing. Thrown through the runner, caught in
// conduct().
struct Killed {};

// Counts records and kills at the one that is asked for.
class MortalJournal final : public journal::Journal {
public:
    MortalJournal(std::unique_ptr<journal::Journal> inner, const Death& death)
        : inner_(std::move(inner))
        , death_(death) {}

    Status create_run(const journal::NewRun& run) override { return inner_->create_run(run); }

    Result<std::vector<journal::RunInfo>> list_runs() override { return inner_->list_runs(); }

    Result<journal::RunInfo> find_run(const std::string& run) override {
        return inner_->find_run(run);
    }

    Result<journal::Head>
    append(const std::string& run, std::int64_t wall_ms, const std::vector<Json>& events) override {
        ++records_;
        const bool last = records_ == death_.record;
        if (last && death_.where == Death::Where::before_commit) {
            throw Killed{};
        }
        auto head = inner_->append(run, wall_ms, events);
        if (last && death_.where == Death::Where::after_commit) {
            throw Killed{};
        }
        return head;
    }

    Result<std::vector<journal::Record>> read(const std::string& run, std::uint64_t from) override {
        return inner_->read(run, from);
    }

    Result<journal::Head> verify(const std::string& run) override { return inner_->verify(run); }

    Status set_state(const std::string& run, const std::string& state) override {
        return inner_->set_state(run, state);
    }

    Result<std::uint64_t> take_lease(const std::string& run, const journal::Holder& who) override {
        return inner_->take_lease(run, who);
    }

    void release_lease(const std::string& run) override { inner_->release_lease(run); }

    [[nodiscard]] std::uint64_t records() const { return records_; }

    [[nodiscard]] bool dies_when_sent() const {
        return records_ == death_.record && death_.where == Death::Where::after_send;
    }

private:
    std::unique_ptr<journal::Journal> inner_;
    Death death_;
    std::uint64_t records_ = 0;
};

// Kills when the commands of the record have left; what has left arrives.
class MortalTransport final : public transport::Transport {
public:
    MortalTransport(transport::FakeTransport& inner, const MortalJournal& journal)
        : inner_(inner)
        , journal_(journal) {}

    [[nodiscard]] Result<std::unique_ptr<transport::Conversation>>
    open(const transport::HostAddress& host) override {
        return inner_.open(host);
    }

    void wait(const std::vector<transport::Conversation*>& on, std::int64_t timeout_ms) override {
        if (journal_.dies_when_sent()) {
            throw Killed{};
        }
        inner_.wait(on, timeout_ms);
    }

private:
    transport::FakeTransport& inner_;
    const MortalJournal& journal_;
};

class Silent final : public conduct::Listener {
public:
    void on_event(const Event& event, const run::State&) override {
        if (event.type == EventType::run_halted) {
            halt = event.detail;
        }
    }

    void on_wait(const std::string&, const run::State&) override {}

    Json halt;
};

Event plain(EventType type) {
    return {type, 0, 0, run::Outcome::none, run::Purpose::none, {}};
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

}  // namespace

World::World(transport::Faults what_goes_wrong, const std::string& version)
    : faults(what_goes_wrong)
    , pack_(load_etcd())
    , cluster_(load_three(pack_))
    , etcd(cluster_, version, faults)
    , transport(etcd, clock, faults) {
}

model::FactBook World::survey() {
    conduct::Hosts hosts(transport, clock, conduct::addresses_of(cluster_.hosts), 0);
    const auto sources = planner::bind_sources(pack_, cluster_);
    CHECK(sources.has_value());
    std::vector<std::string> keys;
    for (const auto& [key, source] : *sources) {
        keys.push_back(key);
    }
    return conduct::read_now(*sources, keys, hosts);
}

planner::Compiled World::compile(const std::string& procedure,
                                 const std::string& from,
                                 const std::string& to,
                                 const std::string& run) {
    const auto facts = survey();
    return planner::compile({pack_, cluster_, facts, procedure, from, to, run, "", ""});
}

std::vector<run::Drift> World::drift(const model::Plan& plan, const run::State& state) {
    conduct::Hosts hosts(transport, clock, conduct::addresses_of(plan.hosts), 0);
    std::vector<std::string> keys;
    for (const auto& [key, expectation] : run::expected_world(plan, state)) {
        keys.push_back(key);
    }
    return run::find_drift(plan, state, conduct::read_now(plan.sources, keys, hosts));
}

std::vector<Event> World::events(const model::Plan& plan) {
    const run::EventCodec codec(plan);
    std::vector<Event> events;
    const auto records = journal::open_memory(store_)->read(plan.run);
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

run::State World::replay(const model::Plan& plan) {
    const run::Program program(plan);
    run::State state(plan.actions.size());
    for (const Event& event : events(plan)) {
        run::apply(program, state, event);
    }
    return state;
}

Life World::conduct(const model::Plan& plan, const Death& death, bool approve) {
    MortalJournal journal(journal::open_memory(store_), death);
    (void)journal.create_run({plan.run, clock.wall_ms(), plan.digest()});
    const auto epoch = journal.take_lease(plan.run, {"sim", 1, clock.wall_ms()});
    if (!epoch) {
        return {.error = epoch.error()};
    }
    MortalTransport mortal(transport, journal);
    conduct::Hosts hosts(mortal, clock, conduct::addresses_of(plan.hosts), *epoch);
    Silent listener;
    conduct::Settings settings;
    settings.run = plan.run;
    settings.epoch = *epoch;
    conduct::Runner runner(plan, replay(plan), journal, hosts, clock, listener, settings);
    for (const Event& event : events(plan)) {
        if (event.type == EventType::soak_started) {
            runner.set_soak_started(event.action, event.detail["wall_ms"].as_int());
        }
    }
    Life life;
    try {
        Status status = runner.record(plain(EventType::conductor_started));
        const run::Phase phase = runner.state().phase();
        if (status && (phase == run::Phase::halted || phase == run::Phase::paused)) {
            status = runner.record(plain(EventType::run_resumed));
        }
        if (const auto gate = open_gate(plan, runner.state()); status && gate && approve) {
            Event approved = plain(EventType::gate_approved);
            approved.action = *gate;
            status = runner.record(approved);
        }
        status = status ? runner.run() : status;
        life.error = status ? Error() : status.error();
    } catch (const Killed&) {
        life.died = true;
    }
    life.records = journal.records();
    life.state = replay(plan);
    life.halt = listener.halt;
    if (const auto gate = open_gate(plan, life.state); gate && !life.died) {
        life.gate = plan.actions[*gate].gate;
    }
    return life;
}

void World::repair() {
    etcd.advance(clock.monotonic_ms());
    for (const auto& [name, node] : etcd.nodes()) {
        if (node.running.empty()) {
            etcd.start_by_hand(name);
        }
    }
    let_pass(5'000);
}

void World::let_pass(std::int64_t ms) {
    const std::int64_t end = clock.monotonic_ms() + ms;
    while (clock.monotonic_ms() < end) {
        transport.wait({}, end - clock.monotonic_ms());
    }
    etcd.advance(end);
}

// Where a person is asked, the way back must still be open.
void World::check_gate(const model::Plan& plan, std::vector<std::string>& wrong) const {
    const std::string from = fake_etcd::series_of(plan.from);
    if (plan.point_of_no_return.exists && etcd.store().level != from) {
        wrong.push_back(fmt::format("the level is {} at the gate", etcd.store().level));
    }
}

void World::check_end(const model::Plan& plan, Ending& ending) {
    const auto complain = [&](std::string what) { ending.wrong.push_back(std::move(what)); };
    if (const int lost = etcd.lost_writes(); lost > 0) {
        complain(fmt::format("{} acknowledged writes are lost", lost));
    }
    if (const int losses = etcd.quorum_losses(); losses > 0 && plan.kind == "rolling") {
        complain(fmt::format("{} of our stops took the quorum", losses));
    }
    for (std::string& what : done_twice(*this, plan)) {
        complain(std::move(what));
    }
    for (const auto& [name, node] : etcd.nodes()) {
        if (node.refusals > 0) {
            complain(name + " was started on a level that its release cannot read");
        }
        if (over(ending.last.state) && node.running != plan.to) {
            complain(fmt::format("{} runs {} at the end", name, node.running));
        }
    }
    const auto told = events(plan);
    const bool approved = std::any_of(told.begin(), told.end(), [](const Event& event) {
        return event.type == EventType::gate_approved;
    });
    if (plan.point_of_no_return.exists && over(ending.last.state) && !approved) {
        complain("the point of no return was passed unasked");
    }
    const Json& halt = ending.last.halt;
    const bool helped = !halt["cause"].as_string().empty() && !halt["remedy"].as_string().empty();
    if (!over(ending.last.state) && !helped) {
        complain(fmt::format("stuck: {} {}", halt["cause"].show(), ending.last.error.message));
    }
}

Ending World::see_through(const model::Plan& plan, const std::vector<Death>& deaths, int patience) {
    Ending ending;
    bool approve = false;
    while (ending.conductors < k_lives_max) {
        const auto life = static_cast<std::size_t>(ending.conductors++);
        const bool dies = life < deaths.size();
        ending.last = conduct(plan, dies ? deaths[life] : Death{}, approve);
        if (!ending.last.gate.empty()) {
            check_gate(plan, ending.wrong);
            approve = true;
        } else if (!ending.last.died) {
            if (over(ending.last.state) || ending.halts >= patience) {
                break;
            }
            ++ending.halts;
            repair();
        }
    }
    check_end(plan, ending);
    return ending;
}

std::vector<std::string> done_twice(World& world, const model::Plan& plan) {
    std::vector<std::string> twice;
    for (const model::Action& action : plan.actions) {
        if (action.host.empty() || action.repeatable == model::Repeatable::yes) {
            continue;
        }
        const auto& effects = world.transport.host(action.host).effects();
        const auto count = effects.find(plan.run + ":" + action.id);
        if (action.repeatable == model::Repeatable::no && count != effects.end()
            && count->second > 1) {
            twice.push_back(fmt::format("{} ran {} times", action.id, count->second));
        }
    }
    return twice;
}

}  // namespace drydock::sim
