#include "cli/sample.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace drydock::cli {

namespace {

using model::Action;
using model::Condition;
using model::Plan;
using model::Verb;

Condition
is(const std::string& fact, Json value, model::Quantifier whose = model::Quantifier::self) {
    Condition condition = {.fact = fact, .quantifier = whose, .relation = model::Relation::is};
    condition.operand = std::move(value);
    return condition;
}

class PlanBuilder {
public:
    Plan plan;

    Action& add(const std::string& phase,
                const std::string& member,
                const std::string& step,
                Verb verb,
                const std::string& title) {
        Action action;
        action.id = member.empty() ? phase + "/" + step : phase + "/" + member + "/" + step;
        action.phase = phase;
        action.member = member;
        action.host = member.empty() ? "" : "host-" + member;
        action.verb = verb;
        action.title = title;
        action.source = "packs/etcd/procedures/upgrade.yaml:31:9";
        if (!plan.actions.empty()) {
            action.predecessors = {plan.actions.size() - 1};
        }
        plan.actions.push_back(std::move(action));
        return plan.actions.back();
    }

    void member_sources(const std::string& member) {
        const std::vector<std::pair<model::StandardFact, model::FactType>> standard = {
            {model::StandardFact::installed, model::FactType::release},
            {model::StandardFact::running, model::FactType::release},
            {model::StandardFact::ready, model::FactType::boolean}};
        for (const auto& [fact, type] : standard) {
            const std::string name(name_of(fact));
            const std::string key = model::fact_key(member, name);
            plan.sources[key] = {
                .key = key, .member = member, .name = name, .type = type, .standard_fact = fact};
            plan.bound_facts[key] = {model::ObservationStatus::known,
                                     name == "ready" ? Json(true) : Json("3.4.23"),
                                     "the plan",
                                     0};
        }
    }

