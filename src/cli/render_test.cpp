// Every screen, as text and compared with a recorded one: a change of a screen is seen and judged.
#include "base/text.h"
#include "cli/json.h"
#include "cli/observers.h"
#include "cli/render.h"
#include "cli/render_trial.h"
#include "cli/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <sstream>

namespace drydock::cli {

namespace {

using model::Plan;
using run::Status;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Render : public ::testing::Test {
protected:
    void SetUp() override {
        setenv("TZ", "UTC", 1);
        tzset();
    }

    // Digests follow every field of a plan; the screens' own words are what is compared.
    static std::string without_digest(std::string text, const Plan& plan) {
        const std::string digest = plan.digest().substr(0, 8);
        const auto at = text.find(digest);
        return at == std::string::npos ? text : text.replace(at, digest.size(), "DIGEST..");
    }

    Screen screen_;
    Plan plan_ = sample_plan();
};

TEST_F(Render, Survey) {
    expect_golden("survey.txt", render_survey(sample_survey(), screen_));
}

// A host that is away takes all facts of its members along: that is one line each, not one a fact.
TEST_F(Render, WhatIsNotKnownForOneReasonIsOneLine) {
    app::Survey survey = sample_survey();
    const std::string why = "host c did not answer";
    survey.facts["m3/ready"] = {model::ObservationStatus::unknown, {}, why, 0};
    survey.facts["m3/db_size"] = {model::ObservationStatus::unknown, {}, why, 0};
    const std::string text = render_survey(survey, screen_);
    EXPECT_THAT(text, HasSubstr("    m3, 2 facts  host c did not answer\n"));
    EXPECT_EQ(text.find(why), text.rfind(why));
}

TEST_F(Render, Route) {
    const app::RouteAnswer answer = {
        "3.4.23",
        "3.6.1",
        {{{"3.4.23", "3.5.16", "upgrade", "rolling, one minor at a time (upgrade.yaml:1:1)"},
          {"3.5.16", "3.6.1", "upgrade", "rolling, one minor at a time (upgrade.yaml:1:1)"}},
         {"3.4.23 -> 3.6.1 skips a series: the guide (releases.yaml:30:3)",
          "3.4.23 -> 3.6.1 skips a series: the guide (releases.yaml:30:3)"}}};
    expect_golden("route.txt", render_route(answer, screen_));
}

TEST_F(Render, StatusOfAJourney) {
    auto status = sample_status(sample_state(plan_, "roll/m1/start", Status::intended));
    status.journey = sample_journey();
    expect_golden("status-journey.txt", render_status(status, screen_));
}

// Behind the end of a hop, the next one waits for a person's word.
TEST_F(Render, StatusBetweenHopsSaysHowItGoesOn) {
    auto status = sample_status(sample_state(plan_, "roll/m1/start", Status::intended));
    status.journey = sample_journey();
    status.journey->next = run::JourneyStep::forward;
    EXPECT_TRUE(status.is_between_runs());
    EXPECT_THAT(render_status(status, screen_),
                HasSubstr("drydock resume -c orders.yaml: goes on with the journey"));
    status.conductor = journal::Holder{"here", 11, 0};
    EXPECT_FALSE(status.is_between_runs());
}

TEST_F(Render, APlanOfSeveralHopsNamesThemAll) {
    plan_.route = {"3.4.23", "3.5.16", "3.6.1"};
    EXPECT_THAT(render_plan(plan_, screen_),
                HasSubstr("route  3.4.23 -> 3.5.16 -> 3.6.1; this is the plan of hop 1 of 2."));
}

TEST_F(Render, PlanOnOneScreen) {
    expect_golden("plan.txt", without_digest(render_plan(plan_, screen_), plan_));
}

TEST_F(Render, PlanWithAllRisks) {
    const std::string text = render_plan(plan_, screen_, true);
    EXPECT_THAT(text, HasSubstr("etcd-13766"));
    EXPECT_THAT(render_plan(plan_, screen_), Not(HasSubstr("etcd-13766")));
}

// A hundred members that are treated alike are still one screen.
TEST_F(Render, PlanOfManyMembersIsOneScreen) {
    const std::string text = render_plan(sample_plan_of(100), screen_);
    EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 40);
    EXPECT_THAT(text, HasSubstr("98 members"));
}

// Members that are down from one phase to the next are counted: an offline plan says so.
TEST_F(Render, PlanSaysWhenThereIsAnOutage) {
    std::vector<model::Action> kept;
    for (const model::Action& action : plan_.actions) {
        if (action.verb == model::Verb::stop) {
            kept.push_back(action);
        }
    }
    plan_.actions = kept;
    EXPECT_THAT(render_plan(plan_, screen_), HasSubstr("down to 0 of 3 serve"));
}

TEST_F(Render, ACheckTellsItsStories) {
    expect_golden("check.txt", render_check(sample_check(checker::Verdict::violated), screen_));
    const auto unfinished = render_check(sample_check(checker::Verdict::unfinished), screen_);
    EXPECT_THAT(unfinished, HasSubstr("stopped at 281,285 states, checked up to depth 65"));
}

// The check answered facts that nothing models as suits the way back. Whoever reads it must know.
TEST_F(Render, PlanAndGuideSayWhatTheWayBackHangsOn) {
    EXPECT_THAT(render_plan(plan_, screen_), Not(HasSubstr("certain, if")));
    plan_.check.set("hangs_on", Json(Json::Array{"epoch_lead"}));
    screen_.width = 200;
    EXPECT_THAT(render_plan(plan_, screen_), HasSubstr("; certain, if epoch_lead holds\n"));
    const std::string guide = render_guide(plan_);
    const auto first = guide.find("; certain, if epoch_lead holds |");
    EXPECT_NE(first, guide.npos);
    EXPECT_EQ(guide.find("certain, if", first + 10), guide.npos);
    plan_.check.set("hangs_on", Json(Json::Array{"epoch_lead", "lag"}));
    EXPECT_THAT(render_plan(plan_, screen_), HasSubstr("certain, if epoch_lead, lag hold\n"));
}

// The same on the screens of those who write a pack.
TEST_F(Render, CheckAndTrialSayWhatTheWayBackHangsOn) {
    app::CheckResult checked = sample_check(checker::Verdict::holds);
    EXPECT_THAT(render_check(checked, screen_), Not(HasSubstr("certain, if")));
    checked.report.hangs_on = {"epoch_lead"};
    EXPECT_THAT(render_check(checked, screen_),
                HasSubstr("the way back is certain, if epoch_lead holds\n"));
    trial::Trial trial = sample_trial(true);
    trial.twins[1].checked->report.hangs_on = {"epoch_lead", "lag"};
    EXPECT_THAT(render_trial(trial, screen_),
                HasSubstr("The way back of passing is certain, if epoch_lead, lag hold\n"));
}

TEST_F(Render, TrialTellsTheNotesOfAPlan) {
    trial::Trial trial = sample_trial(true);
    EXPECT_THAT(render_trial(trial, screen_), Not(HasSubstr("Notes of the plan")));
    trial.twins[1].checked->plan.notes = {"no quorum is asked of shard r2"};
    EXPECT_THAT(render_trial(trial, screen_),
                HasSubstr("Notes of the plan, passing\n    no quorum is asked of shard r2\n"));
}

TEST_F(Render, TrialTellsWhatStopsEachTwin) {
    expect_golden("trial.txt", render_trial(sample_trial(true), screen_));
    EXPECT_THAT(render_trial(sample_trial(false), screen_),
                StartsWith("Not as told\n  passing: is stopped by preflight"));
    trial::Trial one = sample_trial(true);
    one.twins = {one.twins[1]};
    one.twins[0].twin.clear();
    EXPECT_THAT(render_trial(one, screen_), StartsWith("Passes: nothing stops this plan\n"));
}

TEST_F(Render, PlanFromAFileSaysSo) {
    plan_.facts_file = "facts.yaml";
    EXPECT_THAT(render_plan(plan_, screen_),
                HasSubstr("from facts.yaml; no host was asked, so `apply` refuses this plan"));
}

// What a plan says is text there: no HTML, no link, no line, cell or span of its own.
TEST_F(Render, GuidesQuoteWhatAPlanSays) {
    plan_.kind = "<script>x";
    plan_.ways_back = {{}};
    plan_.ways_back.front().phase = "down | \\[click](http://e)";
    plan_.ways_back.front().cost = "none\n## Approved";
    plan_.ways_back.front().command = "drydock `x` | sh";
    const std::string guide = render_guide(plan_);
    EXPECT_EQ(guide.find("<script>"), guide.npos);
    EXPECT_EQ(guide.find("\n## Approved"), guide.npos);
    EXPECT_NE(guide.find("| down \\| \\\\\\[click](http://e) |"), guide.npos) << guide;
    EXPECT_NE(guide.find("`drydock 'x' \\| sh` |"), guide.npos) << guide;
}

TEST_F(Render, Guide) {
    expect_golden("guide.txt", without_digest(render_guide(plan_), plan_));
}

TEST_F(Render, StatusInTheMiddleOfAStep) {
    auto status = sample_status(sample_state(plan_, "roll/m1/start", Status::intended));
    status.conductor = journal::Holder{"host", 4711, 1'700'000'000'000};
    expect_golden("status-running.txt", render_status(status, screen_));
}

TEST_F(Render, StatusAtTheGate) {
    auto status = sample_status(sample_state(plan_, "finish/gate", Status::open));
    status.open_gate = "point-of-no-return";
    status.open_gate_words = plan_.find("finish/gate")->reason;
    status.gate_facts.set("m1/ready", true).set("m2/ready", true).set("m3/ready", true);
    status.gate_facts.set("level", "3.4.0").set("m2/learner", Json());
    status.gate_facts_ms = status.last_ms;
    status.gate_since_ms = status.last_ms - 3'600'000;
    expect_golden("status-gate.txt", render_status(status, screen_));
}

// An approval alone closes nothing: what closes the way back is the step behind the gate.
TEST_F(Render, TheWayBackIsOpenUntilTheClosingStepBegins) {
    const auto approved = sample_status(sample_state(plan_, "finish/m2/stop", Status::waiting));
    EXPECT_THAT(render_status(approved, screen_), HasSubstr("open (until finish/m2/start begins)"));
    const auto begun = sample_status(sample_state(plan_, "finish/m2/start", Status::intended));
    EXPECT_THAT(render_status(begun, screen_), HasSubstr("closed: finish/m2/start has begun"));
}

// A log tells it once, and again when it closes.
TEST_F(Render, LinesTellTheWayBackWhenItBeginsToBeAnother) {
    std::ostringstream out;
    os::RealClock clock;
    PlainLines lines(out, clock);
    lines.on_start(plan_, sample_state(plan_, "roll/m3/stop", Status::waiting));
    lines.on_event({}, plan_, sample_state(plan_, "roll/m3/stop", Status::intended));
    const std::string before = out.str();
    EXPECT_EQ(before.find("way back: open"), before.rfind("way back: "));
    lines.on_event({}, plan_, sample_state(plan_, "finish/m2/start", Status::intended));
    EXPECT_THAT(out.str().substr(before.size()), HasSubstr("way back: closed: finish/m2/start"));
}

TEST_F(Render, StatusHalted) {
    auto state = sample_state(plan_, "roll/m1/start", Status::failed);
    state.set_phase(run::Phase::halted);
    auto status = sample_status(state);
    status.cause = "m1: start: the process ended at once with exit code 1";
    status.remedy = "look at the member's log, then resume";
    expect_golden("status-halted.txt", render_status(status, screen_));
}

TEST_F(Render, StatusFinished) {
    auto state = sample_state(plan_, "", Status::done);
    state.set_phase(run::Phase::finished);
    expect_golden("status-finished.txt", render_status(sample_status(state), screen_));
}

TEST_F(Render, Drift) {
    app::Failure failure = {app::k_exit_moved, {}};
    failure.drift = {{"m3/running", "3.5.16", "3.4.23", "/version, process 8123", false}};
    expect_golden("drift.txt",
                  render_failure(failure, {"resume", "orders.yaml", "3.5.16"}, screen_));
}

TEST_F(Render, DowngradeRefused) {
    app::Failure failure = {
        app::k_exit_no,
        {{"downgrade.closed",
          "The way back in place is closed since 21:31:07: the level is 3.5, and 3.4.23 does not "
          "start on it.",
          "You approved this at 21:30:58.",
          ErrorClass::permanent}}};
    failure.recovery_options = {plan_.ways_back[1], plan_.ways_back[2]};
    expect_golden("downgrade-refused.txt",
                  render_failure(failure, {"downgrade", "orders.yaml", ""}, screen_));
}

TEST_F(Render, InputErrors) {
    app::Failure failure = {app::k_exit_usage, {}};
    failure.diagnostics.error(
        "key.unknown", {"orders.yaml", 14, 7}, "unknown key `servce`", "did you mean `service`?");
    failure.diagnostics.error(
        "host.unknown", {"orders.yaml", 22, 3}, "member m3 is on host `d`", "hosts are a, b, c");
    expect_golden("input-errors.txt", render_failure(failure, {"survey", "", ""}, screen_));
}

TEST_F(Render, Log) {
    Json event;
    event.set("type", "gate.approved").set("action", "finish/gate");
    event.set("detail", Json(Json::Object{{"who", "alice"}}));
    expect_golden("log.txt", render_log({{41, 1'700'000'000'000, event}}, screen_));
}

// Hours of copying with nothing to see look like a hang.
TEST_F(Render, HowFarALongActionHasCome) {
    const auto state = sample_state(plan_, "roll/m1/start", Status::intended);
    const auto index = static_cast<std::size_t>(plan_.find("roll/m1/start") - plan_.actions.data());
    Json told = Json::Object{{"done", 3.2}, {"of", 10}, {"rate", 0.12}};
    told.set("unit", "GB");
    auto status = sample_status(state);
    status.progress[index] = told;
    constexpr const char* k_words = "m1: start m1: 3.2 of 10 GB (32 %), 0.1 GB/s, about 57 s left";
    EXPECT_THAT(render_status(status, screen_), HasSubstr(k_words));
    EXPECT_EQ(json_of(status)["under_way"].items().at(0).as_string(), k_words);
    run::Event event = {{run::EventType::action_progress, index, 1}, told};
    EXPECT_THAT(event_words(event, plan_), HasSubstr(": 3.2 of 10 GB (32 %), 0.1 GB/s"));
    const Json encoded = run::EventCodec(plan_).encode(event);
    EXPECT_THAT(render_log({{41, 0, encoded}}, screen_),
                HasSubstr("3.2 of 10 GB (32 %), 0.1 GB/s"));
    const Json entry = json_of(status)["progress"].items().at(0);
    EXPECT_EQ(entry["action"].as_string(), "roll/m1/start");
    EXPECT_EQ(entry["percent"], Json(32));
    EXPECT_EQ(entry["left_ms"].as_int(), 56'666);
    std::ostringstream out;
    os::RealClock clock;
    LiveTable table(out, clock, screen_);
    table.on_progress(event, plan_, state);
    EXPECT_THAT(out.str(), HasSubstr(k_words));
}

// A run that waits for minutes and does not say for what looks like a hang.
TEST_F(Render, WhatAnActionWaitsFor) {
    const auto state = sample_state(plan_, "roll/m1/start", Status::intended);
    const auto index = static_cast<std::size_t>(plan_.find("roll/m1/start") - plan_.actions.data());
    Json wait = Json::Object{{"for", "the server to free node port 1"}, {"since_ms", 0}};
    wait.set("until_ms", 720'000).set("remedy", "nothing: delete nothing");
    const Json told = Json::Object{{"waits", wait}};
    auto status = sample_status(state);
    status.progress[index] = told;
    const std::string text = render_status(status, screen_);
    EXPECT_THAT(text, HasSubstr("now        m1: start m1\n"));
    EXPECT_THAT(text, HasSubstr("waits for the server to free node port 1\n"));
    EXPECT_THAT(text, HasSubstr("until " + show_time(720'000) + " at the latest\n"));
    EXPECT_THAT(text, HasSubstr("to do: nothing: delete nothing\n"));
    EXPECT_EQ(json_of(status)["progress"].items().at(0)["waits"], wait);
    const run::Event begins = {{run::EventType::action_progress, index, 1}, told};
    EXPECT_THAT(event_words(begins, plan_), HasSubstr("waits for the server to free node port 1;"));
    const run::Event ends = {{run::EventType::action_progress, index, 1}, Json(Json::Object{})};
    EXPECT_THAT(event_words(ends, plan_), HasSubstr("waits no more"));
}

// A log of machines is not flooded by a report twice a second.
TEST_F(Render, ProgressAsLinesForMachines) {
    const auto state = sample_state(plan_, "roll/m1/start", Status::intended);
    const auto index = static_cast<std::size_t>(plan_.find("roll/m1/start") - plan_.actions.data());
    const Json told = Json::Object{{"done", 3}, {"of", 10}, {"rate", 2}, {"bytes", 77}};
    std::ostringstream out;
    os::RealClock clock;
    JsonLines lines(out, clock);
    for (int i = 0; i < 5; ++i) {
        lines.on_progress({{run::EventType::action_progress, index, 4}, told}, plan_, state);
    }
    const auto line = Json::parse(out.str());
    ASSERT_TRUE(line) << "one line: " << out.str();
    EXPECT_EQ((*line)["type"].as_string(), "progress");
    EXPECT_EQ((*line)["action"].as_string(), "roll/m1/start");
    EXPECT_EQ((*line)["attempt"], Json(4));
    EXPECT_EQ((*line)["percent"], Json(30));
    EXPECT_EQ((*line)["left_ms"].as_int(), 3'500);
    EXPECT_EQ((*line)["bytes"], Json(77));
}

TEST_F(Render, TemporaryFactsThatAnEndLeaves) {
    auto state = sample_state(plan_, "", Status::done);
    state.set_phase(run::Phase::aborted);
    auto status = sample_status(state);
    EXPECT_FALSE(json_of(status).contains("left_behind"));
    status.left_behind = {{"noout", "false", "true", "read", false}};
    EXPECT_THAT(render_status(status, screen_), HasSubstr("switched   noout is true, was false"));
    EXPECT_EQ(json_of(status)["left_behind"].items().at(0)["fact"].as_string(), "noout");
    const Json fact = Json::Object{{"fact", "noout"}, {"expected", "false"}, {"found", "true"}};
    const Json detail = Json::Object{{"left_behind", Json::Array{fact}}};
    EXPECT_EQ(event_words({{run::EventType::run_finished}, detail}, plan_),
              "finished; not as before: noout is true, was false");
    EXPECT_EQ(event_words({{run::EventType::run_aborted}, detail}, plan_),
              "given up; not as before: noout is true, was false");
}

TEST_F(Render, WhatAPauseCancelled) {
    auto state = sample_state(plan_, "roll/m1/start", Status::waiting);
    state.set_phase(run::Phase::paused);
    auto status = sample_status(state);
    status.paused = "m1: move: cancelled at 3.2 of 10 GB; goes on from there on resume";
    EXPECT_THAT(render_status(status, screen_), HasSubstr("cancelled at 3.2 of 10 GB; goes on"));
    EXPECT_EQ(json_of(status)["paused"].as_string(), status.paused);
    Json detail = Json::Object{{"because", status.paused}};
    EXPECT_EQ(event_words({{run::EventType::run_paused}, detail}, plan_),
              "paused: " + status.paused);
    detail.set("cancelled", true).set("because", "cancelled at 3.2 of 10 GB");
    const run::CompactEvent ended = {run::EventType::action_ended, 0, 1, run::Outcome::unknown};
    EXPECT_THAT(event_words({ended, detail}, plan_),
                testing::EndsWith("cancelled at 3.2 of 10 GB"));
}

TEST_F(Render, ColourOnlyAdds) {
    const Screen colour = {.color = true};
    std::string text = render_plan(plan_, colour);
    EXPECT_THAT(text, HasSubstr("\x1b["));
    for (auto at = text.find('\x1b'); at != std::string::npos; at = text.find('\x1b')) {
        text.erase(at, text.find('m', at) - at + 1);
    }
    EXPECT_EQ(text, render_plan(plan_, screen_));
}

// What a person pastes into a shell means what the agent would do.
TEST_F(Render, ShellWordsAreQuoted) {
    EXPECT_EQ(shell_word("plain-1.2/x=y"), "plain-1.2/x=y");
    EXPECT_EQ(shell_word(""), "''");
    EXPECT_EQ(shell_word("a b; rm -rf $HOME"), "'a b; rm -rf $HOME'");
    EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
}

// A person with kubectl must not change another object than the agent would.
TEST(Shell, ChangesOneObjectOfKubernetes) {
    const auto shell = [](const std::string& rest) {
        return shell_of(*Json::parse(R"({"kind":"kubernetes","kubeconfig":"/k","context":"c",
                                         "namespace":"n","resource":"apps/v1/deployments",
                                         "name":"d",)"
                                     + rest + "}"));
    };
    EXPECT_EQ(shell(R"("scale":"0")"),
              "kubectl --kubeconfig /k --context c -n n scale deployments.v1.apps/d --replicas=0");
    EXPECT_EQ(
        shell(R"("uid":"u","patch":[{"op":"remove","path":"/a"}])"),
        "kubectl --kubeconfig /k --context c -n n patch deployments.v1.apps/d --type=json -p "
        R"('[{"op":"test","path":"/metadata/uid","value":"u"},{"op":"remove","path":"/a"}]')");
    EXPECT_EQ(shell(R"("delete":{"uid":"u"})"),
              "[ \"$(kubectl --kubeconfig /k --context c -n n get deployments.v1.apps/d -o "
              "'jsonpath={.metadata.uid}')\" = u ] && kubectl --kubeconfig /k --context c -n n "
              "delete deployments.v1.apps/d");
    EXPECT_EQ(shell(R"("patch":[{"op":"remove","path":"/a/[b=c]"}])"), "");
    EXPECT_EQ(shell(R"("proxy":"unix:///p","scale":1)"), "");
}

TEST_F(Render, JsonOfAStatusHasWhatTheScreenHas) {
    const Json json =
        json_of(sample_status(sample_state(plan_, "roll/m1/start", Status::intended)));
    EXPECT_EQ(json.find("/members/2/version")->as_string(), "3.5.16");
    EXPECT_EQ(json.find("/members/0/step")->as_string(), "start");
    EXPECT_EQ(json["under_way"].items().at(0).as_string(), "m1: start m1");
    EXPECT_EQ(json["phase"].as_string(), "running");
}

}  // namespace

}  // namespace drydock::cli
