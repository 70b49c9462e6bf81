// Broken packs and cluster files: each case is a small edit of the good files in base/ or laws/,
// with every problem that is to be reported. The cases are in *.txt, one block each:
//
//   == misspelt key
//   - pack: etcd
//   + pak: etcd
//   > pack.yaml:1:1  unknown key `pak`; did you mean `pack`?
//
// `-` and `+` lines (several make one text) say what is replaced; no `-` appends. `\xNN` is a byte.
// DRYDOCK_ACCEPT=1 writes the `>` lines anew; read the diff before committing it.
#include "base/text.h"
#include "pack/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace drydock::pack {
namespace {

const std::string k_folder = DRYDOCK_SOURCE_DIR "/tests/bad_input";

// A table of cases, the file that they edit, and the folder of good files.
struct Table {
    std::string name;
    std::string file;
    std::string base = "base";
};

const std::vector<Table> k_tables = {
    {"pack", "pack.yaml"},
    {"yaml", "pack.yaml"},
    {"releases", "releases.yaml"},
    {"procedure", "procedures/upgrade.yaml"},
    {"cluster", "cluster.yaml"},
    {"laws_pack", "pack.yaml", "laws"},
    {"laws_releases", "releases.yaml", "laws"},
    {"laws_procedure", "procedures/upgrade.yaml", "laws"},
    {"laws_cluster", "cluster.yaml", "laws"},
    {"kubernetes_pack", "pack.yaml", "kubernetes"},
    {"kubernetes_procedure", "procedures/upgrade.yaml", "kubernetes"},
    {"kubernetes_cluster", "cluster.yaml", "kubernetes"},
};

struct Case {
    std::string name;
    std::string before;
    std::string after;
    std::string expected;
};

std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream out;
    out << file.rdbuf();
    return out.str();
}

void add_line(std::string& text, const std::string& line) {
    text += (text.empty() ? "" : "\n") + (line.size() > 2 ? line.substr(2) : "");
}

std::vector<Case> read_cases(const std::string& table) {
    std::vector<Case> cases;
    for (const std::string& line : split(read_all(k_folder + "/" + table + ".txt"), '\n')) {
        if (line.substr(0, 3) == "== ") {
            cases.push_back({line.substr(3), "", "", ""});
        } else if (!line.empty() && !cases.empty()) {
            Case& one = cases.back();
            add_line(line[0] == '-' ? one.before : line[0] == '+' ? one.after : one.expected, line);
        }
    }
    return cases;
}

std::string prefixed(const std::string& text, const std::string& prefix) {
    std::string out;
    for (const std::string& line : split(text, '\n')) {
        out += text.empty() ? "" : prefix + line + "\n";
    }
    return out;
}

void write_cases(const std::string& table, const std::vector<Case>& cases) {
    std::ofstream file(k_folder + "/" + table + ".txt");
    for (const Case& one : cases) {
        file << "== " << one.name << "\n"
             << prefixed(one.before, "- ") << prefixed(one.after, "+ ")
             << prefixed(one.expected, "> ") << "\n";
    }
}

std::string with_bytes(const std::string& text) {
    const auto at = text.find("\\x");
    return at == text.npos ? text
                           : text.substr(0, at)
                                 + static_cast<char>(std::stoi(text.substr(at + 2, 2), nullptr, 16))
                                 + text.substr(at + 4);
}

std::map<std::string, std::string> good_files(const std::string& base) {
    std::map<std::string, std::string> files;
    const std::string folder = k_folder + "/" + base;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            const auto name = entry.path().lexically_relative(folder).string();
            files[name] = read_all(entry.path().string());
        }
    }
    return files;
}

std::string edited(std::string text, const Case& one) {
    const auto at = one.before.empty() ? text.size() : text.find(one.before);
    EXPECT_NE(at, text.npos) << one.name << ": the base does not have\n" << one.before;
    return at == text.npos ? text : text.replace(at, one.before.size(), with_bytes(one.after));
}

Diagnostics problems(std::map<std::string, std::string> files, const std::string& file) {
    auto pack = read_pack("/base", files);
    if (file != "cluster.yaml") {
        return pack.diagnostics;
    }
    return read_cluster("/base/cluster.yaml", files.at(file), *pack.value).diagnostics;
}

std::string report(const Diagnostics& diagnostics) {
    std::vector<std::string> lines;
    for (const Diagnostic& one : diagnostics.all()) {
        lines.push_back(one.text());
        // The folder's name says nothing.
        for (auto at = lines.back().find("/base/"); at != std::string::npos;
             at = lines.back().find("/base/")) {
            lines.back().erase(at, std::string_view("/base/").size());
        }
    }
    return join(lines, "\n");
}

class BadInput : public testing::TestWithParam<Table> {};

TEST_P(BadInput, IsToldWithPlaceCauseAndRemedy) {
    const auto& [table, file, base] = GetParam();
    std::vector<Case> cases = read_cases(table);
    EXPECT_GE(cases.size(), 3U);
    for (Case& one : cases) {
        auto files = good_files(base);
        files[file] = edited(files.at(file), one);
        const Diagnostics found = problems(files, file);
        EXPECT_TRUE(found.has_errors()) << one.name;
        for (const Diagnostic& problem : found.all()) {
            EXPECT_GT(problem.position.line, 0) << one.name;
            EXPECT_GT(problem.position.column, 0) << one.name;
            EXPECT_FALSE(problem.suggestion.empty()) << one.name;
        }
        if (std::getenv("DRYDOCK_ACCEPT") == nullptr) {
            EXPECT_EQ(report(found), one.expected) << one.name;
        }
        one.expected = report(found);
    }
    if (std::getenv("DRYDOCK_ACCEPT") != nullptr) {
        write_cases(table, cases);
        GTEST_SKIP() << "recorded anew";
    }
}

