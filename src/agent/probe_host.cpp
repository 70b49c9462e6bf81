// The probes of the host itself: file, disk, digest, link, service, process, exe, command.
//
// They share one rule for errors: a missing file is a value (absent), and every other error is
// unknown. Each result names its source, so that a person can look at the same place. Versions are
// found by folder: a path belongs to the release whose real folder holds it.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/command_environment.h"
#include "agent/digest.h"
#include "agent/probe.h"
#include "agent/service.h"
#include "base/hash.h"
#include "base/text.h"
#include "os/files.h"
#include "os/process.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace drydock::agent {
namespace {

constexpr std::size_t k_file_bytes_max = 4U << 20U;

Json source(const std::string& text) {
    Json evidence;
    evidence.set("source", to_utf8(text));
    return evidence;
}

ProbeResult with_source(ProbeResult finding, const std::string& text) {
    finding.evidence.set("source", to_utf8(text));
    return finding;
}

// Returns the path with its links followed; empty if it leads nowhere.
std::string resolved(const std::string& path) {
    char* real = ::realpath(path.c_str(), nullptr);
    std::string answer = real == nullptr ? "" : real;
    std::free(real);  // NOLINT: realpath allocates with malloc
    return answer;
}

// Maps an error of reading to a result: a missing file is absent, all else is unknown.
ProbeResult not_read(const Error& error) {
    return error.code == "os.missing" ? absent("there is no such file")
                                      : cannot_tell(error.message);
}

// Returns the version whose folder holds `path`; `versions` maps names to folders. A path outside
// of all of them is unknown, not absent.
ProbeResult version_at(const Json& versions, const std::string& path) {
    for (const auto& [name, folder] : versions.members()) {
        const std::string real = resolved(folder.as_string());
        if (!real.empty() && (path == real || path.starts_with(real + "/"))) {
            return known(name);
        }
    }
    return cannot_tell(path + " belongs to no known version");
}

// Returns the versions of the files that a process has open or mapped. An interpreter's or a Java
// machine's executable does not tell which release it runs.
std::set<std::string> versions_in_use(const Json& versions, std::int64_t pid) {
    std::set<std::string> used;
    const auto note = [&](const std::string& path) {
        const ProbeResult version = version_at(versions, path);
        if (version.status == model::ObservationStatus::known) {
            used.insert(version.value.as_string());
        }
    };
    const std::string process = fmt::format("/proc/{}", pid);
    std::string last;
    const std::string maps = os::read_file(process + "/maps", k_file_bytes_max).value_or("");
    for (const auto& line : split(maps, '\n')) {
        const auto path = line.find('/');
        if (path != line.npos && line.compare(path, line.npos, last) != 0) {
            last = line.substr(path);
            note(last);
        }
    }
    std::error_code problem;
    for (const auto& file : std::filesystem::directory_iterator(process + "/fd", problem)) {
        note(std::filesystem::read_symlink(file.path(), problem).string());
    }
    return used;
}

ProbeResult symlink_target(const std::string& path) {
    std::array<char, PATH_MAX> target = {};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    if (size < 0) {
        return errno == ENOENT   ? absent("there is no such file")
               : errno == EINVAL ? absent("it is no symlink")
                                 : cannot_tell(fail_errno("", path, errno).value().message);
    }
    return known(to_utf8({target.data(), static_cast<std::size_t>(size)}));
}

ProbeResult file_facts(const std::string& path, bool exists_only) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) {
        const bool missing = errno == ENOENT || errno == ENOTDIR;
        return missing ? exists_only ? known(false) : absent("there is no such file")
                       : cannot_tell(fail_errno("", path, errno).value().message);
    }
    return exists_only ? known(true) : known(std::int64_t{facts.st_size});
}

// Returns the state of the probe's service; unknown if there is no such service type.
ServiceState query_service(const Json& probe, std::int64_t timeout_ms) {
    const auto type = find_service_type(probe["service"]);
    if (!type) {
        ServiceState state;
        state.evidence.set("problem", type.error().message);
        return state;
    }
    return (*type)->query(probe["service"], timeout_ms);
}

}  // namespace

ProbeResult probe_file(const Json& probe, std::int64_t) {
    const std::string& path = probe["path"].as_string();
    const std::string& aspect = probe["as"].as_string();
    if (aspect == "exists" || aspect == "size") {
        return with_source(file_facts(path, aspect == "exists"), path);
    }
    if (aspect == "symlink") {
        return with_source(symlink_target(path), path);
    }
    const auto text = os::read_file(path, k_file_bytes_max);
    return with_source(text ? extract(probe, *text) : not_read(text.error()), path);
}

ProbeResult probe_disk(const Json& probe, std::int64_t) {
    const std::string& path = probe["path"].as_string();
    if (probe["as"].as_string() == "used_percent") {
        const auto percent = os::used_percent(path);
        return with_source(percent ? known(static_cast<std::int64_t>(*percent))
                                   : not_read(percent.error()),
                           "disk of " + path);
    }
    const auto bytes = os::free_bytes(path);
    return with_source(bytes ? known(*bytes) : not_read(bytes.error()), "disk of " + path);
}

ProbeResult probe_digest(const Json& probe, std::int64_t) {
    const std::string& path = probe["path"].as_string();
    const auto digest = digest_file_cached(path);
    return with_source(digest ? known(*digest) : not_read(digest.error()), "sha256 of " + path);
}

