// The way of the agent to a host: what is copied, what is refused, and what a person is told. A
// script in the place of ssh runs the command in a shell of this machine.
#include "agent/test_world.h"
#include "base/hash.h"
#include "os/clock.h"
#include "transport/ssh/explain.h"
#include "transport/ssh/ssh.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::transport {
namespace {

namespace fs = std::filesystem;

class Ssh : public testing::Test, protected agent::Scratch {
protected:
    Ssh() {
        fs::create_directories(path("bin"));
        write("bin/ssh", "#!/bin/sh\nfor command; do :; done\nexec sh -c \"$command\"\n");
        // Speaks as an agent does. Without arguments it ends with 2, as the real one does.
        write("agent", "#!/bin/sh\n[ $# -gt 0 ] || exit 2\necho drydock-agent 1; cat; exit 0\n");
        set_path(path("bin") + ":" + search_path_);
    }

    ~Ssh() override { set_path(search_path_); }

    // Puts a program before those of the machine.
    void shadow(const std::string& name, const std::string& script) const {
        write("bin/" + name, "#!/bin/sh\n" + script + "\n");
    }

    // Returns the error of a conversation; empty after an echo of a frame.
    Error talk() {
        SshTransport transport(path("agent"));
        auto talk = transport.open({"alpha", {"ssh:", "alpha"}, become_, "", path("state")});
        if (!talk) {
            return talk.error();
        }
        EXPECT_TRUE((*talk)->send(Json::Object{{"n", 7}}));
        os::RealClock clock;
        const auto until = clock.monotonic_ms() + 60'000;
        while (clock.monotonic_ms() < until) {
            transport.wait({talk->get()}, 1000);
            const auto frames = (*talk)->receive();
            if (!frames) {
                return frames.error();
            }
            if (!frames->empty()) {
                EXPECT_EQ(frames->front()["n"].as_int(), 7);
                return {};
            }
        }
        return {"test.late", "nothing came", "", ErrorClass::permanent};
    }

    std::vector<std::string> agents() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(path("state/.agents"))) {
            names.push_back(entry.path().filename());
        }
        return names;
    }

    [[nodiscard]] std::string agent_name() const {
        return "drydock-agent-" + sha256_hex(read("agent"));
    }

    static void set_path(const std::string& text) {
        ::setenv("PATH", text.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
    }

    std::string search_path_ = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe)
    std::vector<std::string> become_;
};

TEST_F(Ssh, an_agent_is_copied_once) {
    EXPECT_EQ(talk().text(), Error().text());
    EXPECT_EQ(agents(), std::vector{agent_name()});
    const auto written = fs::last_write_time(path("state/.agents/" + agent_name()));
    EXPECT_EQ(talk().code, "");
    EXPECT_EQ(fs::last_write_time(path("state/.agents/" + agent_name())), written);
}

TEST_F(Ssh, a_changed_agent_is_replaced_and_an_old_one_goes) {
    EXPECT_EQ(talk().code, "");
    write("state/.agents/drydock-agent-0123", "old");
    const std::string good = read("agent");
    write("state/.agents/" + agent_name(), "#!/bin/sh\necho stolen; exit 2\n");
    EXPECT_EQ(talk().code, "");
    EXPECT_EQ(agents(), std::vector{agent_name()});
    EXPECT_EQ(read("state/.agents/" + agent_name()), good);
}

TEST_F(Ssh, a_link_in_the_place_of_the_agent_is_not_followed) {
    EXPECT_EQ(talk().code, "");
    write("elsewhere", read("agent"));
    fs::remove(path("state/.agents/" + agent_name()));
    fs::create_symlink(path("elsewhere"), path("state/.agents/" + agent_name()));
    EXPECT_EQ(talk().code, "");
    EXPECT_FALSE(fs::is_symlink(path("state/.agents/" + agent_name())));
    fs::remove_all(path("state/.agents"));
    fs::create_directory(path("away"));
    fs::create_directory_symlink(path("away"), path("state/.agents"));
    EXPECT_EQ(talk().code, "ssh.owner");
    EXPECT_TRUE(fs::is_empty(path("away")));
}

