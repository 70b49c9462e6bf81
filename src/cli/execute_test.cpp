// What is typed, what is asked of app, and the exit code that scripts see.
#include "cli/completion.h"
#include "cli/execute_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::cli {

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Execute : public ::testing::Test, protected Typist {};

TEST_F(Execute, NothingTypedShowsHelpAndIsWrongUse) {
    EXPECT_EQ(type({}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("survey"));
}

TEST_F(Execute, HelpIsNoError) {
    EXPECT_EQ(type({"--help"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("downgrade"));
    EXPECT_EQ(type({"plan", "--help"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("--rebuild"));
}

TEST_F(Execute, AMisspeltCommandIsNamedWithTheOneThatWasMeant) {
    EXPECT_EQ(type({"surwey", "-c", "x.yaml"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("no command `surwey`; did you mean `survey`?"));
    EXPECT_EQ(type({"journal", "verfy"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("did you mean `verify`?"));
}

TEST_F(Execute, AMisspeltOptionIsNamedWithTheOneThatWasMeant) {
    EXPECT_EQ(type({"survey", "--clutser", "x.yaml"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("no option `--clutser`; did you mean `--cluster`?"));
}

TEST_F(Execute, AMissingArgumentIsWrongUse) {
    EXPECT_EQ(type({"approve", "-c", "x.yaml"}), 2);
    EXPECT_EQ(type({"plan", "-c", "x.yaml"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("--to VERSION"));
    EXPECT_EQ(type({"completion", "tcsh"}), 2);
}

TEST_F(Execute, TheClusterFileComesFromTheOptionOrTheVariable) {
    EXPECT_EQ(type({"survey"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("DRYDOCK_CLUSTER"));
    setenv("DRYDOCK_CLUSTER", "from-variable.yaml", 1);
    EXPECT_EQ(type({"survey"}), 0);
    EXPECT_EQ(type({"survey", "-c", "typed.yaml"}), 0);
    unsetenv("DRYDOCK_CLUSTER");
    EXPECT_THAT(fake_app().requests, ElementsAre("survey from-variable.yaml", "survey typed.yaml"));
}

TEST_F(Execute, APlanIsShownAndWritten) {
    EXPECT_EQ(type({"plan", "-c", "x.yaml", "--to", "3.5.16", "-o", "p.json"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("plan 3.5.16", "check soon", "write p.json"));
    EXPECT_THAT(out_.str(), HasSubstr("Written: p.json. Next: drydock apply p.json"));
}

TEST_F(Execute, ASimulationThatWentWrongIsANoAndSaysHowToRepeatIt) {
    EXPECT_EQ(type({"sim", "p.json", "--runs", "5"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("Nothing went wrong in 5 runs"));
    EXPECT_EQ(type({"sim", "p.json", "--seed", "13"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("twice: roll/m1/stop ran 2 times"));
    EXPECT_THAT(out_.str(), HasSubstr("drydock sim p.json --seed 13 --verbose"));
    EXPECT_EQ(type({"sim", "p.json", "--verbose"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("    0.001 s  conductor 1"));
    EXPECT_EQ(type({"sim", "p.json", "--seed", "13", "--json"}), 1);
    EXPECT_EQ((*Json::parse(out_.str()))["shown"].items().size(), 1U);
}

TEST_F(Execute, AReplayTellsWhatBreaksAndWhereAStoryCouldNotBeTold) {
    EXPECT_EQ(type({"sim", "p.json", "--trace", "stories.json"}), 1);
    EXPECT_THAT(fake_app().requests, ElementsAre("replay stories.json"));
    EXPECT_THAT(out_.str(), HasSubstr("quorum: breaks here, too, after 4 of 4 turns"));
    EXPECT_THAT(out_.str(), HasSubstr("twice: turn 3 of 9 (done x) did not come about"));
    EXPECT_EQ(type({"sim", "p.json", "--trace", "stories.json", "--json"}), 1);
    EXPECT_EQ((*Json::parse(out_.str()))["stories"].items().size(), 2U);
}

TEST_F(Execute, PlanAsJsonIsThePlan) {
    EXPECT_EQ(type({"plan", "-c", "x.yaml", "--to", "3.5.16", "--json"}), 0);
    const auto json = Json::parse(out_.str());
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["digest"].as_string(), sample_plan().digest());
}

// The exit code of a run is the run's own; that of its failure the failure's.
TEST_F(Execute, APlanIsCheckedAtOnce) {
    EXPECT_EQ(type({"plan", "-c", "x", "--to", "3.5.16"}), 0);
    EXPECT_THAT(fake_app().requests.back(), "check soon");
    EXPECT_THAT(out_.str(), HasSubstr("Checked: Holds"));
    fake_app().checked = sample_check(checker::Verdict::violated);
    EXPECT_EQ(type({"plan", "-c", "x", "--to", "3.5.16"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("m1 dies"));
}

TEST_F(Execute, CheckTakesItsBudgetsAndSaysWhatItFound) {
    EXPECT_EQ(type({"check", "p.json", "--faults", "failures=3,host=0"}), 0);
    EXPECT_THAT(fake_app().requests.back(), "check failures=3,unknown=2,crashes=2,member=1,host=0");
    fake_app().checked = sample_check(checker::Verdict::unfinished);
    EXPECT_EQ(type({"check", "p.json", "--json"}), 1);
    EXPECT_EQ((*Json::parse(out_.str()))["verdict"].as_string(), "unfinished");
    EXPECT_EQ(type({"check", "p.json", "--faults", "failure=3"}), 2);
    EXPECT_EQ(type({"check", "p.json", "--property", "quorun"}), 2);
}

TEST_F(Execute, APlanIsRunUncheckedForAReasonOnly) {
    type({"apply", "p.json", "--allow-unchecked", "the office burns"});
    EXPECT_THAT(fake_app().requests.back(), HasSubstr("because the office burns"));
}

TEST_F(Execute, ExitCodesAreAppsOwn) {
    for (const int code : {0, 1, 3, 4, 5}) {
        fake_app().run->exit_code = code;
        EXPECT_EQ(type({"apply", "p.json"}), code);
        EXPECT_EQ(type({"status", "-c", "x.yaml"}), code);
        fake_app().resumed = tl::unexpected(app::Failure{code, {{"x", "because", "", {}}}});
        EXPECT_EQ(type({"resume", "-c", "x.yaml"}), code);
    }
}

TEST_F(Execute, AChangeThatWasMadeIsASuccess) {
    answer_at_gate();
    EXPECT_EQ(type({"approve", "point-of-no-return", "-c", "x.yaml"}), 0);
    EXPECT_EQ(type({"pause", "-c", "x.yaml", "--dry-run"}), 0);
    EXPECT_EQ(type({"abort", "-c", "x.yaml"}), 0);
    EXPECT_THAT(fake_app().requests,
                ElementsAre("approve point-of-no-return x.yaml", "pause dry", "abort"));
}

// The advice is a command that works as it stands: it names the plan's own cluster file.
TEST_F(Execute, AMovedWorldComesWithTheCommandToType) {
    app::Failure failure = {app::k_exit_moved, {}};
    failure.drift = {{"m3/running", "3.4.23", "3.5.16", "/version", false}};
    fake_app().run = tl::unexpected(failure);
    EXPECT_EQ(type({"apply", "p.json"}), 5);
    EXPECT_THAT(err_.str(), HasSubstr("drydock plan -c orders.yaml --to 3.5.16 -o plan2.json"));
}

TEST_F(Execute, ADryRunSaysSo) {
    EXPECT_EQ(type({"pause", "-c", "x.yaml", "--dry-run"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("Dry run: everything was checked, nothing was done."));
    EXPECT_EQ(type({"apply", "p.json", "--dry-run", "--approve", "point-of-no-return"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("Dry run: everything was checked, nothing was done."));
}

TEST_F(Execute, ApplyStopsAtTheGate) {
    answer_at_gate();
    EXPECT_EQ(type({"apply", "p.json"}), 3);
    EXPECT_THAT(fake_app().requests, ElementsAre("apply orders.yaml"));
    EXPECT_THAT(out_.str(), HasSubstr("drydock approve point-of-no-return -c orders.yaml"));
}

// The gate opens while the run is conducted, and is approved there.
TEST_F(Execute, ApplySaysWhichGateIsApprovedBeforehand) {
    EXPECT_EQ(type({"apply", "p.json", "--approve", "point-of-no-return"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("apply orders.yaml approving point-of-no-return"));
}

TEST_F(Execute, DowngradeDryRunShowsThePlanOnly) {
    EXPECT_EQ(type({"downgrade", "-c", "x.yaml", "--dry-run"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("plan downgrade", "status "));
    EXPECT_THAT(out_.str(), Not(HasSubstr("back to")));
    fake_app().run->journey = sample_journey();
    EXPECT_EQ(type({"downgrade", "-c", "x.yaml", "--dry-run"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("back to 3.5.16; further: the way back closed when"));
}

TEST_F(Execute, ADowngradeOfAJourneyMayEndEarlier) {
    EXPECT_EQ(type({"downgrade", "-c", "x.yaml", "--to", "3.5.16"}), 0);
    EXPECT_THAT(fake_app().requests, Contains("downgrade to 3.5.16"));
}

TEST_F(Execute, ARehearsalIsThatOfThePlansHop) {
    EXPECT_EQ(type({"rehearse", "p.json", "--dry-run"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("rehearse 3.4.23 3.5.16 dry"));
    EXPECT_EQ(type({"rehearse"}), 2);
}

TEST_F(Execute, AnUpgradeNamesItsStopsAndItsApprovals) {
    EXPECT_EQ(type({"upgrade", "-c", "x.yaml"}), 2);
    EXPECT_EQ(type({"upgrade",
                    "-c",
                    "x.yaml",
                    "--to",
                    "3.6.1",
                    "--through",
                    "3.5.16",
                    "--approve",
                    "go",
                    "--approve",
                    "3.6.1:go"}),
              0);
    EXPECT_THAT(fake_app().requests,
                ElementsAre("upgrade 3.6.1 through 3.5.16 approving go 3.6.1:go"));
}

// Each run of a journey begins with the hop that it is, in lines for people and for machines.
TEST_F(Execute, AJourneyTellsItsHop) {
    fake_app().run->journey = sample_journey();
    EXPECT_EQ(type({"upgrade", "-c", "x.yaml", "--to", "3.6.1"}), 0);
    EXPECT_THAT(out_.str(),
                StartsWith("hop 2 of 2   3.5.16 -> 3.6.1   of the journey 3.4.23 -> 3.6.1\n"));
    EXPECT_EQ(type({"upgrade", "-c", "x.yaml", "--to", "3.6.1", "--json"}), 0);
    const auto first = Json::parse(out_.str().substr(0, out_.str().find('\n')));
    ASSERT_TRUE(first);
    EXPECT_EQ((*first)["type"].as_string(), "journey");
    EXPECT_EQ((*first)["hop"].as_int(), 2);
    EXPECT_EQ((*first)["hops"].items()[0]["run"].as_string(), "11");
}

TEST_F(Execute, EventsAreLinesWithTheirTime) {
    const std::size_t stop = 4;  // roll/m3/stop
    fake_app().events = {{run::EventType::action_intended, stop, 1},
                         {run::EventType::action_ended, stop, 1, run::Outcome::done}};
    type({"apply", "p.json"});
    EXPECT_THAT(out_.str(), HasSubstr("  m3: stop: begun\n"));
    EXPECT_THAT(out_.str(), HasSubstr("  m3: stop: done  0.0 s\n"));
}

TEST_F(Execute, EventsAsJsonAreOneALine) {
    fake_app().events = {{run::EventType::action_intended, 4, 1}};
    type({"apply", "p.json", "--json"});
    std::istringstream lines(out_.str());
    std::vector<std::string> types;
    for (std::string line; std::getline(lines, line);) {
        const auto json = Json::parse(line);
        ASSERT_TRUE(json) << line;
        types.push_back((*json)["type"].show());
    }
    EXPECT_THAT(types, ElementsAre("start", "action.intended", "nothing"));
}

// A table on a terminal is redrawn in its place, and gone when the status follows.
TEST_F(Execute, ATerminalGetsATableThatIsTakenAwayAtTheEnd) {
    type({"apply", "p.json"}, true);
    EXPECT_THAT(out_.str(), HasSubstr("A\x1b[J"));
    type({"apply", "p.json"}, false);
    EXPECT_THAT(out_.str(), Not(HasSubstr("\x1b")));
}

TEST_F(Execute, ColourFollowsTheTerminalNoColorAndTheOption) {
    const std::string colour = "\x1b[1m";
    type({"survey", "-c", "x"}, true);
    EXPECT_THAT(out_.str(), HasSubstr(colour));
    type({"survey", "-c", "x"}, true, "1");
    EXPECT_THAT(out_.str(), Not(HasSubstr(colour)));
    type({"survey", "-c", "x", "--color", "always"}, false, "1");
    EXPECT_THAT(out_.str(), HasSubstr(colour));
    type({"survey", "-c", "x", "--color", "never"}, true);
    EXPECT_THAT(out_.str(), Not(HasSubstr(colour)));
}

TEST_F(Execute, ProblemsOfInputComeWithTheirPlace) {
    EXPECT_EQ(type({"pack", "lint", "packs/x"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("packs/x/pack.yaml:3:7  unknown key `servce`"));
    EXPECT_EQ(type({"pack", "lint", "packs/x", "--json"}), 2);
    EXPECT_EQ(Json::parse(out_.str())->find("/diagnostics/0/line")->as_int(), 3);
}

TEST_F(Execute, WarningsOfAPackAreNoFailure) {
    EXPECT_EQ(type({"pack", "lint", "packs/warned"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("packs/warned/x.yaml:4:2  warning: nobody is asked\n"));
    EXPECT_THAT(out_.str(), HasSubstr("packs/warned: 1 warning (0 facts, "));
    EXPECT_EQ(type({"pack", "lint", "packs/warned", "--json"}), 0);
    EXPECT_EQ(Json::parse(out_.str())->find("/problems/0/severity")->as_string(), "warning");
}

TEST_F(Execute, TrialEndsWithItsAnswer) {
    EXPECT_EQ(type({"pack", "try", "cases/x", "--to", "1.1.0"}), 0);
    EXPECT_THAT(fake_app().requests, Contains("try cases/x 1.1.0"));
    EXPECT_THAT(out_.str(), StartsWith("As told"));
    fake_app().trial = sample_trial(false);
    EXPECT_EQ(type({"pack", "try", "cases/x"}), 1);
    EXPECT_EQ(type({"pack", "try", "cases/x", "--json"}), 1);
    const auto json = Json::parse(out_.str());
    ASSERT_TRUE(json);
    EXPECT_FALSE((*json)["as_told"].as_bool(true));
    EXPECT_EQ(json->find("/twins/0/stopped_by")->as_string(), "check");
    app::Failure failure = {2, {}};
    failure.diagnostics.error("file.read", {"cases/x/case.yaml", 1, 1}, "cannot be read");
    fake_app().trial = tl::unexpected(failure);
    EXPECT_EQ(type({"pack", "try", "cases/x"}), 2);
    EXPECT_THAT(err_.str(), HasSubstr("cases/x/case.yaml:1:1"));
    EXPECT_EQ(type({"pack", "try"}), 2);
}

TEST_F(Execute, NewPackNamesItsFiles) {
    EXPECT_EQ(type({"pack", "new", "cases/y", "--name", "orders"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("pack/pack.yaml"));
    EXPECT_THAT(out_.str(), HasSubstr("drydock pack try cases/y"));
    EXPECT_EQ(type({"pack", "new", "cases/y", "--name", "orders", "--dry-run"}), 0);
    EXPECT_THAT(fake_app().requests, Contains("new cases/y orders dry"));
    EXPECT_THAT(out_.str(), StartsWith("Dry run"));
    EXPECT_EQ(type({"pack", "new", "cases/y"}), 2);
}

TEST_F(Execute, PlanTakesFactsFromAFile) {
    EXPECT_EQ(type({"plan", "-c", "x", "--to", "3.5.16", "--facts", "facts.yaml"}), 0);
    EXPECT_THAT(fake_app().requests, Contains("plan 3.5.16 with facts.yaml"));
}

TEST_F(Execute, TheRestAnswers) {
    EXPECT_EQ(type({"version"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("drydock "));
    EXPECT_EQ(type({"pack", "list"}), 0);
    EXPECT_EQ(type({"journal", "verify", "-c", "x"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("57 records, whole"));
    EXPECT_THAT(out_.str(), Not(HasSubstr("host ")));
    EXPECT_EQ(type({"journal", "verify", "--hosts", "-c", "x"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("9 heads noted, all in the journal"));
    EXPECT_THAT(out_.str(), HasSubstr("3 of another journal"));
    EXPECT_EQ(type({"journal", "verify", "--hosts", "--json", "-c", "x"}), 0);
    EXPECT_EQ(Json::parse(out_.str())->find("/hosts/1/others")->as_int(), 3);
    EXPECT_EQ(type({"sign", "p.json", "--key", "k"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("p.json.sig"));
    EXPECT_EQ(type({"sign", "p.json", "--key", "none"}), 1);
    EXPECT_EQ(type({"sign", "p.json"}), 2);
    EXPECT_EQ(type({"log", "-c", "x", "--json"}), 0);
    EXPECT_EQ(Json::parse(out_.str())->find("/events/0/sequence")->as_int(), 7);
    EXPECT_EQ(type({"route", "-c", "x", "--to", "3.5.16"}), 0);
    EXPECT_EQ(type({"watch", "-c", "x"}), 0);
    EXPECT_EQ(type({"guide", "p.json"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("# orders"));
    EXPECT_EQ(type({"pack", "schema", "cluster"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("$schema"));
}

TEST_F(Execute, AChainIsToldInWordsInJsonAndAsAPicture) {
    EXPECT_EQ(type({"chain", "old.whl", "new.whl"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("clean\n"));
    EXPECT_THAT(out_.str(), HasSubstr("add b"));
    EXPECT_EQ(type({"chain", "old.whl", "new.whl", "--json"}), 0);
    EXPECT_EQ(Json::parse(out_.str())->find("/new/heads/0")->as_string(), "b");
    EXPECT_EQ(type({"chain", "old.whl", "new.whl", "--graph", "dot"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("\"a\" -> \"b\""));
    EXPECT_EQ(type({"chain", "old.whl", "new.whl", "--graph", "svg"}), 0);
    EXPECT_THAT(out_.str(), StartsWith("<svg "));
}

TEST_F(Execute, ARouteOverAGraphNeedsNoCluster) {
    EXPECT_EQ(type({"route", "--graph", "data", "--from", "4.1.0", "--to", "4.3.0"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("4.1.0 -> 4.2.0\n  4.2.0 -> 4.3.0\n"));
    EXPECT_EQ(type({"route", "--graph", "data", "--from", "4.1.0", "--to", "4.3.0", "--json"}), 0);
    EXPECT_EQ(Json::parse(out_.str())->find("/stops/1")->as_string(), "4.3.0");
    EXPECT_EQ(type({"route", "--graph", "data", "--from", "4.1.0", "--to", "9.0.0"}), 1);
    EXPECT_EQ(type({"route", "--graph", "data", "--to", "4.3.0"}), 2);
    EXPECT_EQ(type({"route", "--from", "4.1.0", "--to", "4.3.0"}), 2);
}

TEST_F(Execute, AChainThatIsNotCleanAnswersOneAndOneThatCannotBeReadTwo) {
    EXPECT_EQ(type({"chain", "old.whl", "new.whl", "--db", "x"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("unknown_head"));
    EXPECT_EQ(type({"chain", "old.whl", "new.whl", "--db", "b"}), 2);
    EXPECT_THAT(out_.str(), HasSubstr("refused"));
    EXPECT_EQ(type({"chain", "a", "b", "--env", "1", "--env", "2", "--env", "3"}), 2);
    EXPECT_EQ(type({"chain", "old.whl"}), 2);
}

TEST_F(Execute, CompletionsHoldEveryCommandAndOption) {
    for (const char* shell : {"bash", "zsh", "fish"}) {
        ASSERT_EQ(type({"completion", shell}), 0);
        for (const CommandInfo& command : command_table()) {
            const std::string last = command.name.substr(command.name.rfind(' ') + 1);
            EXPECT_THAT(out_.str(), HasSubstr(last)) << shell;
            for (const OptionInfo& option : command.options) {
                const std::string name = option.names.back();
                EXPECT_THAT(out_.str(), HasSubstr(name.substr(name.find_first_not_of('-'))))
                    << shell << " " << command.name;
            }
        }
    }
}

}  // namespace

}  // namespace drydock::cli
