// Reading of revision files: the facts that are read, and the refusals with their places.
#include "chain/alembic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::chain {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Revision read(const std::string& text) {
    const RevisionFile file = read_alembic("v/a.py", text);
    for (const Problem& one : file.problems) {
        ADD_FAILURE() << one.file << ":" << one.line << ": " << one.text << "\nof\n" << text;
    }
    EXPECT_TRUE(file.revision) << text;
    return file.revision.value_or(Revision{});
}

std::vector<std::string> parents(const std::string& expression) {
    return read("revision = 'a'\ndown_revision = " + expression + "\n").parents;
}

std::string id(const std::string& expression) {
    return read("down_revision = None\nrevision = " + expression + "\n").id;
}

TEST(Alembic, ReadsWhatItsOwnTemplateWrites) {
    const Revision one = read(R"py("""add a table

Revision ID: 0ff
Revises: wrong
Create Date: 2026-01-01
"""
from alembic import op
import sqlalchemy as sa

# revision identifiers, used by Alembic.
revision: str = "0123456789ab"
down_revision: Union[str, Sequence[str], None] = "ba9876543210"
branch_labels = ("one", "two")
depends_on = None


def upgrade() -> None:
    op.execute("""
revision = 'in a text'
""")
    revision = "local"


def downgrade() -> None:
    op.drop_table("x")
)py");
    EXPECT_EQ(one.id, "0123456789ab");
    EXPECT_EQ(one.line, 11);
    EXPECT_THAT(one.parents, ElementsAre("ba9876543210"));
    EXPECT_THAT(one.labels, ElementsAre("one", "two"));
    EXPECT_THAT(one.depends_on, IsEmpty());
    EXPECT_EQ(one.doc, "add a table");
    EXPECT_EQ(one.way_down, WayDown::real);
}

TEST(Alembic, ReadsEveryFormOfAString) {
    EXPECT_EQ(id("'a'"), "a");
    EXPECT_EQ(id("\"a\""), "a");
    EXPECT_EQ(id("'''a'''"), "a");
    EXPECT_EQ(id("\"\"\"a\"\"\""), "a");
    EXPECT_EQ(id("r'a\\d'"), "a\\d");
    EXPECT_EQ(id("R\"a\""), "a");
    EXPECT_EQ(id("u'a'"), "a");
    EXPECT_EQ(id("f'a'"), "a");
    EXPECT_EQ(id("rf'a'"), "a");
    EXPECT_EQ(id("'a' 'b' \"c\""), "abc");
    EXPECT_EQ(id("('a'\n  # a comment\n  'b')"), "ab");
    EXPECT_EQ(id("'a' \\\n  'b'"), "ab");
    EXPECT_EQ(id("'\\x61\\u0062\\U00000063\\144\\e'"), "abcd\\e");
    EXPECT_EQ(id("'a\\\nb'"), "ab");
    EXPECT_EQ(id("'a'  # Part of: 26.9.0"), "a");
    EXPECT_EQ(id("'a'; x = 1"), "a");
    EXPECT_EQ(id("'größe@#%'"), "größe@#%");
    EXPECT_EQ(id("('a')"), "a");
}

TEST(Alembic, ReadsEveryFormOfParents) {
    EXPECT_THAT(parents("None"), IsEmpty());
    EXPECT_THAT(parents("()"), IsEmpty());
    EXPECT_THAT(parents("'b'"), ElementsAre("b"));
    EXPECT_THAT(parents("'b',"), ElementsAre("b"));
    EXPECT_THAT(parents("'b', 'c'"), ElementsAre("b", "c"));
    EXPECT_THAT(parents("('b',)"), ElementsAre("b"));
    EXPECT_THAT(parents("['b', \"c\",]"), ElementsAre("b", "c"));
    EXPECT_THAT(parents("{'b'}"), ElementsAre("b"));
    EXPECT_THAT(parents("(  # first\n    'b',\n\n    # second\n    'c'  # last\n)"),
                ElementsAre("b", "c"));
    EXPECT_THAT(parents("('b' 'c', ('d'))"), ElementsAre("bc", "d"));
    EXPECT_THAT(parents("None  # type: ignore"), IsEmpty());
}

TEST(Alembic, ReadsUnusualButCertainAssignments) {
    EXPECT_THAT(read("revision, down_revision = 'a', ('b', 'c')\n").parents, ElementsAre("b", "c"));
    EXPECT_EQ(read("revision = x = 'a'\ndown_revision = None\n").id, "a");
    EXPECT_EQ(read("revision = 'a'; down_revision = None; revision = 'b'\n").id, "b");
    EXPECT_EQ(read("\xEF\xBB\xBFrevision = 'a'\r\ndown_revision = None\r\n").id, "a");
    EXPECT_EQ(read("# -*- coding: utf-8 -*-\nrevision = 'a'\rdown_revision = None").id, "a");
    EXPECT_EQ(read("type X = int\nrevision = 'a'\ndown_revision = None\n").id, "a");
    EXPECT_EQ(read("class A:\n    revision = 'b'\nrevision = 'a'\ndown_revision = None\n").id, "a");
    EXPECT_EQ(
        read("from app.revision import thing as other\nrevision = 'a'\ndown_revision = None\n").id,
        "a");
    EXPECT_EQ(read("if True:\n    import x\nrevision = 'a'\ndown_revision = None\n").id, "a");
    EXPECT_EQ(read("revision = 'a'\ndown_revision = None\nprint(revision)\nassert revision == 'a'\n"
                   "if revision:\n    pass\nf(revision='x')\n")
                  .id,
              "a");
    EXPECT_EQ(
        read("def f(revision='x'):\n    revision = 1\nrevision = 'a'\ndown_revision = None\n").id,
        "a");
}

// These lines look like ways to the module's names and are none.
TEST(Alembic, ReadsFilesThatUseTheWordsOtherwise) {
    for (const char* line : {"op.exec('x')",
                             "# globals()",
                             "x = 'globals()'",
                             "def f():\n    setattr(a, 'b', locals())",
                             "def f(down_revision=None):\n    pass",
                             "f(down_revision=['b'])",
                             "from app.modules import x",
                             "gr\xC3\xB6\xC3\x9F"
                             "e = 1",
                             "\xE8\xA1\xA8 = 1",
                             "class A:\n    def __getattr__(self, name):\n        pass",
                             "x = 0 if y else 1",
                             "match x:\n    case 'a':\n        pass",
                             "x = 'a' 'b' if not y else z",
                             "try:\n    import x as y\nexcept (A, B) as e:\n    pass",
                             "async def f():\n    await x\n    async with y as z:\n        pass",
                             "if x:\n\ty = 1\nelse:\n        y = 2"}) {
        EXPECT_EQ(read("revision = 'a'\ndown_revision = ['b']\n" + std::string(line) + "\n").id,
                  "a")
            << line;
    }
}

// f-strings hold quotes, braces and formats. The lines after them must still be found.
TEST(Alembic, FindsItsWayThroughFormattedStrings) {
    for (const char* line : {"f'{a[\"b\"]}'",
                             "f'{a['b']}'",
                             "f'{x:>{w}}{{'",
                             "f'{x!r:^{w}.{p}}'",
                             "rf'\\{x}'",
                             "f'\\N{BULLET} {x}'",
                             "f\"{x:%H:%M'}\"",
                             "f'''{\n  x  # '\n}'''",
                             "f'{f\"{f'''{1}'''}\"}'",
                             "f'{ {1: 2}[1] }'",
                             "f'{x if y else \"}\"}'"}) {
        const std::string text = std::string("def upgrade():\n    op.execute(") + line
                                 + ")\nrevision = 'a'\ndown_revision = None\n";
        EXPECT_EQ(read(text).id, "a") << line;
    }
}

struct Refused {
    const char* text;
    int line;
    const char* reason;
};

constexpr Refused k_refused[] = {
    {"revision = make()\ndown_revision = None\n", 1, "only running"},
    {"revision = f'{x}'\ndown_revision = None\n", 1, "f-string"},
    {"revision = 'a' + 'b'\ndown_revision = None\n", 1, "only running"},
    {"revision = 'a' if x else 'b'\ndown_revision = None\n", 1, "only running"},
    {"revision = 'a'.lower()\ndown_revision = None\n", 1, "only running"},
    {"revision = 'a' % x\ndown_revision = None\n", 1, "only running"},
    {"revision = b'a'\ndown_revision = None\n", 1, "bytes"},
    {"revision = t'a'\ndown_revision = None\n", 1, "template"},
    {"revision = 12\ndown_revision = None\n", 1, "number"},
    {"revision = ''\ndown_revision = None\n", 1, "empty"},
    {"revision = None\ndown_revision = None\n", 1, "no string"},
    {"revision = '\\N{BULLET}'\ndown_revision = None\n", 1, "escape"},
    {"revision = 'a'\ndown_revision = PARENT\n", 2, "only running"},
    {"revision = 'a'\ndown_revision = ('b', PARENT)\n", 2, "only running"},
    {"revision = 'a'\ndown_revision = ('b', None)\n", 2, "something else"},
    {"revision = 'a'\ndown_revision = tuple(['b'])\n", 2, "only running"},
    {"revision = 'a'\ndown_revision = *x,\n", 2, "only running"},
    {"revision = 'a'\n", 0, "no `down_revision`"},
    {"down_revision = 'a'\n", 1, "no `revision`"},
    {"revision = 'a'\ndown_revision = None\nif x:\n    down_revision = 'b'\n", 4, "reached"},
    {"revision = 'a'\ndown_revision = None\nif x: down_revision = 'b'\n", 3, "bound"},
    {"try:\n    revision = 'a'\nexcept E:\n    pass\ndown_revision = None\n", 2, "reached"},
    {"revision = 'a'\ndown_revision = None\ndown_revision += ('b',)\n", 3, "bound"},
    {"revision = 'a'\ndown_revision = None\ndel down_revision\n", 3, "bound"},
    {"revision = 'a'\nfrom x import down_revision\n", 2, "bound"},
    {"revision = 'a'\nfrom x import y as down_revision\n", 2, "bound"},
    {"revision = 'a'\ndown_revision = None\nfrom x import *\n", 3, "import *"},
    {"revision = 'a'\ndown_revision = None\nx = (revision := 'b')\n", 3, "bound"},
    {"revision = 'a'\ndown_revision = None\nfor revision in x:\n    pass\n", 3, "bound"},
    {"revision = 'a'\ndown_revision = None\nwith x as revision:\n    pass\n", 3, "bound"},
    {"revision = 'a'\ndown_revision = None\ndef revision():\n    pass\n", 3, "bound"},
    {"revision = 'a'\ndown_revision = None\ndef f():\n    global revision\n", 4, "bound"},
    {"revision, down_revision = make()\n", 1, "unpacked"},
    {"revision = 'a'\ndown_revision = None\nbranch_labels = (cli.X,)\n", 3, "only running"},
    {"revision = 'a'\ndown_revision = None\ndepends_on = other\n", 3, "only running"},
    {"revision = 'a'\ndown_revision = ['b']\ndown_revision.append('c')\n", 3, "changed"},
    {"revision = 'a'\ndown_revision = ['b']\nf(down_revision)\n", 3, "named again"},
    {"revision = 'a'\ndown_revision = ['b']\nx = y = down_revision\n", 3, "named again"},
    {"revision = 'a'\ndown_revision = ['b']\ndef f():\n    x(1, down_revision)\n", 4, "again"},
    {"revision = 'a'\ndown_revision = 'b'\nglobals()['down_revision'] = 'c'\n", 3, "globals"},
    {"revision = 'a'\ndown_revision = 'b'\nx = globals\n", 3, "globals"},
    {"revision = 'a'\ndown_revision = 'b'\ndef f():\n    x(1, globals())\n", 4, "globals"},
    {"revision = 'a'\ndown_revision = 'b'\nvars().update(revision='c')\n", 3, "vars"},
    {"revision = 'a'\ndown_revision = 'b'\nlocals()['revision'] = 'c'\n", 3, "locals"},
    {"revision = 'a'\ndown_revision = 'b'\nexec('revision = 1')\n", 3, "exec"},
    {"revision = 'a'\ndown_revision = 'b'\nsetattr(me, 'revision', 'c')\n", 3, "setattr"},
    {"revision = 'a'\ndown_revision = 'b'\nx = sys.modules[__name__]\n", 3, "modules"},
    {"revision = 'a'\ndown_revision = 'b'\nfrom sys import modules\n", 3, "modules"},
    {"revision = 'a'\ndown_revision = 'b'\nme.revision = 'c'\n", 3, "changed"},
    {"revision = 'a'\ndown_revision = 'b'\nme = import_module(__name__)\n", 3, "import_module"},
    {"revision = 'a'\ndown_revision = 'b'\ndef __getattr__(name):\n    pass\n", 3, "getattr"},
    {"revision = 'a'\ndown_revision = 'b'\nclass A:\n    global revision\n", 4, "bound"},
    {"revision, down_revision = {'a', 'b'}\n", 1, "unpacked"},
    {"revision = 'a'\ndown_revision = 'b'\n\xEF\xBD\x84own_revision = 'c'\n", 3, "may read"},
    {"raise Exception('no')\nrevision = 'a'\ndown_revision = 'b'\n", 1, "raises"},
    {"revision = 'a'\ndown_revision = 'b'\nsyntax error here\n", 3, "nothing joins"},
    {"revision = 'a'\n  down_revision = 'b'\n", 2, "indent"},
    {"revision = 'a'\ndown_revision = 'b'\ndef f():\nx = 1\n", 4, "no lines"},
    {"revision = 'a'\ndown_revision = 'b'\nif x:\n    y\n  z\n", 5, "fits to no block"},
    {"revision = 'a\ndown_revision = None\n", 1, "does not end"},
    {"revision = ('a'\ndown_revision = None\n", 3, "bracket"},
    {"revision = 'a')\ndown_revision = None\n", 1, "closes nothing"},
    {"revision = 'a'\ndown_revision = None\nx = '\xff'\n", 0, "UTF-8"},
    {"# coding: latin-1\nrevision = '\xe4'\ndown_revision = None\n", 0, "encoding"},
    {"revision = 'a'\ndown_revision = None\n\x01\n", 3, "byte"},
};

TEST(Alembic, RefusesWhatOnlyRunningCouldTellWithItsPlace) {
    for (const Refused& one : k_refused) {
        const RevisionFile file = read_alembic("v/a.py", one.text);
        EXPECT_FALSE(file.revision) << one.text;
        ASSERT_FALSE(file.problems.empty()) << one.text;
        EXPECT_EQ(file.problems.front().file, "v/a.py");
        EXPECT_EQ(file.problems.front().line, one.line) << one.text;
        EXPECT_THAT(file.problems.front().text, HasSubstr(one.reason)) << one.text;
    }
}

TEST(Alembic, AFileWithoutTheNamesIsNoRevision) {
    const RevisionFile file =
        read_alembic("v/helpers.py", "import os\n\ndef f():\n    revision = 'x'\n");
    EXPECT_FALSE(file.revision);
    EXPECT_FALSE(file.declares);
    EXPECT_THAT(file.problems, IsEmpty());
}

WayDown way_down(const std::string& text) {
    return read("revision = 'a'\ndown_revision = None\n" + text).way_down;
}

TEST(Alembic, TellsWhetherTheWayDownDoesAnything) {
    EXPECT_EQ(way_down("def downgrade():\n    op.drop_table('x')\n"), WayDown::real);
    EXPECT_EQ(way_down("def downgrade():\n    pass\n"), WayDown::empty);
    EXPECT_EQ(way_down("def downgrade(): pass\n"), WayDown::empty);
    EXPECT_EQ(way_down("def downgrade() -> None:\n    \"\"\"why\"\"\"\n    # nothing\n    ...\n"),
              WayDown::empty);
    EXPECT_EQ(way_down("def downgrade():\n    return None\n"), WayDown::empty);
    EXPECT_EQ(way_down("def downgrade(): op.drop_table('x')\n"), WayDown::real);
    EXPECT_EQ(way_down("def downgrade():\n    raise NotImplementedError('no')\n"),
              WayDown::refuses);
    EXPECT_EQ(way_down("def downgrade():\n    f()\n    raise E\n"), WayDown::refuses);
    EXPECT_EQ(way_down("def downgrade():\n    if x:\n        raise E\n"), WayDown::real);
    EXPECT_EQ(way_down("def downgrade():\n    if x:\n        f()\n"), WayDown::real);
    EXPECT_EQ(way_down("def upgrade():\n    pass\n"), WayDown::missing);
    EXPECT_EQ(way_down("downgrade = nothing\n"), WayDown::unknown);
    EXPECT_EQ(way_down("if x:\n    def downgrade():\n        f()\n"), WayDown::unknown);
}

}  // namespace

}  // namespace drydock::chain
