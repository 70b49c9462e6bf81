// Finds and ends all processes of an attempt, with a cgroup or without one.
//
// With a cgroup, the kernel keeps the list: no fork escapes it. Without one, a process counts if
// its environment has the attempt's cookie or if its session was recorded. A search over /proc can
// miss a process that forks at that moment, so only two empty searches in a row count as none.
//
// Invariant: an error is never read as "no processes". This file exists to prevent a second
// attempt beside a live first attempt.
#include "agent/containment.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "os/cgroup.h"
#include "os/files.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace drydock::agent {
namespace {

constexpr std::size_t k_record_bytes_max = 1U << 20U;
constexpr std::size_t k_group_name_bytes = 16;  // of a digest: no two folders share it
constexpr auto k_search_again = std::chrono::milliseconds(20);
constexpr int k_remove_tries = 10;
constexpr auto k_kill_poll = std::chrono::milliseconds(10);

std::string record_path(const std::string& folder) {
    return folder + "/containment.json";
}

std::string sessions_path(const std::string& folder) {
    return folder + "/sessions";
}

std::string real_path(const std::string& path) {
    std::error_code error;
    const auto real = std::filesystem::canonical(path, error);
    return error ? path : real.string();
}

// The cookie has the real path: two agents may reach one state folder by different links.
std::string cookie_of(const std::string& real_folder) {
    return "DRYDOCK_ATTEMPT=" + real_folder;
}

// Writes by rename, so that a kill never leaves half a record. The file is not synced: no
// contained process survives a power cut.
Status write_record(const std::string& folder, const std::string& group, std::uint64_t ticks) {
    Json record;
    record.set("boot_id", os::boot_id()).set("group", group).set("start_ticks", ticks);
    const std::string name = record_path(folder) + ".tmp";
    {
        DRYDOCK_TRY_ASSIGN(const os::Fd file,
                           os::open_file(name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
        DRYDOCK_TRY(os::write_all(file.get(), record.dump()));
    }
    return std::rename(name.c_str(), record_path(folder).c_str()) == 0
               ? Status()
               : Status(fail_errno("os.rename", record_path(folder), errno));
}

std::string group_of(const std::string& folder, const std::string& parent) {
    return parent + "/drydock-" + sha256_hex(folder).substr(0, k_group_name_bytes);
}

// Makes the attempt's own group below the parent's; returns its path. Returns an empty path where
// no group can be made.
std::string make_group(const std::string& folder, const std::string& parent) {
    const std::string group = group_of(folder, parent);
    const bool exists = !parent.empty() && (::mkdir(group.c_str(), 0755) == 0 || errno == EEXIST);
    return exists ? group : std::string();
}

// Returns the caller's group; an empty path where there are no groups.
std::string current_group() {
    const bool is_disabled =
        std::getenv(k_no_cgroup_variable) != nullptr;  // NOLINT(concurrency-mt-unsafe)
    return is_disabled ? std::string() : os::cgroup_of().value_or("");
}

os::Fd open_group(const std::string& group) {
    return group.empty() ? os::Fd()
                         : os::open_file(group, O_RDONLY | O_DIRECTORY).value_or(os::Fd());
}

struct Record {
    std::string group;
    std::uint64_t start_ticks = 0;  // of the supervisor: none of its processes is older
};

// Returns nothing if the attempt has no processes: it started none, or the host has booted since.
Result<std::optional<Record>> read_record(const std::string& folder) {
    const auto text = os::read_file(record_path(folder), k_record_bytes_max);
    if (!text) {
        return text.error().code == "os.missing" ? Result<std::optional<Record>>(std::nullopt)
                                                 : tl::unexpected(text.error());
    }
    const auto value = Json::parse(*text);  // fails after a power cut only
    if (!value || (*value)["boot_id"].as_string() != os::boot_id()) {
        return std::nullopt;
    }
    return Record{(*value)["group"].as_string(), (*value)["start_ticks"].as_uint().value_or(0)};
}

// Returns the sessions that the supervisor started: number and start time of their first process.
std::vector<std::pair<pid_t, std::uint64_t>> read_sessions(const std::string& folder) {
    std::vector<std::pair<pid_t, std::uint64_t>> sessions;
    const auto text = os::read_file(sessions_path(folder), k_record_bytes_max);
    for (const auto& line : split(text.value_or(""), '\n')) {
        pid_t pid = 0;
        std::uint64_t ticks = 0;
        const char* end = line.data() + line.size();
        const auto first = std::from_chars(line.data(), end, pid);
        if (first.ptr != end) {
            std::from_chars(first.ptr + 1, end, ticks);
            sessions.emplace_back(pid, ticks);
        }
    }
    return sessions;
}

// True if the process is in one of the sessions. A session has the number of its first process,
// and the kernel gives that number to no other process while a member lives. After that, the start
// times differ.
bool is_in_session(pid_t pid, const std::vector<std::pair<pid_t, std::uint64_t>>& sessions) {
    const pid_t session = ::getsid(pid);
    return std::any_of(sessions.begin(), sessions.end(), [&](const auto& entry) {
        if (session != entry.first) {
            return false;
        }
        const auto leader = os::find_process(session);
        return !leader || !*leader || (*leader)->start_ticks == entry.second;
    });
}

// True if the environment of that process has the cookie; an error if it cannot be read.
Result<bool> has_cookie(pid_t pid, const std::string& cookie) {
    DRYDOCK_TRY_ASSIGN(const auto entries, os::read_environment(pid));
    return entries && std::find(entries->begin(), entries->end(), cookie) != entries->end();
}

// The kernel lets only root read the environment of another user's process. Such a process counts
// if its session was recorded, and not otherwise.
Result<bool> is_contained(const os::ProcessFacts& process,
                          const std::string& cookie,
                          const std::vector<std::pair<pid_t, std::uint64_t>>& sessions) {
    if (is_in_session(process.pid, sessions)) {
        return true;
    }
    auto carries = has_cookie(process.pid, cookie);
    return !carries && process.user != ::geteuid() ? Result<bool>(false) : carries;
}

// Skips processes older than the supervisor, which cannot be its children. An empty result from a
// partial /proc is an error.
Result<std::vector<pid_t>> search_once(const std::string& folder, const Record& record) {
    const std::string cookie = cookie_of(real_path(folder));
    const auto sessions = read_sessions(folder);
    std::vector<pid_t> matches;
    DRYDOCK_TRY_ASSIGN(const auto list, os::list_processes());
    for (const pid_t pid : list.pids) {
        DRYDOCK_TRY_ASSIGN(const auto process, os::find_process(pid));
        if (!process || process->zombie || process->start_ticks < record.start_ticks) {
            continue;
        }
        DRYDOCK_TRY_ASSIGN(const bool contained, is_contained(*process, cookie, sessions));
        if (contained) {
            matches.push_back(pid);
        }
    }
    if (matches.empty() && !list.complete) {
        return fail("os.proc", "/proc hides the processes of other users");
    }
    return matches;
}

// Searches twice before it returns none. A process has no environment for an instant during
// exec(), and a process that forks may be missing from a list.
Result<std::vector<pid_t>> search_processes(const std::string& folder, const Record& record) {
    auto matches = search_once(folder, record);
    if (matches && matches->empty()) {
        std::this_thread::sleep_for(k_search_again);
        matches = search_once(folder, record);
    }
    return matches;
}

// Removes zombies: they do nothing any more, even if no parent reaps them.
void drop_zombies(std::vector<pid_t>& pids) {
    std::erase_if(pids, [](pid_t pid) {
        const auto process = os::find_process(pid);
        return process && (!*process || (*process)->zombie) && pid != 0;
    });
}

}  // namespace

os::Fd make_containment(const std::string& folder) {
    return open_group(make_group(real_path(folder), current_group()));
}

// Stays in the group that the agent made for this process's birth, or makes one here. If joining
// it fails, the record is written again without a group, so that later searches use cookie and
// sessions.
//
// The caller becomes a subreaper. Orphans of the attempt become its children, and it can wait for
// them.
Result<Containment> Containment::enter(const std::string& folder) {
    Containment containment;
    const auto self = os::find_process(::getpid());
    const auto ticks = self && *self ? (*self)->start_ticks : 0;
    containment.folder_ = real_path(folder);
    containment.cookie_ = cookie_of(containment.folder_);
    const std::string current = current_group();
    const std::string above = current.empty() ? current : os::folder_of(current);
    containment.born_inside_ = !current.empty() && current == group_of(containment.folder_, above);
    containment.parent_ = containment.born_inside_ ? above : current;
    containment.group_ =
        containment.born_inside_ ? current : make_group(containment.folder_, containment.parent_);
    containment.outer_ = open_group(containment.parent_);
    DRYDOCK_TRY(write_record(folder, containment.group_, ticks));
    if (!containment.born_inside_ && !containment.group_.empty()
        && !os::join_cgroup(containment.group_)) {
        os::remove_cgroup(containment.group_);
        containment.group_.clear();
        DRYDOCK_TRY(write_record(folder, "", ticks));
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    return containment;
}

void Containment::record_session(pid_t pid) const {
    if (!group_.empty()) {
        return;
    }
    const auto process = os::find_process(pid);
    const auto ticks = process && *process ? (*process)->start_ticks : 0;
    const auto file = os::open_file(sessions_path(folder_), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file) {
        (void)os::write_all(file->get(), fmt::format("{} {}\n", pid, ticks));
    }
}

void Containment::release(pid_t pid) const {
    if (!group_.empty() && os::cgroup_of(pid).value_or("") != parent_) {
        (void)os::join_cgroup(parent_, pid);
    }
}

// Kills in a loop, since a process may fork between the list and the signal. Returns true once a
// list is empty.
bool Containment::kill_others(std::int64_t within_ms) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(within_ms);
    for (;;) {
        auto pids = contained_processes(folder_);
        if (pids) {
            std::erase(*pids, ::getpid());
            for (const pid_t pid : *pids) {
                ::kill(pid, SIGKILL);
            }
        }
        const bool alone = pids && pids->empty();
        if (alone || std::chrono::steady_clock::now() >= end) {
            return alone;
        }
        std::this_thread::sleep_for(k_kill_poll);
    }
}

// Removes the group in several tries: a killed process stays in its group for a moment after it is
// gone from everywhere else.
void Containment::leave() const {
    if (group_.empty() || born_inside_) {
        return;
    }
    release(0);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {  // orphans, which a subreaper inherits
    }
    for (int i = 0; i < k_remove_tries && os::exists(group_); ++i) {
        os::remove_cgroup(group_);
        const auto pids = os::cgroup_processes(group_);
        if (!pids || !pids->empty()) {
            return;
        }
        std::this_thread::sleep_for(i == 0 ? std::chrono::milliseconds(0) : k_kill_poll);
    }
}

Result<std::vector<pid_t>> contained_processes(const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(const auto record, read_record(folder));
    if (!record) {
        return std::vector<pid_t>();
    }
    if (record->group.empty()) {
        return search_processes(folder, *record);
    }
    DRYDOCK_TRY_ASSIGN(auto pids, os::cgroup_processes(record->group));
    drop_zombies(pids);
    return pids;
}

void remove_containment(const std::string& folder) {
    const auto record = read_record(folder);
    if (record && *record && !(*record)->group.empty()) {
        os::remove_cgroup((*record)->group);
    }
}

}  // namespace drydock::agent