    void upgrade(const std::string& phase, const std::string& member) {
        Json service;
        service.set("type", "process")
            .set("argv", Json::Array{"/opt/etcd/current/etcd", "--name", member});
        service.set("pid_file", "/var/lib/etcd/" + member + ".pid").set("log", "/var/log/etcd.log");
        Action& stop = add(phase, member, "stop", Verb::stop, "stop " + member);
        stop.request.set("kind", "service_stop").set("service", service);
        stop.effects = {{model::EffectKind::becomes, member, "running", Json()},
                        {model::EffectKind::becomes, member, "ready", Json()}};
        stop.preconditions = {is("ready", true, model::Quantifier::others)};
        stop.preconditions.front().members_min = 2;
        stop.preconditions.front().remedy = "bring the other members up first";
        stop.rationale = "one member at a time keeps the majority";
        stop.expected_ms = 300;
        Action& install = add(phase, member, "install", Verb::install, "3.5.16");
        install.request.set("kind", "link")
            .set("link", "/opt/etcd/current")
            .set("target", "/opt/etcd/3.5.16");
        install.effects = {{model::EffectKind::becomes, member, "installed", "3.5.16"}};
        Action& start = add(phase, member, "start", Verb::start, "start " + member);
        start.request.set("kind", "service_start").set("service", service);
        start.effects = {{model::EffectKind::becomes, member, "running", "3.5.16"},
                         {model::EffectKind::becomes, member, "ready", true}};
        start.expected_ms = 1700;
        start.remedy = "look at the member's log";
        Action& wait = add(phase, member, "caught-up", Verb::wait, "caught up with the others");
        wait.postconditions = {is("ready", true)};
    }
};

void add_begin(PlanBuilder& builder) {
    for (const char* step : {"healthy", "one-leader", "no-alarm"}) {
        Action& check = builder.add("preflight", "", step, Verb::require, step);
        check.preconditions = {is("ready", true, model::Quantifier::every)};
        check.preconditions.front().remedy = "start the member that is down";
        check.expected_ms = 100;
    }
    Action& backup =
        builder.add("backup", "m2", "snapshot", Verb::backup, "snapshot, proved by restoring it");
    backup.request.set("kind", "command")
        .set("argv", Json::Array{"etcdctl", "snapshot", "save", "/backup/it's"});
    backup.request.set("env", Json(Json::Object{{"ETCDCTL_API", "3"}}));
    backup.expected_ms = 1000;
}

void add_gate(PlanBuilder& builder) {
    Action& gate = builder.add("finish", "", "gate", Verb::gate, "");
    gate.gate = "point-of-no-return";
    gate.title = gate.reason =
        "behind this, etcd raises its level to 3.5, and 3.4.23 cannot read that";
    gate.soak_ms = 600'000;
    gate.is_point_of_no_return = true;
}

void add_end(PlanBuilder& builder) {
    Action& raise = builder.add(
        "finish", "m1", "raise", Verb::run, "leadership moved, so that the level rises now");
    raise.request.set("kind", "http")
        .set("method", "POST")
        .set("url", "http://127.0.0.1:2379/v3/maintenance/transfer-leadership");
    raise.request.set("body", Json(Json::Object{{"targetID", "7"}}));
    Action& equal =
        builder.add("after", "", "equal", Verb::require, "every member has the same data");
    equal.preconditions = {is("level", "3.5", model::Quantifier::system)};
}

void describe(Plan& plan) {
    plan.run = "12";
    plan.cluster = "orders";
    plan.cluster_file = "orders.yaml";
    plan.state_dir = "orders.state";
    plan.system = "etcd";
    plan.procedure = "upgrade";
    plan.kind = "rolling";
    plan.from_version = "3.4.23";
    plan.to_version = "3.5.16";

    plan.roles.front().quorum = static_cast<int>(plan.members().size() / 2 + 1);
    plan.point_of_no_return = {true,
                               "finish/m2/start",
                               "point-of-no-return",
                               "data",
                               "when_all",
                               "when every member runs 3.5, etcd raises its data level to 3.5 by "
                               "itself, within seconds; 3.4.23 cannot read that",
                               "packs/etcd/releases.yaml:9:3"};
    plan.ways_back = {{"before the gate",
                       model::RecoveryKind::downgrade,
                       "nothing lost",
                       "drydock downgrade -c orders.yaml"},
                      {"after the gate",
                       model::RecoveryKind::rebuild,
                       "nothing lost, an outage of about a minute, a new cluster id",
                       "drydock plan -c orders.yaml --to 3.4.23 --rebuild -o back.json"},
                      {"after the gate",
                       model::RecoveryKind::restore,
                       "loses every write since the copy",
                       "drydock plan -c orders.yaml --to 3.4.23 --restore COPY -o back.json"}};
    plan.risks = {{"etcd-13766",
                   "data may differ after a crash",
                   "github.com/etcd-io/etcd/issues/13766",
                   model::RiskState::absent},
                  {"etcd-15247",
                   "the quota is nearly used up",
                   "packs/etcd/releases.yaml:40:5",
                   model::RiskState::cannot_tell}};
}

}  // namespace

Plan sample_plan_of(std::size_t members) {
    PlanBuilder builder;
    builder.plan.roles = {{"member", 0, {}}};
    for (std::size_t i = 1; i <= members; ++i) {
        builder.plan.roles.front().members.push_back("m" + std::to_string(i));
        builder.member_sources(builder.plan.roles.front().members.back());
    }
    add_begin(builder);
    for (std::size_t i = members; i > 0; --i) {
        if (i != 2) {
            builder.upgrade("roll", "m" + std::to_string(i));
        }
    }
    add_gate(builder);
    builder.upgrade("finish", "m2");
    add_end(builder);
    describe(builder.plan);
    return builder.plan;
}

Plan sample_plan() {
    return sample_plan_of(3);
}

run::State sample_state(const Plan& plan, const std::string& id, run::Status status) {
    run::State state(plan.actions.size());
    state.set_phase(run::Phase::running);
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        if (plan.actions[i].id == id) {
            state.set(i, status, 0, 1);
            break;
        }
        state.set(i, run::Status::done, 0, plan.actions[i].request.is_null() ? 0 : 1);
    }
    return state;
}

app::RunStatus sample_status(run::State state) {
    app::RunStatus status;
    status.plan = sample_plan();
    status.state = std::move(state);
    status.run = "12";
    status.epoch = 1;
    status.created_ms = 1'700'000'000'000;
    status.last_ms = 1'700'000'014'000;
    status.records = 57;
    status.head = "7f3a91c2";
    return status;
}

