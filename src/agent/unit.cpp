#include "agent/unit.h"

#include "agent/action_key.h"
#include "base/text.h"
#include "os/output_file.h"
#include "os/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

namespace drydock::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_group_bytes_max = 64U << 10U;
constexpr std::string_view k_groups = "/sys/fs/cgroup";

constexpr const char* k_wanted =
    "--property=LoadState,ActiveState,SubState,Result,MainPID,NRestarts,DropInPaths,ExecStart,"
    "TimeoutStopUSec,ControlGroup,Slice,Id,NeedDaemonReload";

struct StateWord {
    std::string_view word;
    ServiceState::Phase phase;
};

using Phase = ServiceState::Phase;

constexpr std::array k_states = {
    StateWord{"active", Phase::running},
    StateWord{"reloading", Phase::starting},
    StateWord{"activating", Phase::starting},
    StateWord{"deactivating", Phase::stopping},
    StateWord{"failed", Phase::failed},
    StateWord{"inactive", Phase::stopped},
};

// A unit that is down has no control group any more. It lies in its slice.
std::string group_of(const UnitProperties& properties) {
    const std::string& group = property(properties, "ControlGroup");
    const std::string& slice = property(properties, "Slice");
    return group.empty() ? fmt::format("/{}/{}",
                                       slice.empty() ? "system.slice" : slice,
                                       property(properties, "Id"))
                         : group;
}

std::vector<std::int64_t> read_processes(const std::string& file) {
    std::vector<std::int64_t> pids;
    for (const std::string& line :
         split(os::read_file(file, k_group_bytes_max).value_or(""), '\n')) {
        std::int64_t pid = 0;
        const auto read = std::from_chars(line.data(), line.data() + line.size(), pid);
        if (read.ec == std::errc() && pid > 0) {
            pids.push_back(pid);
        }
    }
    return pids;
}

// True if the process belongs to a service of systemd, whichever.
bool is_of_a_unit(std::int64_t pid) {
    const auto groups = os::read_file(fmt::format("/proc/{}/cgroup", pid), k_group_bytes_max);
    return groups && groups->find(".service") != std::string::npos;
}

struct SpanUnit {
    std::string_view name;
    std::int64_t ms;
};

constexpr std::array k_span_units = {
    SpanUnit{"us", 0},
    SpanUnit{"ms", 1},
    SpanUnit{"s", 1'000},
    SpanUnit{"min", 60'000},
    SpanUnit{"h", 3'600'000},
    SpanUnit{"d", 86'400'000},
    SpanUnit{"w", 604'800'000},
};

}  // namespace

const std::string& property(const UnitProperties& properties, std::string_view name) {
    static const std::string k_none;
    const auto entry = properties.find(name);
    return entry == properties.end() ? k_none : entry->second;
}

UnitProperties parse_properties(std::string_view text) {
    UnitProperties properties;
    for (const std::string& line : split(text, '\n')) {
        if (const auto sign = line.find('='); sign != std::string::npos) {
            properties[line.substr(0, sign)] = line.substr(sign + 1);
        }
    }
    return properties;
}

Result<UnitProperties> show_unit(const std::string& unit, std::int64_t timeout_ms) {
    os::RunOptions options;
    options.spawn.argv = {"systemctl", "show", "--no-pager", k_wanted, "--", unit};
    options.timeout_ms = timeout_ms;
    DRYDOCK_TRY_ASSIGN(const os::RunResult run, os::run_to_end(options));
    if (run.timed_out || run.exit.code != 0) {
        return fail("service.systemd",
                    run.timed_out ? fmt::format("systemd did not answer within {} ms", timeout_ms)
                                  : "systemctl: " + to_utf8(trim(run.output)),
                    "see `systemctl status` on the host");
    }
    UnitProperties properties = parse_properties(run.output);
    const std::string& loaded = property(properties, "LoadState");
    if (loaded != "loaded" && loaded != "masked") {
        return fail("service.systemd",
                    fmt::format("the unit {} is {}", unit, loaded.empty() ? "not known" : loaded),
                    "correct the name in the cluster file, or install the unit");
    }
    return properties;
}

Phase phase_of(const UnitProperties& properties) {
    for (const auto& [word, phase] : k_states) {
        if (property(properties, "ActiveState") == word) {
            return phase;
        }
    }
    return Phase::unknown;
}

std::vector<std::int64_t> processes_left(const UnitProperties& properties) {
    auto pids = read_processes(std::string(k_groups) + group_of(properties) + "/cgroup.procs");
    std::erase_if(pids, [&](std::int64_t pid) {
        return std::to_string(pid) == property(properties, "MainPID");
    });
    return pids;
}

std::vector<std::int64_t> started_beside(const UnitProperties& properties) {
    std::vector<std::int64_t> pids;
    std::error_code ignored;
    const std::string program = fs::canonical(program_of(properties), ignored).string();
    const auto list = os::list_processes();
    if (program.empty() || !list) {
        return pids;
    }
    for (const pid_t pid : list->pids) {
        const auto process = os::find_process(pid);
        const bool runs_it =
            process && *process && !(*process)->zombie && (*process)->exe == program;
        if (runs_it && !is_of_a_unit(pid)) {
            pids.push_back(pid);
        }
    }
    return pids;
}

Json evidence_of(const UnitProperties& properties) {
    Json evidence;
    evidence.set("unit", to_utf8(property(properties, "Id")));
    evidence.set("active", property(properties, "ActiveState"));
    evidence.set("sub", property(properties, "SubState"));
    evidence.set("result", property(properties, "Result"));
    evidence.set("restarts", property(properties, "NRestarts"));
    evidence.set("masked", property(properties, "LoadState") == "masked");
    evidence.set("stop_within_ms", parse_span_ms(property(properties, "TimeoutStopUSec")));
    if (const std::string& drop_ins = property(properties, "DropInPaths"); !drop_ins.empty()) {
        evidence.set("drop_ins", to_utf8(drop_ins));
    }
    return evidence;
}

std::int64_t parse_span_ms(std::string_view text) {
    std::int64_t sum = 0;
    bool is_any = false;
    for (const std::string& word : split(text, ' ')) {
        std::int64_t number = 0;
        const char* end = word.data() + word.size();
        const auto read = std::from_chars(word.data(), end, number);
        const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
        const auto known = std::find_if(k_span_units.begin(),
                                        k_span_units.end(),
                                        [&](const auto& one) { return one.name == unit; });
        if (read.ec != std::errc() || known == k_span_units.end()) {
            return -1;
        }
        sum += number * known->ms;
        is_any = true;
    }
    return is_any ? sum : -1;
}

// "{ path=/usr/bin/etcd ; argv[]=/usr/bin/etcd ... }"
std::string program_of(const UnitProperties& properties) {
    constexpr std::string_view k_path = "path=";
    const std::string& start = property(properties, "ExecStart");
    const auto begin = start.find(k_path);
    const auto end = start.find(" ;", begin);
    return begin == std::string::npos || end == std::string::npos
               ? ""
               : start.substr(begin + k_path.size(), end - begin - k_path.size());
}

}  // namespace drydock::agent
