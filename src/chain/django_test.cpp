// Apps of Django: their labels, their heads, and the causes that make a file unreadable.
#include "chain/explain.h"
#include "chain/graph.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::chain {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string migration(const std::string& dependencies, const std::string& more = "") {
    return "from django.db import migrations\nclass Migration(migrations.Migration):\n"
           "    dependencies = ["
           + dependencies + "]\n" + more + "    operations = []\n";
}

std::string apps_py(const std::string& body) {
    return "from django.apps import AppConfig\nclass A(AppConfig):\n    " + body + "\n";
}

Texts shop() {
    return {{"p/shop/migrations/__init__.py", ""},
            {"p/shop/migrations/0001_initial.py", migration("")},
            {"p/shop/migrations/0002_b.py", migration("('shop', '0001_initial')")}};
}

Reading with(Texts texts, const std::string& path, const std::string& text) {
    texts[path] = text;
    return read_texts("p", std::move(texts));
}

std::string verdict(const Reading& before, const Reading& after) {
    return std::string(name_of(compare(before, after).verdict));
}

TEST(Django, LabelsOfAppsPy) {
    const auto label = [](const std::string& text) {
        const auto found =
            with({{"p/shop/migrations/0001_initial.py", migration("")}}, "p/shop/apps.py", text);
        EXPECT_THAT(found.problems, IsEmpty()) << text;
        return found.graph.revisions.empty() ? "" : found.graph.revisions.front().id;
    };
    EXPECT_EQ(label(apps_py("name = 'p.shop'")), "shop.0001_initial");
    EXPECT_EQ(label(apps_py("name = 'p.store'")), "store.0001_initial");
    EXPECT_EQ(label(apps_py("name = 'p.shop'\n    label: str = \"goods\"")), "goods.0001_initial");
    EXPECT_EQ(label("x = 1\n"), "shop.0001_initial");
    const std::string two =
        apps_py("label = 'one'") + "class B(apps.AppConfig):\n    label = 'two'\n";
    EXPECT_EQ(label(two), "shop.0001_initial");
    EXPECT_EQ(label(two + "    default = True\n"), "two.0001_initial");
    EXPECT_THAT(with(shop(), "p/shop/apps.py", apps_py("label = make()")).problems.front().text,
                HasSubstr("line 3: `label`"));
}

// Read by the folder's name, nothing would join the two files, and the skip would not be seen.
TEST(Django, ALabelThatDiffersFromTheFolder) {
    const Texts old = {{"p/admin/apps.py", apps_py("label = 'padmin'")},
                       {"p/admin/migrations/0001_initial.py", migration("")},
                       {"p/admin/migrations/0002_b.py", migration("('padmin', '0001_initial'),")}};
    Texts next = old;
    next["p/admin/migrations/0001a_x.py"] = migration("('padmin', '0001_initial'),");
    next["p/admin/migrations/0002_b.py"] = migration("('padmin', '0001a_x'),");
    const auto found = compare(read_texts("p", old), read_texts("p", next));
    EXPECT_EQ(found.verdict, Verdict::skipped);
    EXPECT_THAT(found.skipped, ElementsAre("padmin.0001a_x"));
    Texts without = old;
    without.erase("p/admin/apps.py");
    const auto problems = read_texts("p", without).problems;
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems.front().file, "p/admin/migrations/0002_b.py");
    EXPECT_THAT(problems.front().text, HasSubstr("no app in the package has the label padmin"));
}

TEST(Django, EachAppHasItsHead) {
    Texts old = shop();
    old["p/news/migrations/0001_initial.py"] =
        migration("('shop', '0001_initial'), ('auth', '0001')");
    const auto before = read_texts("p", old);
    EXPECT_THAT(before.graph.heads(), ElementsAre("news.0001_initial", "shop.0002_b"));
    const auto after = with(old, "p/shop/migrations/0003_c.py", migration("('shop', '0002_b')"));
    EXPECT_EQ(verdict(before, after), "clean");
    EXPECT_THAT(compare(before, after).runs, ElementsAre("shop.0003_c"));
}