run::Journey sample_journey() {
    run::Journey journey;
    journey.id = "11";
    journey.newest = "12";
    journey.hops = {{"3.4.23", "3.5.16", "11", "finished", "", ""},
                    {"3.5.16", "3.6.1", "12", "running", "", ""}};
    journey.hop = 1;
    journey.reaches = "3.5.16";
    journey.closed = "the way back closed when roll/m3/start was begun (start m3)";
    return journey;
}

trial::Trial sample_trial(bool is_as_told) {
    trial::Trial trial;
    trial.about.title = "the next server is stopped before the last one has come back";
    trial.about.report = "owner/name#12";
    trial.twins = {{"failing", "1.0.0", "1.1.0", {}, {}, {}, {}},
                   {"passing", "1.0.0", "1.1.0", {}, {}, {}, {}}};
    trial.twins[0].stop = {trial::Stage::check,
                           {"quorum"},
                           {"quorum: \"stop s2\" takes the group below its minimum",
                            "  1. s1 dies",
                            "see failing/procedures/upgrade.yaml:9:9 (roll/s2/stop)",
                            "what to change: add `quorum_without: this` to its guards"}};
    trial.twins[1].checked = trial::CheckedPlan{{}, sample_check(checker::Verdict::holds).report};
    trial.twins[1].warnings = {"pack/pack.yaml:4:5  a warning"};
    if (!is_as_told) {
        trial.twins[1].differs = {"is stopped by preflight (every-server-ready)"};
    }
    return trial;
}

app::CheckResult sample_check(checker::Verdict verdict) {
    app::CheckResult checked;
    checked.took_ms = 412;
    checker::Report& report = checked.report;
    report.verdict = verdict;
    report.states = 281'285;
    report.transitions = 1'142'823;
    report.downgrade_starts = 64;
    report.bytes = 26U << 20U;
    report.depth = 65;
    report.return_point = "roll/m3/start";
    report.not_modelled = {"time: how long anything takes, soaks, deadlines"};
    if (verdict == checker::Verdict::violated) {
        report.violations.push_back({checker::Property::quorum,
                                     "\"stop m2\" takes the group below its minimum",
                                     {{"", {}}, {"m1 dies", {}}, {"stop m2: done", {}}},
                                     "roll/m2/stop",
                                     "packs/etcd/procedures/upgrade.yaml:109:9",
                                     "add `quorum_without: this` to its guards"});
    }
    return checked;
}

app::Survey sample_survey() {
    app::Survey survey;
    const Plan plan = sample_plan();
    survey.pack.title = "etcd";
    survey.cluster.name = "orders";
    survey.cluster.system = "etcd";
    for (const std::string& name : plan.members()) {
        survey.cluster.members.push_back({.role = "member", .name = name, .host = "host-" + name});
        const std::string key = model::fact_key(name, "db_size");
        survey.sources[key] = {.key = key, .member = name, .name = "db_size"};
        survey.facts[key] = {
            model::ObservationStatus::known, 20480, "POST /v3/maintenance/status", 0};
    }
    survey.sources.insert(plan.sources.begin(), plan.sources.end());
    survey.facts.insert(plan.bound_facts.begin(), plan.bound_facts.end());
    survey.facts["m3/ready"] = {
        model::ObservationStatus::unknown, {}, "GET http://127.0.0.1:2379/health: timed out", 0};
    survey.sources["level"] = {
        .key = "level", .name = "level", .standard_fact = model::StandardFact::level};
    survey.facts["level"] = {model::ObservationStatus::known, "3.4", "derived", 0};
    survey.took_ms = 42;
    return survey;
}

void expect_golden(const std::string& name, const std::string& text) {
    const std::string path = std::string(DRYDOCK_SOURCE_DIR) + "/tests/golden/cli/" + name;
    if (std::getenv("DRYDOCK_ACCEPT") != nullptr) {
        std::ofstream(path) << text;
        GTEST_SKIP() << "recorded " << path;
    }
    std::ifstream file(path);
    std::ostringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(text, expected.str()) << path << "; DRYDOCK_ACCEPT=1 records it anew";
}

}  // namespace drydock::cli
