// Which environment of a package is read, and the verdicts on two.
#include "chain/explain.h"
#include "chain/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace drydock::chain {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// "c: a b" is revision c with the parents a and b; "c: a ; b" depends on b besides.
std::string file_of(const std::string& id, const std::string& rest) {
    const auto cut = rest.find(';');
    const auto list = [](std::string words) {
        std::string out = "(";
        for (std::size_t at = 0; at < words.size();) {
            const auto begin = words.find_first_not_of(' ', at);
            if (begin == words.npos) {
                break;
            }
            at = std::min(words.find(' ', begin), words.size());
            out += "'" + words.substr(begin, at - begin) + "', ";
        }
        return out + ")";
    };
    return "\"\"\"makes " + id + "\"\"\"\nrevision = '" + id
           + "'\ndown_revision = " + list(rest.substr(0, cut)) + "\ndepends_on = "
           + list(cut == rest.npos ? "" : rest.substr(cut + 1)) + "\ndef downgrade():\n    f()\n";
}

Reading reading(const std::vector<std::string>& lines) {
    Texts texts = {{"m/env.py", ""}, {"m/script.py.mako", ""}};
    for (const std::string& line : lines) {
        const std::string id = line.substr(0, line.find(':'));
        texts["m/versions/" + id + ".py"] = file_of(id, line.substr(line.find(':') + 1));
    }
    return read_texts("package", std::move(texts));
}

std::string verdict(const Reading& before, const Reading& after) {
    return std::string(name_of(compare(before, after).verdict));
}

TEST(Chain, MoreOnTopIsClean) {
    const auto found = compare(reading({"a:", "b: a"}), reading({"a:", "b: a", "c: b", "d: c"}));
    EXPECT_EQ(found.verdict, Verdict::clean);
    EXPECT_THAT(found.runs, ElementsAre("c", "d"));
    EXPECT_THAT(found.new_heads, ElementsAre("d"));
}

TEST(Chain, ARevisionPutBelowIsSkipped) {
    const Reading before = reading({"a:", "b: a"});
    const Reading after = reading({"a:", "x: a", "b: x", "c: b"});
    const auto found = compare(before, after);
    EXPECT_EQ(found.verdict, Verdict::skipped);
    EXPECT_THAT(found.skipped, ElementsAre("x"));
    EXPECT_THAT(found.skipped_roots, IsEmpty());
    EXPECT_THAT(found.runs, ElementsAre("c"));
    EXPECT_THAT(found.reparented, ElementsAre("b"));
    EXPECT_EQ(found.meeting_point, "a");
    const auto words = explain(before, after, found);
    EXPECT_THAT(words.happens.front(), HasSubstr("runs 1 revision, exits 0"));
    EXPECT_THAT(words.repairs[0], HasSubstr("downgrade a` (1 down)"));
    EXPECT_THAT(words.repairs[1],
                HasSubstr("`alembic stamp --purge a`, `alembic upgrade x`, then "
                          "`alembic stamp --purge b`"));
}

TEST(Chain, ADependencyBelowIsSkippedToo) {
    const auto found = compare(reading({"a:", "b: a"}), reading({"a:", "x:", "b: a ; x"}));
    EXPECT_EQ(found.verdict, Verdict::skipped);
    EXPECT_THAT(found.skipped, ElementsAre("x"));
    EXPECT_THAT(found.skipped_roots, ElementsAre("x"));
}

TEST(Chain, ADependencyMakesNoHead) {
    EXPECT_THAT(reading({"a:", "x:", "b: a ; x"}).graph.heads(), ElementsAre("b", "x"));
    EXPECT_THAT(reading({"a:", "b: a", "c: b ; a"}).graph.heads(), ElementsAre("c"));
}

TEST(Chain, AHeadThatNewDoesNotKnow) {
    const auto found = compare(reading({"a:", "b: a"}), reading({"a:", "c: a"}));
    EXPECT_EQ(found.verdict, Verdict::unknown_head);
    EXPECT_THAT(found.unknown_heads, ElementsAre("b"));
    EXPECT_THAT(found.lost, ElementsAre("b"));
    EXPECT_THAT(found.runs, IsEmpty());
    EXPECT_EQ(found.meeting_point, "a");
}

