// Reads OpenShift's graph data (github.com/openshift/cincinnati-graph-data).
//
// The order of steps: parse every file; collect and sort the versions of all channels; allow the
// updates within each channel; remove the blocked edges. Problems of the files are collected and
// reported together.
//
// `from` of a blocked edge is a regular expression over versions with their architecture. Each
// pattern is matched once against all versions and kept, because many edges have the same one. RE2
// matches in linear time and limited memory, as the patterns come from foreign files.
#include "updates/openshift.h"

#include "base/diagnostics.h"
#include "base/text.h"
#include "os/files.h"
#include "pack/yaml.h"
#include "updates/scheme.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace drydock::updates {

namespace {

constexpr std::size_t k_file_max = 1UL << 20;  // bytes; the largest has 60 kB

constexpr std::int64_t k_pattern_bytes_max = 4 << 20;  // memory of one compiled pattern

constexpr std::string_view k_default_machine = "amd64";  // of versions without a "+machine"

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
            block(path, edge, result);
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
                                   entry.value.position,
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
    void block(const std::string& path, const pack::Node& node, OpenShiftGraph& result) {
        ++result.rules;
        if (node["from"].scalar.empty() || node["to"].scalar.empty()) {
            diagnostics_.error("edge.incomplete", node.position, "an edge without `to` or `from`");
            return;
        }
        BlockedEdge edge;
        edge.name = node["name"].scalar;
        edge.message = split(node["message"].scalar, '\n').front();
        edge.url = node["url"].scalar;
        edge.file = path;
        edge.fixed_in = node["fixedIn"].scalar;
        const auto& rules = node["matchingRules"].entries;
        edge.condition = rules.empty() ? "" : rules.front().value["type"].scalar;
        edge.sources = versions_like(node["from"], result.graph);
        for (const std::size_t target : targets_of(node["to"], result.graph)) {
            forbid(edge.sources, target, result.graph);
            result.blocked[target].push_back(edge);
        }
    }

    static void forbid(const Bits& sources, std::size_t target, UpdateGraph& graph) {
        for (std::size_t i = 0; i < graph.versions().size(); ++i) {
            if (sources.has(i)) {
                graph.forbid(i, target);
            }
        }
    }

    // Returns the versions of `to`. Without a machine it means the builds for all machines, as for
    // the data's server. "4.2.11-s390x" is an old spelling of "4.2.11+s390x".
    std::vector<std::size_t> targets_of(const pack::Node& node, const UpdateGraph& graph) {
        static constexpr std::string_view k_old_machine = "-s390x";
        std::string target = node.scalar;
        if (!is_version(Scheme::semver, target)) {
            diagnostics_.error(
                "version.syntax", node.position, fmt::format("`{}` is no version", target));
        }
        if (target.find('+') == target.npos && target.ends_with(k_old_machine)) {
            target[target.size() - k_old_machine.size()] = '+';
        }
        const bool is_for_all = target.find('+') == target.npos;
        std::vector<std::size_t> targets;
        for (std::size_t i = 0; i < graph.versions().size(); ++i) {
            const std::string& version = graph.versions()[i];
            if (is_for_all ? version.substr(0, version.find('+')) == target
                           : with_machine(version) == target) {
                targets.push_back(i);
            }
        }
        return targets;
    }

    // The data has no machine in versions for the default one.
    static std::string with_machine(const std::string& version) {
        return version.find('+') == version.npos ? fmt::format("{}+{}", version, k_default_machine)
                                                 : version;
    }

    // Returns the versions that the pattern matches. The data's server searches "4.12.3+amd64" for
    // it, anchored only where the pattern says so. A bad pattern matches no version.
    const Bits& versions_like(const pack::Node& node, const UpdateGraph& graph) {
        const auto [entry, is_new] =
            by_pattern_.try_emplace(node.scalar, Bits(graph.versions().size()));
        if (!is_new) {
            return entry->second;
        }
        RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(k_pattern_bytes_max);
        const RE2 pattern(node.scalar, options);
        if (!pattern.ok()) {
            diagnostics_.error("edge.pattern",
                               node.position,
                               fmt::format("`{}` is no pattern: {}", node.scalar, pattern.error()));
            return entry->second;
        }
        for (std::size_t i = 0; i < graph.versions().size(); ++i) {
            if (RE2::PartialMatch(with_machine(graph.versions()[i]), pattern)) {
                entry->second.set(i);
            }
        }
        return entry->second;
    }

    Diagnostics diagnostics_;
    std::vector<std::pair<std::string, pack::Node>> channels_;
    std::vector<std::pair<std::string, pack::Node>> edges_;
    std::map<std::string, Bits> by_pattern_;
};

// The data's server ignores .yml, so that such a file is an error and not an edge less.
Status load_folder(const std::string& folder, const std::string& name, GraphFiles& files) {
    namespace fs = std::filesystem;
    std::error_code error;
    fs::directory_iterator entry(folder + "/" + name, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string leaf = entry->path().filename().string();
        if (entry->path().extension() == ".yml") {
            return fail("updates.input",
                        fmt::format("{}/{}: the data's server reads only .yaml", name, leaf),
                        "rename it, or take it away");
        }
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
    std::vector<const BlockedEdge*> objections;
    if (const auto edges = blocked.find(target); edges != blocked.end()) {
        for (const BlockedEdge& edge : edges->second) {
            if (edge.sources.has(source)) {
                objections.push_back(&edge);
            }
        }
    }
    return objections;
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
