// The action `venv` with a stand-in for Python that writes down its arguments.
#include "agent/action.h"
#include "agent/test_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

class Venv : public testing::Test, protected Scratch {
protected:
    void SetUp() override {
        write("pins.txt", "one==1\n");
        // `python -m venv TARGET` copies itself there; other calls are noted, and fail on request.
        write("python",
              fmt::format("#!/bin/sh\necho \"$@\" >>{0}/calls\n"
                          "if [ \"$2\" = venv ]; then mkdir -p $3/bin && cp {0}/python $3/bin/ && "
                          ": >$3/pyvenv.cfg; exit; fi\n"
                          "case \"$*\" in *\"$(cat {0}/fails 2>/dev/null || echo nothing)\"*) "
                          "echo no; exit 1;; esac\n",
                          folder_));
    }

    ActionResult make(const char* key = "timeout_ms", const Json& value = 10000) {
        const ActionContext context = {
            folder_, [](std::string_view text) { return std::string(text); }, [] { return false; }};
        Json request = json(fmt::format(R"({{"kind":"venv","target":"{0}/env","python":"{0}/python",
            "pins":"{0}/pins.txt","check":["bin/python","-c","check"]}})",
                                        folder_));
        return run_typed(request.set(key, value), context);
    }

    static std::string code(const ActionResult& result) {
        return result.error ? result.error->code : "";
    }
};

TEST_F(Venv, is_made_from_its_pins_and_checked) {
    const auto made = make();
    EXPECT_EQ(made.outcome, Outcome::done) << code(made);
    EXPECT_EQ(read("calls"),
              fmt::format("-m venv {0}/env\n-m pip install --no-input --no-deps -r {0}/pins.txt\n"
                          "-c check\n",
                          folder_));
    EXPECT_THAT(read("env/drydock-venv.json"), HasSubstr(R"("state":"made")"));
}

// The first environment of a host: the folder for all of them is not there either.
TEST_F(Venv, is_made_with_the_folders_above_it) {
    const auto made = make("target", folder_ + "/environments/new/env");
    EXPECT_EQ(made.outcome, Outcome::done) << code(made);
    EXPECT_THAT(read("environments/new/env/drydock-venv.json"), HasSubstr(R"("state":"made")"));
}

TEST_F(Venv, comes_from_a_folder_of_wheels_if_there_is_one) {
    EXPECT_EQ(make("wheels", "/srv/wheels").outcome, Outcome::done);
    EXPECT_THAT(read("calls"), HasSubstr("--no-index --find-links /srv/wheels"));
}

TEST_F(Venv, is_only_checked_the_second_time) {
    make();
    write("calls", "");
    EXPECT_EQ(make().outcome, Outcome::done);
    EXPECT_EQ(read("calls"), "-c check\n");
}

TEST_F(Venv, is_made_anew_when_it_was_not_finished) {
    write("fails", "pip");
    EXPECT_EQ(code(make()), "command.failed");
    EXPECT_THAT(read("env/drydock-venv.json"), HasSubstr(R"("state":"making")"));
    write("env/left", "");
    write("fails", "nothing");
    EXPECT_EQ(make().outcome, Outcome::done);
    EXPECT_FALSE(std::filesystem::exists(path("env/left")));
}

TEST_F(Venv, fails_by_its_check_and_not_only_by_pip) {
    write("fails", "check");
    EXPECT_EQ(code(make()), "command.failed");
}

TEST_F(Venv, that_somebody_made_is_checked_and_not_touched) {
    std::filesystem::create_directories(path("env/bin"));
    std::filesystem::copy_file(path("python"), path("env/bin/python"));
    write("env/pyvenv.cfg", "home = /usr/bin\n");
    EXPECT_EQ(make().outcome, Outcome::done);
    EXPECT_EQ(read("calls"), "-c check\n");
    EXPECT_FALSE(std::filesystem::exists(path("env/drydock-venv.json")));
}

TEST_F(Venv, never_takes_a_folder_that_is_something_else) {
    std::filesystem::create_directories(path("env"));
    write("env/precious", "data");
    EXPECT_EQ(code(make()), "venv.strange");
    EXPECT_EQ(read("env/precious"), "data");
}

TEST_F(Venv, made_from_other_pins_is_another_one) {
    make();
    write("pins.txt", "one==2\n");
    EXPECT_EQ(code(make()), "venv.other_pins");
}

TEST_F(Venv, without_pins_has_to_be_there) {
    EXPECT_EQ(code(make("pins", Json())), "venv.missing");
    EXPECT_THAT(read("calls"), Not(HasSubstr("venv")));
}

}  // namespace
}  // namespace drydock::agent
