// What a large run costs: `fake_hosts_bench [FOLDER]` prints one line of JSON.
//
// 1,000 hosts x 30 steps, all hosts side by side, through the real runner, agent sessions and
// SQLite journal; only the hosts and the time are in memory. Then the journal is opened, read and
// replayed as a resume does it.
#include "bench/must.h"
#include "executor/run_session.h"
#include "journal/sqlite/sqlite_journal.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace drydock;  // NOLINT(google-build-using-namespace): a program of one file
using bench::must;
namespace fs = std::filesystem;

constexpr int k_hosts = 1000;
constexpr int k_steps = 30;

class Timer {
public:
    [[nodiscard]] double ms() const {
        return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
};

// Everything works, each step in its own time, and a counter on each host goes up.
class Obedient final : public transport::IdleSystem {
public:
    agent::ActionResult command(const std::string& host, const Json&) override {
        ++steps_[host];
        return {};
    }

    [[nodiscard]] std::int64_t takes_ms(const Json&) override { return dice_.between(5, 2000); }

    agent::ProbeResult probe(const std::string& host, const Json&, std::int64_t&) override {
        return agent::known(steps_[host]);
    }

private:
    std::map<std::string, int> steps_;
    transport::Faults dice_{1};
};

model::Action step_of(const std::string& host, int step, std::size_t index) {
    model::Action action;
    action.id = fmt::format("roll/{}/step-{}", host, step);
    action.phase = "roll";
    action.verb = model::Verb::run;
    action.title = "a step";
    action.member = host;
    action.host = host;
    action.within_ms = 60'000;
    action.guard_timeout_ms = 60'000;
    action.request = Json::Object{{"kind", "command"}};
    model::Condition steps = {
        .fact = "steps", .quantifier = model::Quantifier::self, .relation = model::Relation::is};
    steps.operand = step + 1;
    steps.type = model::FactType::integer;
    action.postconditions = {steps};
    if (step > 0) {
        action.predecessors = {index - 1};
    }
    return action;
}

model::Plan plan_of_all() {
    model::Plan plan;
    plan.run = "bench";
    plan.roles = {{"host", 0, {}}};
    for (int i = 0; i < k_hosts; ++i) {
        const std::string host = fmt::format("h{}", i);
        plan.hosts[host] = {.name = host, .connect = {"to", host}};
        plan.roles.front().members.push_back(host);
        model::FactSource source;
        source.key = model::fact_key(host, "steps");
        source.member = host;
        source.name = "steps";
        source.type = model::FactType::integer;
        source.host = host;
        source.probe = Json::Object{{"kind", "file"}, {"type", "integer"}};
        plan.sources[source.key] = source;
        for (int step = 0; step < k_steps; ++step) {
            plan.actions.push_back(step_of(host, step, plan.actions.size()));
        }
    }
    return plan;
}

run::State roll(const model::Plan& plan, journal::Journal& journal) {
    transport::FakeClock clock;
    transport::Faults faults(1);
    Obedient system;
    transport::FakeTransport transport(system, clock, faults);
    run::Observer silent;
    executor::SessionSettings settings;
    settings.addresses = executor::addresses_of(plan.hosts);
    settings.digest = "sha256:0";
    executor::RunSession session(plan, {journal, transport, clock, silent}, settings);
    must(session.begin({}));
    must(session.conduct());
    return session.state();
}

}  // namespace

int main(int count, char** arguments) {
    const fs::path folder = count > 1 ? arguments[1] : "fake-hosts-bench";
    fs::remove_all(folder);
    fs::create_directories(folder);
    const fs::path path = folder / "journal.db";
    const model::Plan plan = plan_of_all();
    Json out;
    const Timer whole;
    {
        const auto opened = must(journal::open_sqlite(path));
        const auto state = roll(plan, *opened);
        out.set("finished", state.phase() == run::Phase::finished);
    }
    out.set("wall_ms", whole.ms());
    const auto bytes = static_cast<double>(fs::file_size(path));
    out.set("bytes_a_host_step", bytes / (k_hosts * k_steps));
    const Timer again;
    const auto opened = must(journal::open_sqlite(path, journal::OpenMode::existing));
    out.set("replayed",
            must(executor::read_history(*opened, plan)).state.phase() == run::Phase::finished);
    out.set("reopen_ms", again.ms());
    out.set("records", must(opened->find_run(plan.run)).head.records);
    std::printf("%s\n", out.dump().c_str());
    fs::remove_all(folder);
    return 0;
}
