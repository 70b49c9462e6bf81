// exec, attach, fence and cancel, spoken to a real agent, which is killed at every place.
#include "agent/attempt.h"
#include "agent/test_agent.h"
#include "transport/local/local.h"

#include <fmt/format.h>

namespace drydock::agent {

std::unique_ptr<transport::Transport> make_test_transport() {
    return std::make_unique<transport::LocalTransport>();
}

std::string test_agent_program() {
    return DRYDOCK_AGENT;
}

namespace {

constexpr const char* k_fence_a =
    R"({"do":"fence","epoch":1,"owner":{"cluster":"prod","journal":"a","who":"anna@one"}})";
constexpr const char* k_fence_b =
    R"({"do":"fence","epoch":1,"owner":{"cluster":"prod","journal":"b","who":"bob@two"}})";

class Exec : public testing::Test, protected AgentFixture {
protected:
    // An action that leaves a line for each time it ran.
    Json effect(const std::string& rest = "") {
        return shell("echo ran >> " + path("effects") + "; " + rest);
    }
};

TEST_F(Exec, says_hello) {
    connect();
    const auto hello = call(json(R"({"do":"hello"})"));
    EXPECT_EQ(hello["boot_id"], Json(os::boot_id()));
    EXPECT_GT(hello["wall_ms"].as_int(), 0);
    EXPECT_EQ(hello["running"], Json(Json::Array{}));
}

TEST_F(Exec, runs_an_action_once_however_often_it_is_asked) {
    connect();
    const auto first = call(exec("stop/m1", effect("echo hello")));
    EXPECT_EQ(first["state"].as_string(), "ended") << first.dump();
    EXPECT_EQ(first["result"]["outcome"].as_string(), "done");
    EXPECT_EQ(first["result"]["evidence"]["output_tail"].as_string(), "hello\n");
    EXPECT_EQ(call(exec("stop/m1", effect("echo hello")))["result"], first["result"]);
    EXPECT_EQ(call(attach("stop/m1"))["result"], first["result"]);
    EXPECT_EQ(read("effects"), "ran\n");
    EXPECT_EQ(read("state/r1/stop+m1.1/output"), "hello\n");
    EXPECT_EQ(call(attach("stop/m2"))["state"].as_string(), "none");
}

// A key stands for one request: another one under the same key is no repetition, and never runs.
TEST_F(Exec, refuses_another_request_under_a_known_key) {
    connect();
    EXPECT_EQ(call(exec("a", effect("echo hello")))["state"].as_string(), "ended");
    const auto other = call(exec("a", effect("touch " + path("other"))));
    EXPECT_EQ(other["error"]["code"].as_string(), "agent.request_differs") << other.dump();
    EXPECT_FALSE(os::exists(path("other")));
    EXPECT_EQ(read("effects"), "ran\n");
}

// A forger of a journal does not reach the heads that lie on a host.
TEST_F(Exec, notes_the_head_that_it_was_begun_behind) {
    connect();
    EXPECT_EQ(call(json(k_fence_a))["fence"].as_int(), 1);
    Json head;
    head.set("sequence", 7).set("hash", std::string(64, 'a'));
    const Json begun = exec("a", effect()).set("journal", "a").set("head", head);
    EXPECT_EQ(call(begun)["state"].as_string(), "ended");
    EXPECT_EQ(
        call(exec("b", effect()).set("journal", "a").set("head", head.set("sequence", 9)))["state"]
            .as_string(),
        "ended");
    const auto of_run = call(json(R"({"do":"hello","heads_of":"r1"})"));
    ASSERT_EQ(of_run["heads"].items().size(), 2U);
    EXPECT_EQ(of_run["heads"].items()[0].dump(),
              fmt::format(R"({{"epoch":1,"hash":"{}","journal":"a","run":"r1","sequence":7}})",
                          std::string(64, 'a')));
    EXPECT_EQ(of_run["owners"].items()[0]["head"]["sequence"].as_int(), 7);
    EXPECT_EQ(call(json(R"({"do":"hello","heads_of":""})"))["heads"].items().size(), 2U);
    EXPECT_EQ(call(json(R"({"do":"hello","heads_of":"r2"})"))["heads"].items().size(), 0U);
    EXPECT_FALSE(call(json(R"({"do":"hello"})")).contains("heads"));
}

TEST_F(Exec, refuses_a_head_that_is_none) {
    connect();
    for (const char* head : {R"("x")", R"({"sequence":0,"hash":"0"})", R"({"sequence":1})"}) {
        EXPECT_EQ(call(exec("a", effect()).set("head", json(head)))["error"]["code"].as_string(),
                  "agent.bad_request");
    }
    EXPECT_EQ(call(json(R"({"do":"hello","heads_of":"../x"})"))["error"]["code"].as_string(),
              "agent.bad_request");
    EXPECT_EQ(read("effects"), "");
}

// The connection breaks while the action runs; the next one finds it running, then ended.
TEST_F(Exec, goes_on_when_the_connection_is_lost) {
    connect();
    ask(exec("a", effect("while ! test -e " + path("go") + "; do sleep 0.02; done; echo end")),
        1000);
    wait_until(
        [&] { return call(attach("a").set("wait", false))["state"].as_string() == "running"; });
    connect();
    const auto hello = call(json(R"({"do":"hello"})"));
    EXPECT_EQ(hello["running"], json(R"([{"run":"r1","action":"a","attempt":1,"journal":""}])"));
    write("go", "");
    const auto ended = call(attach("a"));
    EXPECT_EQ(ended["result"]["outcome"].as_string(), "done") << ended.dump();
    EXPECT_EQ(read("effects"), "ran\n");
}

TEST_F(Exec, shows_progress_of_a_long_action) {
    connect();
    const auto ended = call(exec("a", shell("echo half; sleep 1.2")));
    EXPECT_EQ(ended["result"]["outcome"].as_string(), "done");
    ASSERT_FALSE(progress_.empty());
    EXPECT_EQ(progress_.begin()->second["progress"]["output_tail"].as_string(), "half\n");
}

TEST_F(Exec, refuses_names_that_lead_out_of_the_state_folder) {
    connect();
    for (const auto* name : {"../x", "a/../../b", "", "/../x", ".hidden", "a b", "a+b"}) {
        EXPECT_EQ(call(exec(name, effect()))["error"]["code"].as_string(), "agent.bad_request");
    }
    EXPECT_EQ(call(json(R"({"do":"dance"})"))["error"]["code"].as_string(), "agent.bad_request");
    EXPECT_EQ(read("effects"), "");
}

struct CrashCase {
    const char* place;
    const char* effects;  // the lines that the action wrote
};

class Crash : public Exec, public testing::WithParamInterface<CrashCase> {};

// Killed in the middle: the attempt is interrupted, has no outcome, and never runs again.
TEST_P(Crash, leaves_a_torn_action_that_never_starts_again) {
    const auto& [place, effects] = GetParam();
    connect({std::string("DRYDOCK_AGENT_CRASH=") + place,
             "DRYDOCK_AGENT_CRASH_ONCE=" + path("crashed")});
    const auto first = call(exec("a", effect()));
    EXPECT_TRUE(first.is_null() || first["state"].as_string() == "torn") << first.dump();
    EXPECT_TRUE(std::filesystem::exists(path("crashed")));
    connect();
    EXPECT_EQ(call(attach("a"))["state"].as_string(), "torn");
    EXPECT_EQ(call(exec("a", effect()))["state"].as_string(), "torn");
    EXPECT_EQ(read("effects"), effects);
    auto second = exec("a", effect());
    EXPECT_EQ(call(second.set("attempt", 2))["result"]["outcome"].as_string(), "done");
}

INSTANTIATE_TEST_SUITE_P(Places,
                         Crash,
                         testing::Values(CrashCase{"after_mkdir", ""},
                                         CrashCase{"before_effect", ""},
                                         CrashCase{"after_effect", "ran\n"},
                                         CrashCase{"before_result", "ran\n"}),
                         [](const auto& at) { return std::string(at.param.place); });

// Two conductors with journals of their own once rolled one cluster side by side.
TEST_F(Exec, obeys_one_journal_of_a_cluster_until_another_takes_over) {
    connect();
    EXPECT_EQ(call(json(k_fence_a))["fence"].as_int(), 1);
    const auto refused = call(json(k_fence_b));
    EXPECT_EQ(refused["error"]["code"].as_string(), "agent.owned");
    EXPECT_EQ(refused["error"]["class"].as_string(), "permanent");
    EXPECT_EQ(call(json(k_fence_b).set("take_over", true))["fence"].as_int(), 1);
    connect();
    EXPECT_EQ(call(exec("a", effect()).set("journal", "a"))["error"]["code"].as_string(),
              "agent.fenced");
    const auto probe = json(R"({"do":"probe","probes":[],"epoch":1})");
    EXPECT_EQ(call(Json(probe).set("journal", "a"))["error"]["code"].as_string(), "agent.fenced");
    EXPECT_EQ(call(exec("a", effect()).set("journal", "b"))["state"].as_string(), "ended");
    const auto hello = call(json(R"({"do":"hello"})"));
    EXPECT_EQ(hello["owners"].items().size(), 1U);
    EXPECT_EQ(hello["owners"].items()[0]["who"].as_string(), "bob@two");
    EXPECT_EQ(hello["protocol"].as_int(), 3);
}

TEST_F(Exec, reads_a_fence_of_an_older_agent) {
    connect();
    call(json(R"({"do":"hello"})"));
    write("state/.fence", "5\n");
    EXPECT_EQ(call(json(R"({"do":"hello"})"))["fence"].as_int(), 5);
    EXPECT_EQ(call(exec("a", effect(), 4))["error"]["code"].as_string(), "agent.fenced");
    EXPECT_EQ(call(exec("a", effect(), 5))["state"].as_string(), "ended");
}

// A displaced conductor is refused on the host itself, also through another agent.
TEST_F(Exec, obeys_no_epoch_lower_than_the_highest_seen) {
    connect();
    EXPECT_EQ(call(json(R"({"do":"fence","epoch":5})"))["fence"].as_int(), 5);
    EXPECT_EQ(call(json(R"({"do":"fence","epoch":3})"))["fence"].as_int(), 5);
    EXPECT_EQ(call(exec("a", effect(), 4))["error"]["code"].as_string(), "agent.fenced");
    connect();
    EXPECT_EQ(call(exec("a", effect(), 4))["error"]["code"].as_string(), "agent.fenced");
    EXPECT_EQ(read("effects"), "");
    EXPECT_EQ(call(exec("a", effect(), 6))["result"]["outcome"].as_string(), "done");
    EXPECT_EQ(call(exec("b", effect(), 5))["error"]["code"].as_string(), "agent.fenced");
}

TEST_F(Exec, ends_a_running_action_when_cancelled) {
    connect();
    ask(exec("a",
             shell("echo '{\"done\":3,\"of\":10,\"unit\":\"files\"}' > $DRYDOCK_PROGRESS;"
                   "echo ran >> "
                   + path("effects") + "; sleep 60")),
        1000);
    wait_until([&] { return !read("effects").empty(); });
    const auto cancel =
        call(json(R"({"do":"cancel","run":"r1","action":"a","attempt":1,"epoch":1})"));
    EXPECT_FALSE(cancel.contains("error")) << cancel.dump();
    const auto ended = answer(1000);
    EXPECT_EQ(ended["result"]["outcome"].as_string(), "unknown");
    EXPECT_TRUE(ended["result"]["cancelled"].as_bool());
    EXPECT_EQ(ended["result"]["evidence"]["progress"],
              json(R"({"done":3,"of":10,"unit":"files"})"));
}

// A mover stops behind its batch. Its word counts only if it was asked to.
TEST_F(Exec, asks_a_command_to_stop_at_a_safe_place) {
    connect();
    const std::string mover = "echo '{\"done\":3,\"of\":10,\"bytes\":7}' > $DRYDOCK_PROGRESS;"
                              "trap 'stops=1' TERM; echo ran > "
                              + path("effects")
                              + "; while [ -z \"$stops\" ]; do sleep 0.05; done; ";
    const std::vector<std::pair<std::string, std::string>> ends = {{"exit 75", "paused"},
                                                                   {"exit 0", "done"},
                                                                   {"exit 1", "unknown"},
                                                                   {"kill -KILL $$", "unknown"},
                                                                   {"sleep 60", "unknown"}};
    for (const auto& [end, outcome] : ends) {
        const std::string action = "a" + std::to_string(&outcome - &ends.front().second);
        Json frame = exec(action, shell(mover + end));
        Json request = frame["request"];
        ask(frame.set("request", request.set("stop_within_ms", 2'000)), 1000);
        wait_until([&] { return !read("effects").empty(); });
        call(json(R"({"do":"cancel","run":"r1","attempt":1,"epoch":1})").set("action", action));
        const Json result = answer(1000)["result"];
        EXPECT_EQ(result["outcome"].as_string(), outcome) << end << result.dump();
        EXPECT_EQ(result["cancelled"].as_bool(), outcome != "done") << end;
        if (outcome == "paused") {
            EXPECT_EQ(result["evidence"]["progress"], json(R"({"done":3,"of":10,"bytes":7})"));
            EXPECT_FALSE(result.contains("error"));
        }
        answers_.erase(1000);
        std::filesystem::remove(path("effects"));
    }
}

TEST_F(Exec, takes_the_exit_code_of_a_pause_for_a_failure_if_it_did_not_ask) {
    connect();
    Json request = shell("exit 75");
    const auto ended = call(exec("a", request.set("stop_within_ms", 2'000)));
    EXPECT_EQ(ended["result"]["outcome"].as_string(), "failed");
}

// A listing that counts, and a large object, move without a further `done`.
TEST_F(Exec, takes_a_new_total_and_new_bytes_for_progress) {
    connect();
    for (const std::string key : {"of", "bytes"}) {
        const std::string moves = "for i in 1 2 3 4 5 6; do echo \"{\\\"done\\\":0,\\\"" + key
                                  + "\\\":$i}\" > $DRYDOCK_PROGRESS.new; mv "
                                    "$DRYDOCK_PROGRESS.new $DRYDOCK_PROGRESS; sleep 0.4; done";
        Json request = json(R"({"kind":"command","stall_ms":1500})");
        request.set("argv", Json(Json::Array{"sh", "-c", moves}));
        const auto ended = call(exec(key, request));
        EXPECT_EQ(ended["result"]["outcome"].as_string(), "done") << ended.dump();
    }
}

// A program that never pauses once kept its supervisor from the deadline and from the cancellation.
TEST_F(Exec, ends_a_command_whose_output_never_pauses) {
    connect();
    const auto yes = json(R"({"kind":"command","argv":["yes"],"timeout_ms":300})");
    const auto late = call(exec("a", yes));
    EXPECT_EQ(late["result"]["error"]["code"].as_string(), "command.timeout");
    EXPECT_FALSE(late["result"].contains("cancelled"));
    ask(exec("b", Json(yes).set("timeout_ms", 60'000)), 1000);
    wait_until([&] { return !read("state/r1/b.1/output").empty(); });
    EXPECT_FALSE(call(json(R"({"do":"cancel","run":"r1","action":"b","attempt":1,"epoch":1})"))
                     .contains("error"));
    EXPECT_TRUE(answer(1000)["result"]["cancelled"].as_bool());
}

// A command that can continue remembers where, over all attempts of its action.
TEST_F(Exec, keeps_a_cursor_for_all_attempts_of_an_action) {
    connect();
    const std::string script = "cat $DRYDOCK_CURSOR; echo next > $DRYDOCK_CURSOR";
    call(exec("copy/m1", shell(script)));
    const auto second = call(exec("copy/m1", shell(script)).set("attempt", 2));
    EXPECT_EQ(second["result"]["evidence"]["output_tail"].as_string(), "next\n");
    const auto other = call(exec("copy/m2", shell("test -e $DRYDOCK_CURSOR")));
    EXPECT_EQ(other["result"]["outcome"].as_string(), "failed");
}

TEST_F(Exec, shows_the_progress_that_a_command_tells) {
    connect();
    const auto ended = call(exec(
        "a",
        shell("echo '{\"done\":1,\"of\":4,\"rate\":0.5,\"unit\":\"GB\"}' > $DRYDOCK_PROGRESS.new;"
              "mv $DRYDOCK_PROGRESS.new $DRYDOCK_PROGRESS; sleep 1.2")));
    ASSERT_EQ(ended["result"]["outcome"].as_string(), "done");
    ASSERT_FALSE(progress_.empty());
    const Json& progress = progress_.begin()->second["progress"];
    EXPECT_EQ(progress["done"], Json(1));
    EXPECT_EQ(progress["rate"], Json(0.5));
    EXPECT_EQ(progress["unit"], Json("GB"));
}

// The file is the command's: nothing in it may break a frame or a screen.
TEST_F(Exec, shows_what_a_command_waits_for_if_it_tells_that_well) {
    const std::string good = R"({"for":"a lock","since_ms":1,"until_ms":2,"remedy":"end it"})";
    for (const auto& [told, shown] :
         std::map<std::string, Json>{{good, json(good)},
                                     {R"({"for":"a lock","other":1})", json(R"({"for":"a lock"})")},
                                     {R"({"since_ms":1})", Json()},
                                     {R"({"for":"a lock","since_ms":"soon"})", Json()},
                                     {R"({"for":")" + std::string(501, 'x') + R"("})", Json()},
                                     {R"("a lock")", Json()}}) {
        write("progress.json", R"({"waits":)" + told + "}");
        EXPECT_EQ(read_reported_progress(folder_)["waits"], shown) << told;
    }
}

// A copy of hours has no useful limit but this one.
TEST_F(Exec, lets_a_command_go_on_while_it_makes_progress) {
    connect();
    const std::string moves = "for i in 1 2 3 4 5 6; do echo \"{\\\"done\\\":$i}\" > "
                              "$DRYDOCK_PROGRESS.new; mv $DRYDOCK_PROGRESS.new "
                              "$DRYDOCK_PROGRESS; sleep 0.4; done; ";
    auto request = json(R"({"kind":"command","stall_ms":1500,"timeout_ms":1})");
    const auto argv = [](const std::string& script) {
        return Json(Json::Array{"sh", "-c", script});
    };
    const auto ended = call(exec("a", request.set("argv", argv(moves))));
    EXPECT_EQ(ended["result"]["outcome"].as_string(), "done") << ended.dump();
    const auto stuck = call(exec("b", request.set("argv", argv(moves + "sleep 60"))));
    EXPECT_EQ(stuck["result"]["outcome"].as_string(), "unknown");
    EXPECT_EQ(stuck["result"]["error"]["code"].as_string(), "command.stalled");
    EXPECT_EQ(stuck["result"]["evidence"]["progress"]["done"].as_int(), 6);
    EXPECT_FALSE(stuck["result"].contains("cancelled"));
    EXPECT_GE(stuck["result"]["evidence"]["duration_ms"].as_int(), 5 * 400 + 1500);
}

TEST_F(Exec, ends_a_command_that_never_tells_progress_at_its_stall_limit) {
    connect();
    const auto ended =
        call(exec("a", json(R"({"kind":"command","argv":["sleep","60"],"stall_ms":400})")));
    EXPECT_EQ(ended["result"]["error"]["code"].as_string(), "command.stalled");
}

// A conductor promises to go on from a place only if a cursor keeps it.
TEST_F(Exec, tells_whether_a_cancelled_action_has_a_cursor) {
    connect();
    for (const std::string action : {"a", "b"}) {
        const std::string mark = action == "a" ? "echo 7 > $DRYDOCK_CURSOR; " : "";
        ask(exec(action, shell(mark + "echo ran > " + path(action) + "; sleep 60")), 1000);
        wait_until([&] { return !read(action).empty(); });
        call(json(R"({"do":"cancel","run":"r1","attempt":1,"epoch":1})").set("action", action));
        EXPECT_EQ(answer(1000)["result"]["evidence"]["cursor"].as_bool(), action == "a");
        answers_.erase(1000);
    }
}

TEST_F(Exec, never_writes_or_tells_a_secret) {
    connect();
    auto frame = exec("a", json(R"({"kind":"command","argv":["sh","-c","echo $PW; echo x$PW >&2"],
                                    "env":{"PW":"${secret:pw}"}})"));
    frame.set("secrets", json(R"({"pw":"hush-hush"})"));
    const auto ended = call(frame);
    EXPECT_EQ(ended["result"]["evidence"]["output_tail"].as_string(), "***\nx***\n");
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_)) {
        const auto text = os::read_file(file.path().string(), 1U << 20U).value_or("");
        EXPECT_EQ(text.find("hush"), std::string::npos) << file.path();
    }
    EXPECT_NE(read("state/r1/a.1/request.json").find("${secret:pw}"), std::string::npos);
    auto unlucky = exec("c", shell("echo ${secret:word}"));
    unlucky.set("secrets", json(R"({"word":"done"})"));
    EXPECT_EQ(call(unlucky)["result"]["outcome"].as_string(), "done");
    const auto missing = call(exec("b", json(R"({"kind":"command","argv":["${secret:no}"]})")));
    EXPECT_EQ(missing["result"]["error"]["code"].as_string(), "agent.secret_missing");
}

TEST_F(Exec, keeps_its_files_private) {
    connect();
    call(exec("a", effect()));
    for (const auto& file : std::filesystem::recursive_directory_iterator(path("state"))) {
        const auto mode = static_cast<unsigned>(file.status().permissions()) & 077U;
        EXPECT_EQ(mode, 0U) << file.path();
    }
    connect();
    std::filesystem::permissions(path("state"), std::filesystem::perms::all);
    connect();
    EXPECT_TRUE(call(json(R"({"do":"hello"})")).is_null());
    EXPECT_NE(ended_->message.find("may be written by others"), std::string::npos);
}

TEST_F(Exec, moves_files_in_portions_and_checks_them) {
    connect();
    const std::string file = "state/.files/f";
    auto put = json(R"({"do":"put","epoch":1,"offset":0,"data":"aGVs"})").set("path", path(file));
    EXPECT_FALSE(call(put).contains("error"));
    EXPECT_FALSE(std::filesystem::exists(path(file)));
    put.set("offset", 3).set("data", "bG8=").set("mode", 0750);
    put.set("last", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    EXPECT_FALSE(call(put).contains("error"));
    EXPECT_EQ(read(file), "hello");
    auto get = json(R"({"do":"get","offset":1,"size":3,"epoch":1})").set("path", path(file));
    const Json got = call(get);
    EXPECT_EQ(got, json(R"({"data":"ZWxs","size":5})").set("n", last_));
    put.set("offset", 9);
    EXPECT_TRUE(call(put).contains("error"));
    EXPECT_EQ(call(exec("a", effect(), 2))["state"].as_string(), "ended");
    EXPECT_EQ(call(get)["error"]["code"].as_string(), "agent.fenced");
}

// Otherwise `.fence` could be replaced, and any file of the user be read.
TEST_F(Exec, moves_no_file_outside_of_its_folders) {
    connect();
    write("secret", "secret");
    for (const char* name : {"secret",
                             "state/.fence",
                             "state/.files/../.fence",
                             "state/.filesx",
                             "state/.files/..",
                             "state/.files"}) {
        auto put = json(R"({"do":"put","epoch":1,"offset":0,"data":"aGVs"})");
        const std::string put_code = call(put.set("path", path(name)))["error"]["code"].as_string();
        EXPECT_TRUE(put_code == "agent.path" || put_code == "agent.bad_request") << name;
        auto get = json(R"({"do":"get","epoch":1})");
        const std::string get_code = call(get.set("path", path(name)))["error"]["code"].as_string();
        EXPECT_TRUE(get_code == "agent.path" || get_code == "agent.bad_request") << name;
    }
    EXPECT_EQ(read("secret"), "secret");
}

}  // namespace
}  // namespace drydock::agent