TEST(Chain, IdsThatAreGone) {
    const auto found = compare(reading({"a:", "b: a", "c: b"}), reading({"c:", "d: c"}));
    EXPECT_EQ(found.verdict, Verdict::lost);
    EXPECT_THAT(found.lost, ElementsAre("a", "b"));
}

// The root of a squashed history counts as skipped, and is said to be a root.
TEST(Chain, ASquashRoot) {
    const auto found = compare(reading({"a:", "b: a", "c: b"}), reading({"s:", "c: s", "d: c"}));
    EXPECT_EQ(found.verdict, Verdict::skipped);
    EXPECT_THAT(found.skipped_roots, ElementsAre("s"));
    EXPECT_THAT(found.lost, ElementsAre("a", "b"));
}

TEST(Chain, SeveralHeads) {
    const auto found = compare(reading({"a:"}), reading({"a:", "b: a", "c: a"}));
    EXPECT_EQ(found.verdict, Verdict::several_heads);
    EXPECT_THAT(found.new_heads, ElementsAre("b", "c"));
    EXPECT_EQ(verdict(reading({"a:", "b: a", "c: a"}), reading({"a:", "b: a", "c: a", "d: b c"})),
              "clean");
}

TEST(Chain, AMergeThatReorders) {
    const auto found = compare(reading({"a:", "b: a"}), reading({"a:", "b: a", "x: a", "m: b x"}));
    EXPECT_EQ(found.verdict, Verdict::clean);
    EXPECT_THAT(found.reordered, ElementsAre("x"));
}

TEST(Chain, AParentThatLiesInNeither) {
    const auto found = compare(reading({"a:"}), reading({"a:", "b: a", "c: gone"}));
    EXPECT_EQ(found.verdict, Verdict::incomplete);
    EXPECT_THAT(found.problems.front().text, HasSubstr("c: its parent gone lies in neither"));
    EXPECT_EQ(found.problems.front().file, "m/versions/c.py");
    EXPECT_EQ(verdict(reading({"a:"}), reading({"a:", "b: a ; gone"})), "incomplete");
    // One that lies in the other package is there.
    EXPECT_EQ(verdict(reading({"a:", "b: a"}), reading({"b: a", "c: b"})), "lost");
}

TEST(Chain, WhatTheDatabaseStandsOn) {
    const Reading before = reading({"a:", "b: a", "c: b"});
    const Reading after = reading({"a:", "b: a", "x: b", "c: x"});
    EXPECT_EQ(compare(before, after, {"c"}).verdict, Verdict::skipped);
    EXPECT_EQ(compare(before, after, {"b"}).verdict, Verdict::clean);
    EXPECT_THAT(compare(before, after, {"b"}).runs, ElementsAre("x", "c"));
    EXPECT_EQ(compare(before, after, {"nowhere"}).verdict, Verdict::unknown_head);
    EXPECT_THAT(compare(before, after, {"nowhere"}).problems.front().text,
                HasSubstr("nowhere, which neither package has"));
    EXPECT_EQ(compare(before, after, {"x"}).verdict, Verdict::refused);
}

TEST(Chain, CirclesAndTwinsAreRefused) {
    EXPECT_EQ(verdict(reading({"a:"}), reading({"a: c", "b: a", "c: b"})), "refused");
    EXPECT_THAT(reading({"r:", "a: r b", "b: a"}).problems.front().text, HasSubstr("own ancestor"));
    EXPECT_THAT(reading({"a: a"}).problems.front().text, HasSubstr("own ancestor"));
    const auto twins = read_texts(
        "p", {{"m/versions/1.py", file_of("a", "")}, {"m/versions/2.py", file_of("a", "")}});
    EXPECT_THAT(twins.problems.front().text, HasSubstr("the id a is there twice"));
}

