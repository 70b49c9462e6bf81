// Version schemes, and routes over an imported graph beside a plain search.
#include "updates/openshift.h"
#include "updates/scheme.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>
#include <random>
#include <regex>
#include <set>

namespace drydock::updates {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;

void expect_rising(Scheme scheme, const std::vector<std::string>& versions) {
    for (std::size_t i = 0; i < versions.size(); ++i) {
        EXPECT_TRUE(is_version(scheme, versions[i])) << versions[i];
        for (std::size_t j = 0; j < versions.size(); ++j) {
            const int order = compare(scheme, versions[i], versions[j]);
            EXPECT_EQ(order < 0   ? -1
                      : order > 0 ? 1
                                  : 0,
                      i < j   ? -1
                      : i > j ? 1
                              : 0)
                << versions[i] << " and " << versions[j];
        }
    }
}

TEST(Schemes, Semver) {
    expect_rising(Scheme::semver,
                  {"1.0.0-alpha",
                   "1.0.0-alpha.1",
                   "1.0.0-alpha.beta",
                   "1.0.0-beta",
                   "1.0.0-beta.2",
                   "1.0.0-beta.11",
                   "1.0.0-rc.1",
                   "1.0.0",
                   "1.0.9",
                   "1.0.10",
                   "4.9.0",
                   "4.10.0-fc.0",
                   "4.10.0"});
    EXPECT_EQ(compare(Scheme::semver, "4.1.0+a", "4.1.0+b"), 0);
    EXPECT_FALSE(is_version(Scheme::semver, "4.1"));
}

// The order of the scheme's own page, and several spellings of one version.
TEST(Schemes, Pep440) {
    expect_rising(Scheme::pep440, {"1.dev0",        "1.0.dev456",
                                   "1.0a1.dev1",    "1.0a1",
                                   "1.0a2.dev456",  "1.0a12.dev456",
                                   "1.0a12",        "1.0b1.dev456",
                                   "1.0b2",         "1.0b2.post345.dev456",
                                   "1.0b2.post345", "1.0rc1.dev456",
                                   "1.0rc1",        "1.0",
                                   "1.0+abc.5",     "1.0+abc.7",
                                   "1.0+5",         "1.0.post456.dev34",
                                   "1.0.post456",   "1.0.15",
                                   "1.1.dev1",      "23.3.12",
                                   "23.9.0",        "2!0.1"});
    for (const auto& [a, b] :
         std::vector<std::pair<const char*, const char*>>{{"24.03.0", "24.3"},
                                                          {"1.0alpha1", "1.0.a.1"},
                                                          {"1.0-1", "1.0.post1"},
                                                          {"v1.0", "1.0.0"},
                                                          {"1.0c1", "1.0rc1"}}) {
        EXPECT_EQ(compare(Scheme::pep440, a, b), 0) << a << " and " << b;
    }
    EXPECT_FALSE(is_version(Scheme::pep440, "1.0-abc"));
}

TEST(Schemes, Debian) {
    expect_rising(Scheme::debian,
                  {"1.0~~",
                   "1.0~~a",
                   "1.0~",
                   "1.0",
                   "1.0-1~bpo1",
                   "1.0-1",
                   "1.0-1+b1",
                   "1.0-2",
                   "1.0-10",
                   "1.0a",
                   "1.0+dfsg-1",
                   "1.2.3",
                   "1:0.1"});
    EXPECT_EQ(compare(Scheme::debian, "1.00-01", "1.0-1"), 0);
    EXPECT_FALSE(is_version(Scheme::debian, "a:1.0"));
}

TEST(OpenShift, ChannelsAndBlockedEdges) {
    const GraphFiles files = {
        {"channels/stable-4.2.yaml",
         "name: stable-4.2\nversions:\n- 4.1.9\n- 4.1.10\n- 4.2.0\n- 4.2.1\n"},
        {"channels/stable-4.3.yaml", "name: stable-4.3\nversions:\n- 4.2.1\n- 4.3.0\n"},
        {"blocked-edges/4.2.0.yaml", "to: 4.2.0\nfrom: 4[.]1[.].*\n"},
        {"blocked-edges/4.3.0-risk.yaml",
         "to: 4.3.0\nfrom: ^4[.]2[.][0-9]*[+].*$\nname: Risk\nmessage: |-\n  It may.\n  More.\n"
         "matchingRules:\n- type: Always\n"}};
    const auto found = read_openshift(files);
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_THAT(found->graph.versions(), ElementsAre("4.1.9", "4.1.10", "4.2.0", "4.2.1", "4.3.0"));
    EXPECT_EQ(found->rules, 2U);
    EXPECT_THAT(found->graph.shortest_route(0, 3), ElementsAre(3));
    EXPECT_THAT(found->graph.shortest_route(0, 2), ElementsAre());
    EXPECT_THAT(found->graph.shortest_route(3, 4), ElementsAre());
    const auto objections = found->objections(3, 4);
    ASSERT_EQ(objections.size(), 1U);
    EXPECT_EQ(objections[0]->name, "Risk");
    EXPECT_EQ(objections[0]->message, "It may.");
    EXPECT_EQ(objections[0]->condition, "Always");
    EXPECT_THAT(found->objections(1, 2).front()->file, "blocked-edges/4.2.0.yaml");
}

TEST(OpenShift, BuildsForTwoMachinesAreTwoReleases) {
    const auto found =
        read_openshift({{"channels/a.yaml", "versions: [4.2.0+s390x, 4.2.0+amd64, 4.2.1, 4.2.1]\n"},
                        {"blocked-edges/b.yaml", "to: 4.2.1\nfrom: ^4[.]2[.]0[+]amd64$\n"}});
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_THAT(found->graph.versions(), ElementsAre("4.2.0+amd64", "4.2.0+s390x", "4.2.1"));
    EXPECT_FALSE(found->graph.is_allowed(0, 2));
    EXPECT_TRUE(found->graph.is_allowed(1, 2));
}

TEST(OpenShift, BadFilesAreRefusedWithTheirPlace) {
    EXPECT_THAT(read_openshift({{"channels/a.yaml", "versions:\n- 4.x\n"}}).error().message,
                HasSubstr("channels/a.yaml:2:3"));
    EXPECT_THAT(read_openshift({{"channels/a.yaml", "versions: [4.1.0]\n"},
                                {"blocked-edges/b.yaml", "to: 4.1.0\nfrom: '4[.'\n"}})
                    .error()
                    .message,
                AllOf(HasSubstr("blocked-edges/b.yaml:2:7"), HasSubstr("no pattern")));
    for (const char* pattern : {"(?=4)", "(4)\\1", "4.11.*+*"}) {
        EXPECT_THAT(read_openshift(
                        {{"channels/a.yaml", "versions: [4.1.0]\n"},
                         {"blocked-edges/b.yaml", fmt::format("to: 4.1.0\nfrom: '{}'\n", pattern)}})
                        .error()
                        .message,
                    HasSubstr("no pattern"))
            << pattern;
    }
    EXPECT_THAT(read_openshift({{"channels/a.yaml", "versions: [4.1.0]\n"},
                                {"blocked-edges/b.yaml", "to: 4.1\nfrom: .*\n"}})
                    .error()
                    .message,
                HasSubstr("blocked-edges/b.yaml:1:5"));
    EXPECT_FALSE(load_openshift("/nonexistent"));
}

// Returns true if the pattern blocks the edge from the version to 4.12.3.
bool blocks(const std::string& pattern, const std::string& from) {
    const auto found = read_openshift(
        {{"channels/a.yaml", fmt::format("versions: ['{}', 4.12.3]\n", from)},
         {"blocked-edges/b.yaml", fmt::format("to: 4.12.3\nfrom: '{}'\n", pattern)}});
    EXPECT_TRUE(found) << found.error().text();
    return found && !found->graph.is_allowed(0, 1);
}

// POSIX knows none of these classes and groups; read as POSIX they would block nothing, in silence.
TEST(OpenShift, PatternsHaveTheSyntaxOfTheDatasServer) {
    for (const char* pattern : {"4\\.11\\.\\d+",
                                "4[.]11[.](?:1|5)",
                                "4[.]11[.]\\d*[+].*",
                                "(?i)4[.]11.*",
                                "4[.]11[.].*?",
                                "\\A4[.]11.*",
                                "4[.]11[.]\\w+",
                                "4\\.11\\.1",
                                "^4[.]11[.]5[+]amd64$"}) {
        EXPECT_TRUE(blocks(pattern, "4.11.5") || blocks(pattern, "4.11.1")) << pattern;
    }
    EXPECT_TRUE(blocks("4\\.11\\.1[12]", "4.11.12"));
    EXPECT_FALSE(blocks("^4[.]11[.]5$", "4.11.5"));  // a machine follows
    EXPECT_FALSE(blocks("4[.]11[.]\\d$", "4.11.5"));
}

// An edge without machine is for the builds of all machines, as the server has it.
TEST(OpenShift, EdgesNameMachinesOrMeanAll) {
    const auto leaves = [](const std::string& to) {
        const auto found = read_openshift(
            {{"channels/a.yaml", "versions: [4.1.0, 4.2.1+amd64, 4.2.1+s390x, 4.2.2]\n"},
             {"blocked-edges/b.yaml", "from: .*\nto: " + to + "\n"}});
        EXPECT_TRUE(found) << found.error().text();
        std::string left;
        for (std::size_t i = 1; i < 4; ++i) {
            left += found->graph.is_allowed(0, i) ? found->graph.versions()[i] + " " : "";
        }
        return left;
    };
    EXPECT_EQ(leaves("4.2.1"), "4.2.2 ");
    EXPECT_EQ(leaves("4.2.1+s390x"), "4.2.1+amd64 4.2.2 ");
    EXPECT_EQ(leaves("4.2.1-s390x"), "4.2.1+amd64 4.2.2 ");
    EXPECT_EQ(leaves("4.2.2+amd64"), "4.2.1+amd64 4.2.1+s390x ");
    EXPECT_EQ(leaves("4.2.2+arm64"), "4.2.1+amd64 4.2.1+s390x 4.2.2 ");
}

// The data's server passes over such a file; a rule in it would be lost in silence.
TEST(OpenShift, FilesOfAnotherEndingAreRefused) {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / fmt::format("drydock_updates_{}", getpid());
    fs::create_directories(folder / "channels");
    fs::create_directories(folder / "blocked-edges");
    std::ofstream(folder / "channels/a.yaml") << "versions: [4.1.0, 4.1.1]\n";
    std::ofstream(folder / "channels/_OWNERS") << "nobody\n";
    EXPECT_TRUE(load_openshift(folder.string()));
    std::ofstream(folder / "blocked-edges/b.yml") << "to: 4.1.1\nfrom: .*\n";
    const auto found = load_openshift(folder.string());
    fs::remove_all(folder);
    ASSERT_FALSE(found);
    EXPECT_THAT(found.error().message, HasSubstr("blocked-edges/b.yml"));
}

// Returns a folder like the public one: 1,383 versions in 24 minors, and 1,717 blocked edges. Some
// are for all versions, some for a minor, some for a range of patches.
GraphFiles generated() {
    std::mt19937 random(20261129);
    const auto below = [&](std::size_t end) { return random() % end; };
    GraphFiles files;
    std::vector<std::string> before;
    std::vector<std::string> all;
    for (int minor = 1; minor <= 24; ++minor) {
        std::vector<std::string> own;
        const std::size_t count = minor == 24 ? 1383 - all.size() : 58;
        for (std::size_t patch = 0; patch < count; ++patch) {
            own.push_back(patch < 4 ? fmt::format("4.{}.0-rc.{}", minor, patch)
                                    : fmt::format("4.{}.{}", minor, patch - 4));
        }
        for (const char* kind : {"stable", "fast"}) {
            std::string text = fmt::format("name: {}-4.{}\nversions:\n", kind, minor);
            for (const auto* list : {&before, &own}) {
                for (const std::string& version : *list) {
                    text += kind[0] == 'f' || below(3) > 0 ? "- " + version + "\n" : "";
                }
            }
            files[fmt::format("channels/{}-4.{}.yaml", kind, minor)] = text;
        }
        all.insert(all.end(), own.begin(), own.end());
        before = own;
    }
    for (int rule = 0; rule < 1717; ++rule) {
        const std::string& to = all[below(all.size())];
        const int minor = std::stoi(to.substr(2));
        const std::string patterns[] = {
            ".*",
            fmt::format("4[.]{}[.].*", minor - 1),
            fmt::format("4\\.{}\\..*", minor),
            fmt::format("^4[.]({}[.](1?[0-9]|2[0-4])|{}[.].*)[+].*$", minor - 1, minor)};
        std::string text = fmt::format("to: {}\nfrom: {}\n", to, patterns[below(4)]);
        text += below(3) > 0 ? "name: R\nmatchingRules:\n- type: Always\n" : "";
        files[fmt::format("blocked-edges/{}-{}.yaml", to, rule)] = text;
    }
    return files;
}

// The same rules, read off the texts once more, without bits, RE2 or caches.
std::vector<std::vector<std::size_t>> plain_edges(const GraphFiles& files,
                                                  const std::vector<std::string>& versions) {
    std::map<std::string, std::size_t> at;
    for (std::size_t i = 0; i < versions.size(); ++i) {
        at[versions[i]] = i;
    }
    std::set<std::pair<std::size_t, std::size_t>> edges;
    for (const auto& [path, text] : files) {
        std::istringstream lines(text);
        std::vector<std::size_t> members;
        for (std::string line; path[0] == 'c' && std::getline(lines, line);) {
            if (line.compare(0, 2, "- ") == 0) {
                members.push_back(at.at(line.substr(2)));
            }
        }
        for (const std::size_t a : members) {
            for (const std::size_t b : members) {
                const int step =
                    std::stoi(versions[b].substr(2)) - std::stoi(versions[a].substr(2));
                if (a < b && (step == 0 || step == 1)) {
                    edges.emplace(a, b);
                }
            }
        }
    }
    for (const auto& [path, text] : files) {
        if (path[0] == 'b') {
            const auto end = text.find('\n');
            const std::size_t to = at.at(text.substr(4, end - 4));
            const auto from = text.find("from: ") + 6;
            const std::regex pattern(text.substr(from, text.find('\n', from) - from));
            for (std::size_t i = 0; i < to; ++i) {
                if (edges.contains({i, to}) && std::regex_search(versions[i] + "+amd64", pattern)) {
                    edges.erase({i, to});
                }
            }
        }
    }
    std::vector<std::vector<std::size_t>> next(versions.size());
    for (auto it = edges.rbegin(); it != edges.rend(); ++it) {
        next[it->first].push_back(it->second);  // newest first
    }
    return next;
}

std::vector<std::size_t> plain_tree(const std::vector<std::vector<std::size_t>>& next,
                                    std::size_t from) {
    std::vector<std::size_t> before(next.size(), k_not_found);
    std::deque<std::size_t> queue = {from};
    while (!queue.empty()) {
        const std::size_t at = queue.front();
        queue.pop_front();
        for (const std::size_t to : next[at]) {
            if (to != from && before[to] == k_not_found) {
                before[to] = at;
                queue.push_back(to);
            }
        }
    }
    return before;
}

TEST(OpenShift, EveryRouteIsThatOfAPlainBreadthFirstSearch) {
    const GraphFiles files = generated();
    const auto found = read_openshift(files);
    ASSERT_TRUE(found) << found.error().text();
    const UpdateGraph& graph = found->graph;
    ASSERT_EQ(graph.versions().size(), 1383U);
    ASSERT_EQ(found->rules, 1717U);
    const auto next = plain_edges(files, graph.versions());
    std::size_t reached = 0;
    for (std::size_t from = 0; from < graph.versions().size(); ++from) {
        const auto expected = plain_tree(next, from);
        ASSERT_EQ(graph.shortest_path_tree(from), expected) << graph.versions()[from];
        for (const std::size_t before : expected) {
            reached += before == k_not_found ? 0 : 1;
        }
    }
    EXPECT_GT(reached, 500000U);  // of 955,653 pairs
}

}  // namespace

}  // namespace drydock::updates
