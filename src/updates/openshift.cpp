// Reads OpenShift's graph data (github.com/openshift/cincinnati-graph-data).
//
// The order of steps: parse every file; collect and sort the versions of all channels; allow the
// updates within each channel; remove the blocked edges. Problems of the files are collected and
// reported together; only a bad pattern ends the reading. `from` of a blocked edge is a regular
// expression over versions with their architecture. Each pattern is matched once against all
// versions and kept, because many edges have the same one.
#include "updates/openshift.h"

#include "base/diagnostics.h"
#include "base/text.h"
#include "os/files.h"
#include "pack/yaml.h"
#include "updates/scheme.h"

#include <fmt/format.h>
#include <regex.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <memory>

namespace drydock::updates {

namespace {

constexpr std::size_t k_file_max = 1UL << 20;  // bytes; the largest has 60 kB

struct FreeRegex {
    void operator()(regex_t* regex) const {
        regfree(regex);
        delete regex;
    }
};

// A POSIX extended regular expression, searched for anywhere in the version, as the data's own
// server does.
class Pattern {
public:
    static Result<Pattern> make(const std::string& text) {
        Pattern pattern;
        auto regex = std::make_unique<regex_t>();
        if (regcomp(regex.get(), text.c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
            return fail("updates.input", fmt::format("`{}` is no pattern", text));
        }
        pattern.regex_.reset(regex.release());
        return pattern;
    }

    [[nodiscard]] bool matches(const std::string& text) const {
        return regexec(regex_.get(), text.c_str(), 0, nullptr, 0) == 0;
    }

private:
    std::unique_ptr<regex_t, FreeRegex> regex_;
};

// Returns "4.12.3" as 4012. Minors that follow each other differ by one.
int minor_of(const std::string& version) {
    int major = 0;
    int minor = 0;
    const char* end = version.data() + version.size();
    const auto first = std::from_chars(version.data(), end, major);
    if (first.ptr != end && *first.ptr == '.') {
        std::from_chars(first.ptr + 1, end, minor);
    }
    return major * 1000 + minor;
}

// Holds the parsed files: channels are read twice, first for the versions and then for the updates.
class Reader {
public:
    explicit Reader(const GraphFiles& files) {
        for (const auto& [path, text] : files) {
            const bool is_channel = path.compare(0, 9, "channels/") == 0;
            auto documents = pack::parse_yaml(text, path, false, diagnostics_);
            if (!documents.empty()) {
                (is_channel ? channels_ : edges_).emplace_back(path, std::move(documents.front()));
            }
        }
    }

    Result<OpenShiftGraph> read() {
        std::vector<std::string> versions;
        for (const auto& [path, channel] : channels_) {
            read_versions(channel, versions);
        }
        OpenShiftGraph result = {UpdateGraph(in_order(std::move(versions))), {}, 0};
        for (const auto& [path, channel] : channels_) {
            allow_channel(channel, result.graph);
        }
        for (const auto& [path, edge] : edges_) {
            DRYDOCK_TRY(block(path, edge, result));
        }
        if (diagnostics_.has_errors()) {
            return fail("updates.input", diagnostics_.text());
        }
        return result;
    }

private:
    // A channel lists versions by their text; a wrong one is reported and left out.
    void read_versions(const pack::Node& channel, std::vector<std::string>& versions) {
        for (const pack::Entry& entry : channel["versions"].entries) {
            if (is_version(Scheme::semver, entry.value.scalar)) {
                versions.push_back(entry.value.scalar);
            } else {
                diagnostics_.error("version.syntax",
                                   entry.value.where,
                                   fmt::format("`{}` is no version", entry.value.scalar));
            }
        }
    }

    // Sorts by age, then by text: "4.2.0+amd64" and "4.2.0+s390x" have one age and are two
    // releases.
    static std::vector<std::string> in_order(std::vector<std::string> versions) {
        std::sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
            const int order = compare(Scheme::semver, a, b);
            return order != 0 ? order < 0 : a < b;
        });
        versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
        return versions;
    }