// Each of these stops alembic itself, or has another meaning on its command line.
TEST(Chain, IdsAndLabelsThatAlembicRefuses) {
    for (const char* id : {"x-y", "x@y", "x+y", "x:y", "head", "heads", "base"}) {
        const auto found =
            read_texts("p", {{"m/env.py", ""}, {"m/versions/1.py", file_of(id, "")}});
        ASSERT_FALSE(found.problems.empty()) << id;
        EXPECT_EQ(found.problems.front().file, "m/versions/1.py");
        EXPECT_EQ(found.problems.front().line, 2);
    }
    for (const char* label : {"'a'", "'b'", "('c', 'c')", "'taken'"}) {
        const auto found = read_texts(
            "p",
            {{"m/versions/a.py", "revision = 'a'\ndown_revision = None\nbranch_labels = 'taken'\n"},
             {"m/versions/b.py",
              std::string("revision = 'b'\ndown_revision = 'a'\nbranch_labels = ") + label}});
        ASSERT_EQ(found.problems.size(), 1U) << label;
        EXPECT_THAT(found.problems.front().text, HasSubstr("a name of"));
    }
    EXPECT_THAT(reading({"größe#%:"}).problems, IsEmpty());
}

TEST(Chain, NothingAndAnEmptyChainAreNoCleanOnes) {
    EXPECT_THAT(read_texts("p", {{"a.txt", ""}}).problems.front().text, HasSubstr("no migrations"));
    const auto empty = reading({});
    EXPECT_THAT(empty.problems.front().text, HasSubstr("m has no revision at all"));
    EXPECT_EQ(verdict(empty, empty), "refused");
}

Texts two_environments() {
    return {{"app/audit.alembic.ini",
             "[alembic]\nscript_location = %(here)s/audit\n"
             "recursive_version_locations = true\n"},
            {"app/db/env.py", ""},
            {"app/db/versions/a.py", file_of("a", "")},
            {"app/audit/env.py", ""},
            {"app/audit/versions/deep/2026/x.py", file_of("x", "")},
            {"app/audit/versions/__init__.py", ""}};
}

TEST(Chain, SeveralEnvironmentsMustBeChosenFrom) {
    EXPECT_THAT(read_texts("p", two_environments()).problems.front().text,
                HasSubstr("app/audit (alembic), app/db (alembic)"));
    for (const char* name : {"app/db", "db", "app/db/versions", "./app/db/"}) {
        const auto found = read_texts("p", two_environments(), name);
        EXPECT_THAT(found.problems, IsEmpty()) << name;
        EXPECT_EQ(found.graph.environment, "app/db");
        EXPECT_THAT(found.graph.heads(), ElementsAre("a"));
    }
    EXPECT_THAT(read_texts("p", two_environments(), "audit").graph.heads(), ElementsAre("x"));
    EXPECT_THAT(read_texts("p", two_environments(), "b").problems.front().text,
                HasSubstr("it has app/audit, app/db"));
}

// One env.py for two databases: each has its folder, and ids may be in both.
TEST(Chain, AFolderBelowAnEnvironmentIsChosenLikeOne) {
    const Texts texts = {{"m/env.py", ""},
                         {"m/versions/sqlite/a.py", file_of("a", "")},
                         {"m/versions/postgresql/a.py", file_of("a", "")},
                         {"m/versions/postgresql/b.py", file_of("b", "a")},
                         {"n/sqlite/env.py", ""},
                         {"n/sqlite/versions/c.py", file_of("c", "")}};
    EXPECT_THAT(read_texts("p", texts, "m").problems.front().text,
                HasSubstr("`--env m/versions/sqlite` reads one folder alone"));
    const auto found = read_texts("p", texts, "versions/postgresql");
    EXPECT_THAT(found.graph.heads(), ElementsAre("b"));
    EXPECT_EQ(found.graph.environment, "m/versions/postgresql");
    EXPECT_THAT(read_texts("p", texts, "versions").problems.front().text,
                HasSubstr("it has 2 environments"));
}