TEST_F(Ssh, each_reason_why_no_agent_can_be_there_has_a_name) {
    shadow("uname", "echo s390x");
    EXPECT_EQ(talk().code, "ssh.machine");
    EXPECT_FALSE(fs::exists(path("state")));
    fs::remove(path("bin/uname"));
    shadow("head", "cat >/dev/null & echo short; exit 0");
    EXPECT_EQ(talk().code, "ssh.copy");
    fs::remove(path("bin/head"));
    write("agent", "#!/bin/sh\nexit 126\n");  // as from a file system without exec
    EXPECT_EQ(talk().code, "ssh.noexec");
    EXPECT_TRUE(agents().empty());
    fs::remove_all(path("state"));
    write("state", "a file");
    EXPECT_EQ(talk().code, "ssh.state");
}

TEST_F(Ssh, a_banner_is_skipped_and_bounded) {
    shadow("ssh", "echo; echo Welcome; for command; do :; done; exec sh -c \"$command\"");
    EXPECT_EQ(talk().code, "");
    shadow("ssh", "exec yes Welcome");
    const Error endless = talk();
    EXPECT_EQ(endless.code, "ssh.banner");
    EXPECT_NE(endless.message.find("Welcome"), std::string::npos) << endless.message;
    shadow("ssh", "exec cat /dev/zero");
    EXPECT_EQ(talk().code, "ssh.banner");
}

TEST_F(Ssh, what_was_not_asked_is_refused) {
    for (const char* words : {"give", "have more", "error"}) {
        shadow("ssh", fmt::format("echo drydock-bootstrap 1 {}; exec sleep 60", words));
        EXPECT_EQ(talk().code, "ssh.bootstrap") << words;
    }
    shadow("ssh", "echo drydock-bootstrap 1 need; echo drydock-bootstrap 1 need; exec sleep 60");
    EXPECT_EQ(talk().code, "ssh.bootstrap");
}

// The folder's name and the words of `become` pass two shells unchanged.
TEST_F(Ssh, words_reach_the_host_as_they_are) {
    become_ = {"env",
               "TOLD=a b'c\"d$e",
               "sh",
               "-c",
               "echo \"$TOLD\" >'" + path("told") + "'; exec \"$@\"",
               "-"};
    EXPECT_EQ(talk().code, "");
    EXPECT_EQ(read("told"), "a b'c\"d$e\n");
}

TEST_F(Ssh, a_name_is_no_option_and_an_agent_must_be_there) {
    SshTransport transport(path("none"));
    const auto open = [&](const std::string& name) {
        return transport.open({"alpha", {"ssh:", name}, {}, "", path("state")}).error().code;
    };
    EXPECT_EQ(open("-oProxyCommand=x"), "ssh.name");
    EXPECT_EQ(open("alpha"), "ssh.no_agent");
}

TEST(SshEnds, known_last_words_have_a_code_and_a_remedy) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"No ED25519 host key is known for a and you have requested strict checking.\nHost key "
         "verification failed.",
         "ssh.host_key"},
        {"@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
         "ssh.host_key_changed"},
        {"me@a: Permission denied (publickey).", "ssh.denied"},
        {"sudo: a password is required", "ssh.become"},
        {"ssh: Could not resolve hostname a: Name or service not known", "ssh.unknown_host"},
        {"ssh: connect to host a port 22: Connection refused", "ssh.unreachable"},
        {"ssh: connect to host a port 22: Connection timed out", "ssh.unreachable"},
        {"Killed", "transport.ended"},
    };
    for (const auto& [words, code] : cases) {
        const Error ended = {"transport.ended", "it ended", "", ErrorClass::transient};
        const Error told = explain_ssh_end("alpha", ended, words);
        EXPECT_EQ(told.code, code) << words;
        EXPECT_NE(told.remedy.find("alpha"), std::string::npos) << told.remedy << " for " << words;
    }
}

}  // namespace
}  // namespace drydock::transport