    // Positions are in order of age, so that every later member of the channel is newer or equally
    // old.
    static void allow_channel(const pack::Node& channel, UpdateGraph& graph) {
        std::vector<std::size_t> members;
        for (const pack::Entry& entry : channel["versions"].entries) {
            if (const auto position = graph.find(entry.value.scalar); position != k_not_found) {
                members.push_back(position);
            }
        }
        std::sort(members.begin(), members.end());
        for (std::size_t i = 0; i < members.size(); ++i) {
            const int minor = minor_of(graph.versions()[members[i]]);
            for (std::size_t j = i + 1; j < members.size(); ++j) {
                const int step = minor_of(graph.versions()[members[j]]) - minor;
                if (step == 0 || step == 1) {
                    graph.allow(members[i], members[j]);
                }
            }
        }
    }

    // An edge to a version that no channel has is counted as a rule and has no effect.
    Status block(const std::string& path, const pack::Node& node, OpenShiftGraph& result) {
        ++result.rules;
        const std::size_t target = result.graph.find(node["to"].scalar);
        if (node["from"].scalar.empty() || node["to"].scalar.empty()) {
            diagnostics_.error("edge.incomplete", node.where, "an edge without `to` or `from`");
            return {};
        }
        if (target == k_not_found) {
            return {};
        }
        DRYDOCK_TRY_ASSIGN(const Bits* sources, versions_like(node["from"].scalar, result.graph));
        BlockedEdge edge;
        edge.name = node["name"].scalar;
        edge.message = split(node["message"].scalar, '\n').front();
        edge.url = node["url"].scalar;
        edge.file = path;
        edge.fixed_in = node["fixedIn"].scalar;
        const auto& rules = node["matchingRules"].entries;
        edge.condition = rules.empty() ? "" : rules.front().value["type"].scalar;
        edge.from = *sources;
        for (std::size_t i = 0; i < result.graph.versions().size(); ++i) {
            if (edge.from.has(i)) {
                result.graph.forbid(i, target);
            }
        }
        result.blocked[target].push_back(std::move(edge));
        return {};
    }

    // Returns the versions that the pattern matches. The data's server matches "4.12.3+amd64", and
    // patterns are written for that, so that versions without an architecture get this one.
    Result<const Bits*> versions_like(const std::string& text, const UpdateGraph& graph) {
        const auto match = by_pattern_.find(text);
        if (match != by_pattern_.end()) {
            return &match->second;
        }
        DRYDOCK_TRY_ASSIGN(const Pattern pattern, Pattern::make(text));
        Bits bits(graph.versions().size());
        for (std::size_t i = 0; i < graph.versions().size(); ++i) {
            const std::string& version = graph.versions()[i];
            const bool is_whole = version.find('+') != version.npos;
            if (pattern.matches(is_whole ? version : version + "+amd64")) {
                bits.set(i);
            }
        }
        return &by_pattern_.emplace(text, std::move(bits)).first->second;
    }

    Diagnostics diagnostics_;
    std::vector<std::pair<std::string, pack::Node>> channels_;
    std::vector<std::pair<std::string, pack::Node>> edges_;
    std::map<std::string, Bits> by_pattern_;
};

// Files without the ending .yaml are ignored.
Status load_folder(const std::string& folder, const std::string& name, GraphFiles& files) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::directory_iterator entry(folder + "/" + name, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string leaf = entry->path().filename().string();
        if (entry->path().extension() == ".yaml") {
            DRYDOCK_TRY_ASSIGN(files[fmt::format("{}/{}", name, leaf)],
                               os::read_file(entry->path().string(), k_file_max));
        }
    }
    return error ? Status(fail("updates.missing",
                               fmt::format("{}/{}: {}", folder, name, error.message()),
                               "name a folder with channels/ and blocked-edges/"))
                 : Status();
}

}  // namespace

// Edges are stored by target, as one file blocks one target for many sources.
std::vector<const BlockedEdge*> OpenShiftGraph::objections(std::size_t source,
                                                           std::size_t target) const {
    std::vector<const BlockedEdge*> edges;
    if (const auto entry = blocked.find(target); entry != blocked.end()) {
        for (const BlockedEdge& edge : entry->second) {
            if (edge.from.has(source)) {
                edges.push_back(&edge);
            }
        }
    }
    return edges;
}

Result<OpenShiftGraph> read_openshift(const GraphFiles& files) {
    return Reader(files).read();
}

Result<OpenShiftGraph> load_openshift(const std::string& folder) {
    GraphFiles files;
    DRYDOCK_TRY(load_folder(folder, "channels", files));
    DRYDOCK_TRY(load_folder(folder, "blocked-edges", files));
    return read_openshift(files);
}

}  // namespace drydock::updates