TEST(Django, TwoHeadsOfOneAppStopMigrate) {
    const auto before = read_texts("p", shop());
    const auto after =
        with(shop(), "p/shop/migrations/0002_c.py", migration("('shop', '0001_initial')"));
    const auto found = compare(before, after);
    EXPECT_EQ(found.verdict, Verdict::several_heads);
    const auto words = explain(before, after, found);
    EXPECT_THAT(words.happens, ElementsAre(HasSubstr("Conflicting migrations detected")));
    EXPECT_THAT(words.repairs, ElementsAre(HasSubstr("makemigrations --merge")));
}

TEST(Django, AListOfOneItem) {
    const auto found = read_texts("p", shop());
    EXPECT_THAT(found.problems, IsEmpty());
    EXPECT_THAT(found.graph.find("shop.0002_b")->parents, ElementsAre("shop.0001_initial"));
    for (const char* list :
         {"(('shop', '0002_b'),)", "[\n('shop', '0002_b')\n]", "[['shop', '0002_b']]"}) {
        const auto one = with(shop(),
                              "p/shop/migrations/0003_c.py",
                              fmt::format("class Migration(migrations.Migration):\n"
                                          "    dependencies = {}\n",
                                          list));
        EXPECT_THAT(one.graph.heads(), ElementsAre("shop.0003_c")) << list;
    }
}

// A squash stands beside the replaced migrations, until these are removed.
TEST(Django, ASquashIsNoSecondHead) {
    Texts texts = shop();
    texts["p/shop/migrations/0001_squashed.py"] =
        migration("", "    replaces = [('shop', '0001_initial'), ('shop', '0002_b')]\n");
    EXPECT_THAT(read_texts("p", texts).graph.heads(), ElementsAre("shop.0001_squashed"));
    const auto after = with(texts, "p/shop/migrations/0003_c.py", migration("('shop', '0002_b')"));
    EXPECT_THAT(after.graph.heads(), ElementsAre("shop.0003_c"));
    EXPECT_EQ(verdict(read_texts("p", texts), after), "clean");
}

TEST(Django, RefusesWhatOnlyRunningCouldTell) {
    const std::string whole = migration("('shop', '0002_b')");

    struct Case {
        std::string text;
        int line;
        const char* reason;
    };

    const std::string head = "class Migration(migrations.Migration):\n";
    const Case cases[] = {
        {whole + "Migration.dependencies.append(('shop', '0001_initial'))\n", 5, "named again"},
        {whole + "Migration.dependencies = [('shop', '0001_initial')]\n", 5, "named again"},
        {whole + "Migration = Other\n", 5, "bound again"},
        {whole + "def f():\n    Migration.dependencies.clear()\nf()\n", 6, "named again"},
        {whole + "setattr(Migration, 'dependencies', [])\n", 5, "setattr"},
        {whole + whole, 6, "twice"},
        {head + "    dependencies = []\n    dependencies.append(('shop', '0002_b'))\n",
         3,
         "named again"},
        {head + "    dependencies = []\n    dependencies += [('shop', '0002_b')]\n",
         3,
         "named again"},
        {head + "    dependencies = []\n    if x:\n        dependencies = y\n", 4, "reached"},
        {head + "    dependencies = [('shop', '0002_b')] + X\n", 2, "only running"},
        {"class Base(migrations.Migration):\n    dependencies = [('shop', '0002_b')]\n"
         "class Migration(Base):\n    operations = []\n",
         0,
         "derives from `Base`"},
        {"x = 1\n", 0, "no class `Migration`"}};
    for (const Case& one : cases) {
        const auto found = with(shop(), "p/shop/migrations/0003_c.py", one.text);
        ASSERT_FALSE(found.problems.empty()) << one.text;
        EXPECT_EQ(found.problems.front().file, "p/shop/migrations/0003_c.py");
        EXPECT_EQ(found.problems.front().line, one.line) << one.text;
        EXPECT_THAT(found.problems.front().text, HasSubstr(one.reason)) << one.text;
    }
}

}  // namespace

}  // namespace drydock::chain
