// What a guard costs the conductor: `guards_bench [MEMBERS]` prints one line of JSON.
//
// One role of 300 members on as many hosts is stopped and started one after the other. The guard of
// each stop reads who is ready of all members. Hosts are echoes: they answer at once, and the time
// they take is taken off. Told are the conductor's own milliseconds a guard, its memory, and the
// milliseconds that one host alone costs, as a yardstick of the machine.
#include "base/version.h"
#include "bench/must.h"
#include "executor/run_session.h"
#include "journal/memory/memory_journal.h"
#include "os/clock.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace drydock;  // NOLINT(google-build-using-namespace): a program of one file
using bench::must;
using Steady = std::chrono::steady_clock;

double cpu_ms() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto ms = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1000 + static_cast<double>(time.tv_usec) / 1000;
    };
    return ms(usage.ru_utime) + ms(usage.ru_stime);
}

// Members that are up; an exec stops or starts its own.
struct Members {
    std::map<std::string, bool> up;
    double spent_ms = 0;  // in echoes
    std::uint64_t frames = 0;
};

class Echo final : public transport::Conversation {
public:
    Echo(std::string host, Members& members) : host_(std::move(host)), members_(members) {}

    Status send(const Json& frame) override {
        const auto begun = Steady::now();
        answers_.push_back(answer(frame));
        ++members_.frames;
        members_.spent_ms +=
            std::chrono::duration<double, std::milli>(Steady::now() - begun).count();
        return {};
    }

    Result<std::vector<Json>> receive() override { return std::exchange(answers_, {}); }

    [[nodiscard]] int descriptor() const override { return -1; }

    [[nodiscard]] bool wants_write() const override { return false; }

private:
    Json answer(const Json& frame) {
        const std::string& what = frame["do"].as_string();
        Json out;
        out.set("n", frame["n"]);
        if (what == "fence") {
            return out.set("fence", frame["epoch"]);
        }
        if (what == "hello") {
            return out.set("version", version()).set("running", Json(Json::Array{}));
        }
        if (what == "exec") {
            members_.up[host_] = frame["request"]["kind"].as_string() == "service_start";
            Json result;
            result.set("outcome", "done");
            return out.set("state", "ended").set("result", std::move(result));
        }
        Json facts = Json::Array{};
        for (const Json& probe : frame["probes"].items()) {
            Json fact;
            fact.set("id", probe["id"]).set("status", "known").set("value", members_.up[host_]);
            facts.push(std::move(fact.set("evidence", "echo").set("at_ms", 1).set("after_ms", 0)));
        }
        return out.set("facts", std::move(facts));
    }

    std::string host_;
    Members& members_;
    std::vector<Json> answers_;
};

class Echoes final : public transport::Transport {
public:
    explicit Echoes(Members& members) : members_(members) {}

    Result<std::unique_ptr<transport::Conversation>>
    open(const transport::HostAddress& host) override {
        return std::make_unique<Echo>(host.name, members_);
    }

    void wait(const std::vector<transport::Conversation*>&, std::int64_t) override {}

private:
    Members& members_;
};

model::Condition ready(model::Quantifier whose, bool value) {
    model::Condition condition;
    condition.fact = "ready";
    condition.quantifier = whose;
    condition.role = "node";
    condition.relation = model::Relation::is;
    condition.operand = value;
    condition.type = model::FactType::boolean;
    return condition;
}

model::Action
step_of(const std::string& member, const char* verb, const char* kind, bool up, std::size_t index) {
    model::Action action;
    action.id = fmt::format("roll/{}/{}", member, verb);
    action.phase = "roll";
    action.verb = up ? model::Verb::start : model::Verb::stop;
    action.title = verb;
    action.member = member;
    action.host = member;
    action.within_ms = action.guard_timeout_ms = 60'000;
    action.request = Json::Object{{"kind", kind}};
    action.postconditions = {ready(model::Quantifier::self, up)};
    if (!up) {
        action.preconditions = {ready(model::Quantifier::every, true)};
    }
    action.effects = {{model::EffectKind::becomes, member, "ready", Json(up)}};
    if (index > 0) {
        action.predecessors = {index - 1};
    }
    return action;
}

model::Plan plan_of(int members, Members& world) {
    model::Plan plan;
    plan.run = "bench";
    plan.roles = {{"node", 0, {}}};
    for (int i = 0; i < members; ++i) {
        const std::string name = fmt::format("m{:03}", i);
        world.up[name] = true;
        plan.hosts[name] = {.name = name, .connect = {"to", name}};
        plan.member_hosts[name] = name;
        plan.roles.front().members.push_back(name);
        model::FactSource source;
        source.key = model::fact_key(name, "ready");
        source.member = source.host = name;
        source.name = "ready";
        source.type = model::FactType::boolean;
        source.probe = Json::Object{{"kind", "file"}, {"type", "bool"}};
        plan.sources[source.key] = source;
        plan.actions.push_back(step_of(name, "stop", "service_stop", false, plan.actions.size()));
        plan.actions.push_back(step_of(name, "start", "service_start", true, plan.actions.size()));
    }
    return plan;
}

// The conductor's own milliseconds a guard.
double guard_ms(int members) {
    Members world;
    const model::Plan plan = plan_of(members, world);
    os::RealClock clock;
    Echoes transport(world);
    run::Observer silent;
    const auto journal = journal::open_memory(journal::make_memory_store());
    executor::SessionSettings settings;
    settings.addresses = executor::addresses_of(plan.hosts);
    settings.digest = "bench";
    executor::RunSession session(plan, {*journal, transport, clock, silent}, settings);
    const double before = cpu_ms();
    must(session.begin({}));
    must(session.conduct());
    if (session.state().phase() != run::Phase::finished) {
        std::fprintf(stderr, "not finished\n");
        std::exit(1);  // NOLINT(concurrency-mt-unsafe): one thread
    }
    return (cpu_ms() - before - world.spent_ms) / members;
}

}  // namespace

int main(int count, char** arguments) {
    const int members = count > 1 ? std::atoi(arguments[1]) : 300;
    rusage usage{};
    const double alone = guard_ms(3);
    const double many = guard_ms(members);
    ::getrusage(RUSAGE_SELF, &usage);
    Json out;
    out.set("members", members).set("guard_ms", many).set("guard_ms_of_3", alone);
    out.set("memory_mb", static_cast<double>(usage.ru_maxrss) / 1024);
    std::printf("%s\n", out.dump().c_str());
    return 0;
}