namespace {

// Returns the releases whose folder is there.
ProbeResult releases_on_disk(const Json& versions) {
    Json::Array releases;
    Json folders{Json::Object{}};
    for (const auto& [version, folder] : versions.members()) {
        std::error_code error;
        if (std::filesystem::is_directory(folder.as_string(), error)) {
            releases.emplace_back(version);
            folders.set(version, folder);
        } else if (error && error != std::errc::no_such_file_or_directory) {
            return cannot_tell(folder.as_string() + ": " + error.message());
        }
    }
    return known(std::move(releases), std::move(folders));
}

}  // namespace

ProbeResult probe_link(const Json& probe, std::int64_t) {
    const std::string& link = probe["link"].as_string();
    if (probe["on_disk"].as_bool()) {
        return releases_on_disk(probe["versions"]);
    }
    ProbeResult finding = symlink_target(link);
    if (finding.status == model::ObservationStatus::known) {
        const std::string real = resolved(link);
        finding = real.empty() ? cannot_tell("it points to nothing: " + finding.value.as_string())
                               : version_at(probe["versions"], real);
        finding.evidence.set("target", to_utf8(real));
    }
    return with_source(std::move(finding), link);
}

// A failed service counts as stopped: conditions ask whether its processes are there. The evidence
// has the phase.
ProbeResult probe_service(const Json& probe, std::int64_t timeout_ms) {
    const auto state = query_service(probe, timeout_ms);
    if (state.phase == ServiceState::Phase::unknown) {
        return {model::ObservationStatus::unknown, {}, state.evidence};
    }
    return known(is_down(state) ? "stopped" : name(state.phase), state.evidence);
}

namespace {

// Says why the process is unknown, in the service's own words if it has some.
ProbeResult program_unknown(const ServiceState& state) {
    const std::string& problem = state.evidence["problem"].as_string();
    return cannot_tell(problem.empty() ? "its process cannot be told" : problem, state.evidence);
}

}  // namespace

ProbeResult probe_process(const Json& probe, std::int64_t timeout_ms) {
    const auto state = query_service(probe, timeout_ms);
    if (is_down(state)) {
        return absent("it does not run", state.evidence);
    }
    return state.pid > 0 ? known(state.pid, state.evidence) : program_unknown(state);
}

// Looks at the executable first and then at the open files. The open files decide only if they
// belong to one version: two versions would be a guess.
ProbeResult probe_exe(const Json& probe, std::int64_t timeout_ms) {
    const auto state = query_service(probe, timeout_ms);
    if (is_down(state)) {
        return absent("it does not run", state.evidence);
    }
    if (state.exe.empty()) {
        return program_unknown(state);
    }
    const Json& versions = probe["versions"];
    ProbeResult finding = version_at(versions, state.exe);
    if (finding.status != model::ObservationStatus::known) {
        if (const auto used = versions_in_use(versions, state.pid); used.size() == 1) {
            return with_source(known(*used.begin()),
                               fmt::format("files that process {} has open", state.pid));
        }
    }
    return with_source(std::move(finding), fmt::format("/proc/{}/exe = {}", state.pid, state.exe));
}

namespace {

// Returns a memory file with the script: a probe leaves nothing on the disk.
Result<os::Fd> script_file(const Json& script) {
    const std::string& content = script["content"].as_string();
    if (sha256_hex(content) != script["sha256"].as_string()) {
        return fail("agent.script_digest", "the script is not the one of the pack");
    }
    return os::memory_file(content);
}

// Replaces ${script} in the arguments by the file, which the child has as its descriptor 3.
Result<os::Fd> add_script(const Json& script, os::SpawnOptions& spawn) {
    if (!script.is_object()) {
        return os::Fd();
    }
    DRYDOCK_TRY_ASSIGN(os::Fd file, script_file(script));
    spawn.descriptors = {file.get()};
    std::replace(spawn.argv.begin(),
                 spawn.argv.end(),
                 std::string("${script}"),
                 std::string("/proc/self/fd/3"));
    return file;
}

}  // namespace

// The exit code decides: by exit_map if there is one, else 0 means that the output has the value.
ProbeResult probe_command(const Json& probe, std::int64_t timeout_ms) {
    const auto argv = read_texts(probe["argv"], "argv");
    if (!argv || argv->empty()) {
        return cannot_tell("the probe has no argument vector");
    }
    os::RunOptions options;
    options.spawn.argv = *argv;
    const auto script = add_script(probe["script"], options.spawn);
    if (!script) {
        return cannot_tell(script.error().message);
    }
    options.spawn.environment = command_environment(probe["env"]);
    options.spawn.dies_with_parent = true;
    options.output_max = 1U << 20U;
    options.timeout_ms = timeout_ms;
    const auto run = os::run_to_end(options);
    Json evidence = source("command " + argv->front());
    if (!run || run->timed_out || run->exit.signal != 0) {
        return cannot_tell(!run             ? run.error().message
                           : run->timed_out ? "no end in time"
                                            : run->exit.text(),
                           std::move(evidence));
    }
    const auto& map = probe["exit_map"];
    const std::string code = std::to_string(run->exit.code);
    if (map.is_object() ? !map.contains(code) : run->exit.code != 0) {
        evidence.set("read", to_utf8(std::string_view(run->output).substr(0, 200)));
        return cannot_tell(run->exit.text(), std::move(evidence));
    }
    return with_source(map.is_object() ? known(map[code]) : extract(probe, run->output),
                       "command " + argv->front());
}

}  // namespace drydock::agent
