// Facts of processes from /proc.
//
// Three outcomes are kept apart everywhere: a process exists, it certainly does not exist, or its
// existence is unknown. The mount option hidepid hides processes of other users, so an absent
// folder in /proc proves nothing there. A supervisor that took "hidden" for "gone" would start a
// service twice.
//
// A pid alone names no process, since it is reused. With start_ticks it does.
#include "base/text.h"
#include "os/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>

namespace drydock::os {
namespace {

constexpr std::size_t k_proc_file_bytes_max = 4U << 20U;  // a command line can have 2 MiB

template <class T>
T to_number(std::string_view text) {
    T value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string read_proc(const std::string& path) {
    return read_file(path, k_proc_file_bytes_max).value_or("");
}

std::string read_symlink(const std::string& path) {
    std::array<char, PATH_MAX> target = {};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return {target.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

// Returns the content of a file of a process; nothing if the process is gone. ESRCH comes from a
// process that ends while its file is read.
Result<std::optional<std::string>> read_process_file(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string bytes;
    std::array<char, 16384> chunk = {};
    ssize_t size = file ? 1 : -1;
    while (size > 0 && bytes.size() < k_proc_file_bytes_max) {
        size = ::read(file.get(), chunk.data(), chunk.size());
        bytes.append(chunk.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    if (size >= 0) {
        return std::optional(std::move(bytes));
    }
    if (errno == ENOENT || errno == ESRCH) {
        return std::nullopt;
    }
    return fail_errno("os.proc", "reading " + path, errno);
}

ProcessFacts read_links(const std::string& folder, ProcessFacts facts) {
    facts.exe = read_symlink(folder + "/exe");
    facts.folder = read_symlink(folder + "/cwd");
    constexpr std::string_view k_deleted = " (deleted)";
    if (facts.exe.ends_with(k_deleted)) {
        facts.exe.resize(facts.exe.size() - k_deleted.size());
    }
    return facts;
}

// True if /proc hides processes of other users. Every pid namespace has a process 1, so its absence
// proves hiding.
bool hides_processes() {
    struct stat facts = {};
    return ::stat("/proc/1", &facts) != 0;
}

// Reads state, parent and start time of /proc/PID/stat. The name in parentheses may contain blanks
// and parentheses, so fields are counted from the last one.
bool parse_stat(const std::string& stat, ProcessFacts& facts) {
    const auto end = stat.rfind(')');
    if (end == stat.npos || end + 2 > stat.size()) {
        return false;
    }
    const auto fields = split(stat.substr(end + 2), ' ');
    if (fields.size() < 20) {
        return false;
    }
    facts.zombie = fields[0] == "Z" || fields[0] == "X";
    facts.parent = to_number<pid_t>(fields[1]);
    facts.start_ticks = to_number<std::uint64_t>(fields[19]);
    return true;
}

}  // namespace

// Process files may vanish between two reads. kill(pid, 0) then tells a hidden process from one
// that has ended.
Result<std::optional<ProcessFacts>> find_process(pid_t pid) {
    const std::string folder = fmt::format("/proc/{}", pid);
    if (pid <= 0) {
        return std::nullopt;
    }
    DRYDOCK_TRY_ASSIGN(const auto stat, read_process_file(folder + "/stat"));
    DRYDOCK_TRY_ASSIGN(auto line, read_process_file(folder + "/cmdline"));
    struct stat owner = {};
    if (!stat || !line || ::stat(folder.c_str(), &owner) != 0) {
        const bool exists = ::kill(pid, 0) == 0 || errno == EPERM;
        return exists && hides_processes()
                   ? Result<std::optional<ProcessFacts>>(
                         fail("os.proc", fmt::format("process {} is hidden", pid)))
                   : std::nullopt;
    }
    ProcessFacts facts;
    if (!parse_stat(*stat, facts)) {
        return fail("os.proc", fmt::format("{}/stat makes no sense", folder));
    }
    facts.pid = pid;
    facts.user = owner.st_uid;
    if (!line->empty() && line->back() == '\0') {
        line->pop_back();
        facts.arguments = split(*line, '\0');
    }
    return read_links(folder, std::move(facts));
}

std::optional<uid_t> effective_user_of(pid_t pid) {
    for (const auto& line : split(read_proc(fmt::format("/proc/{}/status", pid)), '\n')) {
        if (line.starts_with("Uid:")) {
            const auto users = split(line, '\t');
            return users.size() > 2 ? std::optional(to_number<uid_t>(users[2])) : std::nullopt;
        }
    }
    return std::nullopt;
}

Result<std::optional<std::vector<std::string>>> read_environment(pid_t pid) {
    DRYDOCK_TRY_ASSIGN(const auto text, read_process_file(fmt::format("/proc/{}/environ", pid)));
    return text ? std::optional(split(*text, '\0')) : std::nullopt;
}

Result<ProcessList> list_processes() {
    ProcessList list;
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) {
        return fail_errno("os.proc", "reading /proc", errno);
    }
    while (const dirent* entry = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): own DIR
        if (const auto pid = to_number<pid_t>(std::begin(entry->d_name)); pid > 0) {
            list.pids.push_back(pid);
        }
    }
    ::closedir(folder);
    if (list.pids.empty()) {
        return fail("os.proc", "/proc shows no process");
    }
    list.complete = !hides_processes();
    return list;
}

std::string boot_id() {
    return trim(read_proc("/proc/sys/kernel/random/boot_id"));
}

std::int64_t ticks_to_wall_ms(std::uint64_t start_ticks) {
    for (const auto& line : split(read_proc("/proc/stat"), '\n')) {
        if (line.starts_with("btime ")) {
            const auto booted_s = to_number<std::int64_t>(line.substr(6));
            return booted_s * 1000
                   + static_cast<std::int64_t>(start_ticks) * 1000 / ::sysconf(_SC_CLK_TCK);
        }
    }
    return 0;
}

}  // namespace drydock::os
