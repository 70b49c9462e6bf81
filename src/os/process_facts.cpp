#include "base/text.h"
#include "os/process.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <climits>

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

// State and start time of /proc/PID/stat; the name in parentheses may hold anything.
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
    facts.start_ticks = to_number<std::uint64_t>(fields[19]);
    return true;
}

}  // namespace

std::optional<ProcessFacts> read_process(pid_t pid) {
    const std::string folder = fmt::format("/proc/{}", pid);
    struct stat owner = {};
    ProcessFacts facts;
    if (pid <= 0 || ::stat(folder.c_str(), &owner) != 0
        || !parse_stat(read_proc(folder + "/stat"), facts)) {
        return std::nullopt;
    }
    facts.pid = pid;
    facts.user = owner.st_uid;
    facts.exe = read_symlink(folder + "/exe");
    facts.folder = read_symlink(folder + "/cwd");
    constexpr std::string_view k_deleted = " (deleted)";
    if (facts.exe.ends_with(k_deleted)) {
        facts.exe.resize(facts.exe.size() - k_deleted.size());
    }
    std::string line = read_proc(folder + "/cmdline");
    if (!line.empty() && line.back() == '\0') {
        line.pop_back();
        facts.arguments = split(line, '\0');
    }
    return facts;
}

std::vector<pid_t> all_processes() {
    std::vector<pid_t> all;
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) {
        return all;
    }
    while (const dirent* entry = ::readdir(folder)) {  // NOLINT(concurrency-mt-unsafe): own DIR
        if (const auto pid = to_number<pid_t>(std::begin(entry->d_name)); pid > 0) {
            all.push_back(pid);
        }
    }
    ::closedir(folder);
    return all;
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
