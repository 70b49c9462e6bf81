// Nothing that a host, a pack or a file says acts on a terminal.
#include "cli/screen.h"
#include "cli/visible.h"

#include <gtest/gtest.h>

#include <sstream>

namespace drydock::cli {
namespace {

class Visible : public ::testing::Test {
protected:
    void SetUp() override { set_escape_key("5ec2e7"); }

    void TearDown() override { set_escape_key(""); }
};

TEST_F(Visible, ShowsWhatWouldAct) {
    EXPECT_EQ(visible("a\x1b[2J\x07\x7f\r"), "a\\u001b[2J\\u0007\\u007f\\u000d");
    EXPECT_EQ(visible("\xc2\x9b"
                      "31m"),
              "\\u009b31m");
    EXPECT_EQ(visible("\xe2\x80\xae"
                      "abc\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8"),
              "\\u202eabc\\u2066\\u061c\\u2028");
    EXPECT_EQ(visible("\x9b"
                      "31m\xc2"),
              "\\u009b31m\\u00c2");
}

TEST_F(Visible, LeavesTextAsItIs) {
    EXPECT_EQ(visible("Grüße\tan €uch 🚢\n"), "Grüße\tan €uch 🚢\n");
    EXPECT_EQ(visible(""), "");
}

TEST_F(Visible, PassesOurOwnColoursOnly) {
    const Screen screen = {.color = true};
    EXPECT_EQ(visible(screen.paint(Tone::bad, "no")), "\x1b[1;31mno\x1b[0m");
    EXPECT_EQ(visible(escape("3") + "A"), "\x1b[3A");
    EXPECT_EQ(visible("\x1b[31mno"), "\\u001b[31mno");
    EXPECT_EQ(visible(escape("6") + "n"), "\\u001b5ec2e7[6n");
}

TEST_F(Visible, ShowsNewLinesInOneLine) {
    EXPECT_EQ(one_line("a\nOK all is well"), "a\\nOK all is well");
    Table table;
    table.add({"x\ny", "z"});
    EXPECT_EQ(table.text(0), "x\\ny  z\n");
    EXPECT_EQ(hang("no ", "x\ny", 80), "no x\\ny\n");
}

// A character that is written in two pieces is one character.
TEST_F(Visible, StreamJoinsPieces) {
    std::ostringstream out;
    {
        VisibleStream stream(out);
        stream << "\xc2" << "\x9b" << 'x' << 7 << std::endl;
        EXPECT_EQ(out.str(), "\\u009bx7\n");
        stream << std::string(100'000, 'y') << "\n\x1b";
    }
    EXPECT_EQ(out.str(), "\\u009bx7\n" + std::string(100'000, 'y') + "\n\\u001b");
}

}  // namespace
}  // namespace drydock::cli
