#include "sim/world.h"

#include "base/check.h"
#include "executor/facts_reader.h"
#include "pack/load.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

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

// Read once: worlds by the thousand share them.
const model::Pack& the_pack() {
    static const model::Pack k_pack = load_etcd();
    return k_pack;
}

const model::Cluster& the_cluster() {
    static const model::Cluster k_three = load_three(the_pack());
    return k_three;
}

bool start_failed(const model::Plan& plan, const run::State& state, const std::string& member) {
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        const model::Action& action = plan.actions[i];
        if (action.member == member && action.verb == model::Verb::start
            && run::has_failed(state.status(i))) {
            return true;
        }
    }
    return false;
}

// A halt tells that the member is down, or a resume that something of it is no longer there.
bool is_named(const Json& halt, const std::string& member) {
    const std::string& cause = halt["cause"].as_string();
    const bool missing = cause.find(" is nothing, expected") != std::string::npos;
    return (halt.contains("action") || missing) && cause.find(member + "/") != std::string::npos;
}

// A resume tells that the member is up, and that the run has left it down.
bool is_to_be_down(const Json& halt, const std::string& member) {
    const std::string& cause = halt["cause"].as_string();
    return cause.starts_with(member + "/")
           && cause.find(", expected nothing (left so by ") != std::string::npos;
}

}  // namespace

World::World(transport::Faults what_goes_wrong, const std::string& version)
    : faults(std::move(what_goes_wrong))
    , pack_(the_pack())
    , cluster_(the_cluster())
    , open_journal_([this] { return journal::open_memory(store_); })
    , etcd(cluster_, version, faults)
    , site(etcd, clock, faults, ground())
    , transport(site.transport) {
}

Environment World::ground() {
    return {[this] { return open_journal_(); },
            [this](const model::Plan& plan, const ConductorRun& life) { repair(plan, life); },
            [this](const std::string&, std::vector<Violation>& wrong) { check_gate(wrong); },
            [this] {
                if (after_death_) {
                    after_death_();
                }
            }};
}

void World::keep_in(std::shared_ptr<journal::MemoryStore> store) {
    keep_in([store] { return journal::open_memory(store); }, {});
    store_ = std::move(store);
}

void World::keep_in(std::function<std::unique_ptr<journal::Journal>()> open_journal,
                    std::function<void()> after_death) {
    store_.reset();
    open_journal_ = std::move(open_journal);
    after_death_ = std::move(after_death);
}

model::FactBook World::survey() {
    executor::AgentPool hosts(transport, clock, executor::addresses_of(cluster_.hosts));
    const auto sources = planner::bind_sources(pack_, cluster_);
    CHECK(sources.has_value());
    std::vector<std::string> keys;
    for (const auto& [key, source] : *sources) {
        keys.push_back(key);
    }
    return executor::read_now(*sources, keys, hosts, clock);
}

planner::Compiled World::compile(const std::string& procedure,
                                 const std::string& from,
                                 const std::string& to,
                                 const std::string& run) {
    const auto facts = survey();
    return planner::compile({pack_, cluster_, facts, procedure, from, to, run, "", ""});
}

Result<model::Plan> World::compile_back(const model::Plan& forward, const std::string& run) {
    const auto facts = survey();
    auto compiled = planner::compile({pack_,
                                      cluster_,
                                      facts,
                                      "downgrade",
                                      forward.to_version,
                                      forward.from_version,
                                      run,
                                      "",
                                      forward.run});
    return compiled.plan ? Result<model::Plan>(std::move(*compiled.plan))
                         : tl::unexpected(compiled.problems.front());
}

std::vector<run::Drift> World::drift(const model::Plan& plan, const run::State& state) {
    executor::AgentPool hosts(transport, clock, executor::addresses_of(plan.hosts));
    std::vector<std::string> keys;
    for (const auto& [key, expectation] : run::expected_facts(plan, state)) {
        keys.push_back(key);
    }
    return run::find_drift(plan, state, executor::read_now(plan.sources, keys, hosts, clock));
}

ConductorRun World::conduct(const model::Plan& plan, const CrashPoint& death, bool approve) {
    return site.conduct(plan, death, approve);
}

// Who should be up is started, and who is down where the run halted; a start that failed is done by
// hand, some of the time.
void World::repair(const model::Plan& plan, const ConductorRun& life) {
    etcd.advance(clock.monotonic_ms());
    const run::ExpectedFacts world = run::expected_facts(plan, life.state);
    for (const auto& [name, node] : etcd.nodes()) {
        const auto& values = world.at(name + "/running").any_of;
        const bool expected =
            !values.empty() && values.front().status == model::ObservationStatus::known;
        if (is_to_be_down(life.halt, name)) {
            etcd.stop_by_hand(name);
            continue;
        }
        const bool named = is_named(life.halt, name);
        const bool by_hand = start_failed(plan, life.state, name) && faults.between(0, 1) == 1;
        if (node.running.empty() && (expected || named || by_hand)) {
            etcd.start_by_hand(name);
        }
    }
}

void World::check_gate(std::vector<Violation>& wrong) const {
    if (!from_.empty() && etcd.store().level != from_) {
        wrong.push_back({"unasked-return-point",
                         fmt::format("the level is {} at the gate", etcd.store().level)});
    }
}

void World::check_system(const model::Plan& plan, bool over, std::vector<Violation>& wrong) {
    const auto complain = [&](std::string property, std::string what) {
        wrong.push_back({std::move(property), std::move(what)});
    };
    if (const std::uint64_t lost = etcd.lost_writes(); lost > 0) {
        complain("lost-writes", fmt::format("{} acknowledged writes are lost", lost));
    }
    if (const int losses = etcd.quorum_losses(); losses > 0 && plan.kind == "rolling") {
        complain("quorum", fmt::format("{} of our stops took the quorum", losses));
    }
    for (const auto& [name, node] : etcd.nodes()) {
        if (node.refusals > 0) {
            complain("unreadable-start",
                     name + " was started on a level that its release cannot read");
        }
        if (over && !node.running.empty() && node.running != plan.to_version) {
            complain("stuck", fmt::format("{} runs {} at the end", name, node.running));
        }
    }
}

void World::check_end(const model::Plan& plan, SimulationResult& ending) {
    const bool over = ending.final_state.state.phase() == run::Phase::finished;
    check_system(plan, over, ending.violations);
    const auto told = site.events(plan);
    const bool approved = std::any_of(told.begin(), told.end(), [](const run::Event& event) {
        return event.type == run::EventType::gate_approved;
    });
    if (plan.point_of_no_return.exists && over && !approved) {
        ending.violations.push_back(
            {"unasked-return-point", "the point of no return was passed unasked"});
    }
}

SimulationResult World::run_to_completion(const model::Plan& plan,
                                          const std::vector<CrashPoint>& deaths,
                                          int patience) {
    from_ = plan.point_of_no_return.exists ? fake_etcd::series_of(plan.from_version) : "";
    SimulationResult ending = site.run_to_completion(plan, deaths, patience);
    for (Violation& one : check_result(site, plan, ending)) {
        ending.violations.push_back(std::move(one));
    }
    check_end(plan, ending);
    return ending;
}

}  // namespace drydock::sim