TEST(Chain, VersionLocationsOfTheSettings) {
    const Texts texts = {{"alembic.ini",
                          "[alembic]\nscript_location = app/db\n"
                          "version_locations = %(here)s/app/one %(here)s/app/two/deep\n"},
                         {"app/db/env.py", ""},
                         {"app/db/versions/old.py", file_of("old", "")},
                         {"app/one/a.py", file_of("a", "")},
                         {"app/two/deep/b.py", file_of("b", "a")}};
    const auto found = read_texts("p", texts);
    EXPECT_THAT(found.problems, IsEmpty());
    EXPECT_THAT(found.graph.heads(), ElementsAre("b"));
    EXPECT_THAT(read_texts("p", texts, "app/one").graph.heads(), ElementsAre("a"));
}

// Alembic reads `versions/*.py` and enters no folder there, unless its settings say so.
TEST(Chain, FoldersOfTheLocation) {
    Texts texts = {{"m/env.py", ""},
                   {"m/versions/c.py", file_of("c", "")},
                   {"m/versions/archive/a.py", file_of("a", "")},
                   {"m/versions/archive/b.py", file_of("b", "a")},
                   {"m/versions/tools/x.py", "x = 1\n"}};
    const auto plain = read_texts("p", texts);
    EXPECT_THAT(plain.problems, IsEmpty());
    EXPECT_THAT(plain.graph.heads(), ElementsAre("c"));
    EXPECT_THAT(plain.notes,
                ElementsAre(HasSubstr("2 files look like a revision in "
                                      "m/versions/archive;")));
    texts["m/versions/c.py"] = file_of("c", "b");
    EXPECT_EQ(verdict(read_texts("p", texts), read_texts("p", texts)), "incomplete");
    texts.erase("m/versions/tools/x.py");
    for (const auto& [name, settings] :
         std::map<std::string, std::string>{{"alembic.ini",
                                             "[alembic]\nscript_location = m\n"
                                             "recursive_version_locations = true\n"},
                                            {"pyproject.toml",
                                             "[tool.alembic]\nscript_location = \"%(here)s/m\"\n"
                                             "recursive_version_locations = true  # by year\n"}}) {
        texts[name] = settings;
        EXPECT_THAT(read_texts("p", texts).graph.heads(), ElementsAre("c")) << name;
        EXPECT_EQ(read_texts("p", texts).graph.revisions.size(), 3U) << name;
        texts.erase(name);
    }
    texts["alembic.ini"] = "[alembic]\nscript_location = m\nrecursive_version_locations = yes\n";
    EXPECT_EQ(read_texts("p", texts).graph.revisions.size(), 1U);
}

// The location itself has no files. The chain is empty, and folders below do not fill it.
TEST(Chain, RevisionsInFoldersOfTheLocationAlone) {
    const Texts texts = {{"m/env.py", ""},
                         {"m/versions/2025/a.py", file_of("a", "")},
                         {"m/versions/2026/b.py", file_of("b", "a")}};
    EXPECT_THAT(read_texts("p", texts).problems.front().text,
                HasSubstr("`--env m/versions/2025` or `--env m/versions/2026` reads one folder"));
    EXPECT_THAT(read_texts("p", texts, "m/versions").graph.heads(), ElementsAre("b"));
}

TEST(Chain, VersionLocationsInPyproject) {
    const Texts texts = {{"pyproject.toml",
                          "[tool.other]\nx = 1\n[tool.alembic]\nscript_location = \"app/db\"\n"
                          "version_locations = [\n    \"app/one\",\n    \"app/two\"\n]\n"},
                         {"app/db/env.py", ""},
                         {"app/db/versions/old.py", file_of("old", "")},
                         {"app/one/a.py", file_of("a", "")},
                         {"app/one/older/z.py", file_of("z", "")},
                         {"app/two/b.py", file_of("b", "a")}};
    const auto found = read_texts("p", texts);
    EXPECT_THAT(found.problems, IsEmpty());
    EXPECT_THAT(found.graph.heads(), ElementsAre("b"));
    EXPECT_EQ(found.graph.revisions.size(), 2U);
}

