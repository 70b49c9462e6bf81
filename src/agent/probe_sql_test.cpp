// The probe `sql` against a stand-in for psql that reports its arguments.
#include "agent/probe.h"
#include "agent/test_world.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::agent {
namespace {

using testing::HasSubstr;
using Status = model::ObservationStatus;

class SqlProbe : public testing::Test, protected Scratch {
protected:
    // The client's output, as a format of printf(1), and its exit status.
    void answer(const std::string& printed, int exit = 0) {
        write("psql",
              fmt::format(
                  "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; env; }} >{}/called\nprintf '{}'\nexit {}\n",
                  folder_,
                  printed,
                  exit));
    }

    ProbeResult ask(const std::string& type = "integer") {
        return convert(probe_sql(json(fmt::format(
                                     R"({{"client":"{0}/psql","host":"db","port":"5433","user":"u",
                "database":"d","query":"select 1","type":"{1}","env":{{"PGPASSFILE":"/p"}}}})",
                                     folder_,
                                     type)),
                                 5000),
                       type);
    }
};

TEST_F(SqlProbe, reads_the_only_row) {
    answer("42\\000");
    const auto finding = ask();
    EXPECT_EQ(finding.status, Status::known);
    EXPECT_EQ(finding.value, Json(42));
    EXPECT_EQ(finding.evidence["source"].as_string(), "select 1 of d at db:5433");
}

TEST_F(SqlProbe, is_read_only_limited_and_known_by_its_name) {
    answer("1\\000");
    ask();
    const auto called = read("called");
    for (const char* part :
         {"-XAtq0w",
          "--host=db",
          "--port=5433",
          "--username=u",
          "--dbname=d",
          "--command=select 1",
          "PGPASSFILE=/p",
          "PGAPPNAME=drydock",
          "PGOPTIONS=-c default_transaction_read_only=on -c statement_timeout=5000"}) {
        EXPECT_THAT(called, HasSubstr(part));
    }
}

TEST_F(SqlProbe, tells_no_row_and_null_from_an_empty_text) {
    answer("");
    EXPECT_EQ(ask("text").status, Status::absent);
    answer("\\001\\000");
    EXPECT_EQ(ask("text").status, Status::absent);
    answer("\\000");
    const auto empty = ask("text");
    EXPECT_EQ(empty.status, Status::known);
    EXPECT_EQ(empty.value, Json(""));
}

TEST_F(SqlProbe, gives_all_rows_only_to_a_list) {
    answer("a\\nb\\000c\\000");
    EXPECT_EQ(ask("list").value, Json(Json::Array{"a\nb", "c"}));
    const auto one = ask("text");
    EXPECT_EQ(one.status, Status::unknown);
    EXPECT_THAT(one.evidence["problem"].as_string(), HasSubstr("2 rows"));
}

TEST_F(SqlProbe, tells_nothing_when_the_server_says_no) {
    answer("could not connect", 2);
    const auto finding = ask();
    EXPECT_EQ(finding.status, Status::unknown);
    EXPECT_THAT(finding.evidence["problem"].as_string(), HasSubstr("could not connect"));
}

class ScriptProbe : public testing::Test, protected Scratch {
protected:
    static ProbeResult ask(const std::string& digest) {
        return probe_command(json(fmt::format(R"({{"argv":["sh","${{script}}","b"],
            "script":{{"name":"say.sh","content":"echo a $1","sha256":"{}"}}}})",
                                              digest)),
                             5000);
    }
};

TEST_F(ScriptProbe, runs_a_script_of_the_pack) {
    const auto said = ask("3cdeac36206cb22b44a5709003f7768103773e9d7dc55f3fa4101134a4ff02dd");
    EXPECT_EQ(said.status, Status::known);
    EXPECT_EQ(said.value, Json("a b"));
}

TEST_F(ScriptProbe, runs_no_other) {
    const auto said = ask(std::string(64, '0'));
    EXPECT_EQ(said.status, Status::unknown);
    EXPECT_THAT(said.evidence["problem"].as_string(), HasSubstr("not the one of the pack"));
}

}  // namespace
}  // namespace drydock::agent