INSTANTIATE_TEST_SUITE_P(Tables, BadInput, testing::ValuesIn(k_tables), [](const auto& one) {
    return one.param.name;
});

// A warning is no error: a pack may mean it so.
TEST(BadInputBase, WarnsOfEachMemberThatConvertsTheStoresOfAll) {
    auto files = good_files("laws");
    std::string& procedure = files["procedures/upgrade.yaml"];
    const std::string own = ", own: true";
    procedure.erase(procedure.find(own), own.size());
    const Diagnostics found = problems(files, "procedures/upgrade.yaml");
    EXPECT_FALSE(found.has_errors()) << report(found);
    EXPECT_EQ(report(found),
              "procedures/upgrade.yaml:25:19  warning: each server raises `data` as a whole, and "
              "each has an "
              "instance of its own; write `{raises: data, own: true}`; or let one be told: `on: "
              "{one_of: server}`");
}

// A cluster file may add the release. Without it no hop leaves the series.
TEST(BadInputBase, WarnsOfAPatchThatNoReleaseHas) {
    auto files = good_files("laws");
    std::string& releases = files["releases.yaml"];
    const std::string patch = "at_least_patch: [\"3.4.2";
    releases.replace(releases.find(patch), patch.size(), "at_least_patch: [\"3.4.9");
    const Diagnostics found = problems(files, "releases.yaml");
    EXPECT_FALSE(found.has_errors()) << report(found);
    EXPECT_EQ(
        report(found),
        "releases.yaml:28:23  warning: no release of 3.4 is at least `3.4.92`, so that no hop "
        "leaves that series; name a release that there is, or add the release to `releases`");
}

// A level follows its store. What it is derived from may be told beside that, by the value that the
// members then report.
TEST(BadInputBase, TakesWhatALevelIsDerivedFromBesideItsStoreOnly) {
    auto files = good_files("laws");
    std::string& pack = files["pack.yaml"];
    pack += "  system:\n    highest_format: {type: text, derive: {highest: format}}\n";
    std::string& releases = files["releases.yaml"];
    const std::string level = "level: format";
    releases.replace(releases.find(level), level.size(), "level: highest_format");
    std::string& procedure = files["procedures/upgrade.yaml"];
    const std::string raise = "{raises: data, own: true}";
    const std::string told = ", {becomes: {fact: format, value: \"${to.data}\"}}";
    procedure.insert(procedure.find(raise) + raise.size(), told);
    EXPECT_EQ(report(problems(files, "procedures/upgrade.yaml")), "");
    procedure.erase(procedure.find(raise), raise.size() + 2);
    EXPECT_THAT(
        report(problems(files, "procedures/upgrade.yaml")),
        testing::HasSubstr("`format` tells the level of the store `data`, and no effect says "
                           "what becomes of the store; write `raises: data` or `lowers: "
                           "data` beside it"));
}

// The model does not derive facts. So a step says what becomes of those that laws read.
TEST(BadInputBase, AsksForTheDerivedFactThatALawReads) {
    for (const char* read : {"temporary: true", "binds: writes"}) {
        auto files = good_files("laws");
        files["pack.yaml"] +=
            std::string("  system:\n    all_up: {type: bool, derive: {agreed: up}, ") + read
            + "}\n";
        std::string& procedure = files["procedures/upgrade.yaml"];
        const std::string good = "{becomes: {fact: noout, value: true}}";
        const std::string told = ", {becomes: {fact: up, role: proxy, value: true}}";
        procedure.insert(procedure.find(good) + good.size(), told);
        EXPECT_EQ(report(problems(files, "procedures/upgrade.yaml")),
                  "procedures/upgrade.yaml:10:58  `all_up` follows from `up`, and no effect says "
                  "what it becomes; add `{becomes: {fact: all_up, value: ...}}`");
        procedure.insert(procedure.find(good), "{becomes: {fact: all_up, value: true}}, ");
        EXPECT_EQ(report(problems(files, "procedures/upgrade.yaml")), "");
    }
}

TEST(BadInputBase, IsGood) {
    for (const char* base : {"base", "laws", "kubernetes"}) {
        const auto files = good_files(base);
        const auto pack = read_pack("/base", files);
        EXPECT_EQ(report(pack.diagnostics), "");
        ASSERT_TRUE(pack.value);
        const auto cluster =
            read_cluster("/base/cluster.yaml", files.at("cluster.yaml"), *pack.value);
        EXPECT_EQ(report(cluster.diagnostics), "");
    }
}

// Cut anywhere, the files must give a report (or be good), never a crash.
TEST(BadInputBase, SurvivesEveryTruncation) {
    for (const char* base : {"base", "laws", "kubernetes"}) {
        const auto files = good_files(base);
        for (const char* name : {"pack.yaml", "releases.yaml", "procedures/upgrade.yaml"}) {
            for (std::size_t size = 0; size < files.at(name).size(); size += 41) {
                auto cut = files;
                cut[name].resize(size);
                const auto loaded = read_pack("/base", cut);
                EXPECT_NE(loaded.value.has_value(), loaded.diagnostics.has_errors());
            }
        }
        const auto pack = read_pack("/base", files);
        const std::string& cluster = files.at("cluster.yaml");
        for (std::size_t size = 0; size < cluster.size(); size += 7) {
            const auto loaded =
                read_cluster("/base/cluster.yaml", cluster.substr(0, size), *pack.value);
            EXPECT_NE(loaded.value.has_value(), loaded.diagnostics.has_errors());
        }
    }
}

}  // namespace
}  // namespace drydock::pack