// alembic imports every other Python file of the folder, by any name.
TEST(Chain, NamesThatAlembicPassesOver) {
    Texts texts = {{"m/env.py", ""},
                   {"m/versions/a.py", file_of("a", "")},
                   {"m/versions/__init__.py", ""},
                   {"m/versions/__init__old.py", ""},
                   {"m/versions/.#a.py", file_of("a", "")},
                   {"m/versions/a.pyc", ""}};
    EXPECT_THAT(read_texts("p", texts).problems, IsEmpty());
    for (const char* name : {"setup.py", "conftest.py", "env.py", "test_a.py"}) {
        texts[std::string("m/versions/") + name] = "x = 1\n";
        EXPECT_THAT(read_texts("p", texts).problems.front().file, HasSubstr(name));
        texts.erase(std::string("m/versions/") + name);
    }
}

// Folders beside `versions` count where the chain leads through them.
TEST(Chain, FilesBesideTheLocation) {
    Texts texts = {{"m/env.py", ""},
                   {"m/versions/b.py", file_of("b", "a")},
                   {"m/older/a.py", file_of("a", "")},
                   {"m/helpers.py", "x = 1\n"}};
    EXPECT_THAT(read_texts("p", texts).graph.heads(), ElementsAre("b"));
    texts["m/versions/b.py"] = file_of("b", "");
    EXPECT_EQ(read_texts("p", texts).graph.revisions.size(), 1U);
    texts["m/older/c.py"] = file_of("c", "b");
    EXPECT_THAT(read_texts("p", texts).graph.heads(), ElementsAre("b"));
    EXPECT_THAT(read_texts("p", texts).notes,
                ElementsAre(HasSubstr("2 files beside the location")));
}

TEST(Chain, AnEnvironmentByItsFilesAlone) {
    EXPECT_THAT(read_texts("p", {{"x/revs/a.py", file_of("a", "")}}).graph.environment, "x/revs");
    EXPECT_THAT(read_texts("p", {{"a.py", file_of("a", "")}}).graph.environment, ".");
    EXPECT_THAT(
        read_texts("p", {{"env.py", ""}, {"versions/a.py", file_of("a", "")}}).graph.environment,
        ".");
}

TEST(Chain, AFileWithoutARevisionStopsAlembic) {
    Texts texts = {{"m/env.py", ""}, {"m/versions/a.py", file_of("a", "")}};
    texts["m/versions/tools.py"] = "x = 1\n";
    EXPECT_THAT(read_texts("p", texts).problems.front().text, HasSubstr("no `revision`"));
}

TEST(Chain, ADependencyOnALabel) {
    const Texts texts = {
        {"m/versions/a.py", "revision = 'a'\ndown_revision = None\nbranch_labels = 'base'\n"},
        {"m/versions/b.py", file_of("b", ";base")}};
    const auto found = read_texts("p", texts);
    EXPECT_THAT(found.graph.find("b")->depends_on, ElementsAre("a"));
    EXPECT_EQ(verdict(found, found), "several_heads");
}

TEST(Chain, TheReportHasTheKeysThatAreDocumented) {
    const Reading before = reading({"a:"});
    const Reading after = reading({"a:", "b: a"});
    const auto found = compare(before, after);
    const Json json = report(before, after, found, explain(before, after, found));
    for (const char* key : {"old",
                            "new",
                            "verdict",
                            "skipped",
                            "skipped_roots",
                            "lost",
                            "unknown_heads",
                            "problems",
                            "runs",
                            "reordered",
                            "moved",
                            "database",
                            "meeting_point",
                            "docs",
                            "happens",
                            "repairs",
                            "notes",
                            "way_back"}) {
        EXPECT_TRUE(json.contains(key)) << key;
    }
    EXPECT_EQ(json.find("/new/count")->as_int(), 2);
    EXPECT_EQ(json.find("/new/heads/0")->as_string(), "b");
    EXPECT_EQ(json.find("/new/environment")->as_string(), "m");
    EXPECT_EQ(json.find("/docs/b")->as_string(), "makes b");
    EXPECT_EQ(exit_code_of(Verdict::clean), 0);
    EXPECT_EQ(exit_code_of(Verdict::skipped), 1);
    EXPECT_EQ(exit_code_of(Verdict::refused), 2);
}

}  // namespace

}  // namespace drydock::chain
