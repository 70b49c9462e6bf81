// Finds, joins and lists control groups of version 2.
//
// A process's group is named relative to the root of its cgroup namespace, and a mount may show
// only a part of the tree. So the path of a group's folder is computed from both: the mount's root
// and the line "0::/path" in /proc/PID/cgroup. In a container both may differ from the host's view.
#include "os/cgroup.h"

#include "base/text.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <optional>

namespace drydock::os {
namespace {

constexpr std::size_t k_proc_file_bytes_max = 4U << 20U;
constexpr std::string_view k_unified_prefix = "0::";

// The mount point of the cgroup2 file system, and the group that it shows as its root.
struct Mount {
    std::string root;
    std::string folder;
};

// A line of mountinfo: ID PARENT DEVICE ROOT FOLDER OPTIONS... - TYPE SOURCE SUPER-OPTIONS.
std::optional<Mount> find_mount(const std::string& mounts) {
    for (const auto& line : split(mounts, '\n')) {
        const auto fields = split(line, ' ');
        if (fields.size() > 5 && line.find(" - cgroup2 ") != line.npos) {
            return Mount{fields[3], fields[4]};
        }
    }
    return std::nullopt;
}

std::optional<std::string> find_own_path(const std::string& groups) {
    for (const auto& line : split(groups, '\n')) {
        if (line.starts_with(k_unified_prefix)) {
            return line.substr(k_unified_prefix.size());
        }
    }
    return std::nullopt;
}

tl::unexpected<Error> no_cgroup() {
    return fail("os.no_cgroup", "no cgroup2 file system shows the group of this process");
}

// Returns false if the group is gone. A folder that exists and cannot be read is an error: "no
// processes" would let a caller start a second copy.
Result<bool> append_processes(const std::string& group, std::vector<pid_t>& pids) {
    const auto text = read_file(group + "/cgroup.procs", k_proc_file_bytes_max);
    if (!text) {
        std::error_code error;
        const bool exists = std::filesystem::exists(group, error);
        return exists || error ? Result<bool>(tl::unexpected(text.error())) : false;
    }
    for (const auto& line : split(trim(*text), '\n')) {
        pid_t pid = 0;
        std::from_chars(line.data(), line.data() + line.size(), pid);
        if (!line.empty()) {
            pids.push_back(pid);  // 0: a process of another pid namespace
        }
    }
    return true;
}

// Returns the group's own folder first, then those below it. In reverse order they can be removed.
Result<std::vector<std::string>> folders_of(const std::string& group) {
    std::vector<std::string> folders = {group};
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator iterator(group, error), end;
         !error && iterator != end;
         iterator.increment(error)) {
        if (iterator->is_directory(error)) {
            folders.push_back(iterator->path().string());
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail("os.cgroup", fmt::format("reading {}: {}", group, error.message()));
    }
    return folders;
}

}  // namespace

// A path with "/.." lies outside of the caller's namespace and has no folder here.
Result<std::string> cgroup_of(pid_t pid) {
    const std::string process = pid == 0 ? "self" : std::to_string(pid);
    DRYDOCK_TRY_ASSIGN(const auto mounts, read_file("/proc/self/mountinfo", k_proc_file_bytes_max));
    DRYDOCK_TRY_ASSIGN(const auto groups,
                       read_file("/proc/" + process + "/cgroup", k_proc_file_bytes_max));
    const auto mount = find_mount(mounts);
    auto path = find_own_path(groups);
    if (!mount || !path || path->find("/..") != path->npos) {
        return no_cgroup();
    }
    if (mount->root != "/") {
        if (!path->starts_with(mount->root)) {
            return no_cgroup();
        }
        path->erase(0, mount->root.size());
    }
    return *path == "/" ? mount->folder : mount->folder + *path;
}

Status join_cgroup(const std::string& group, pid_t pid) {
    DRYDOCK_TRY_ASSIGN(const Fd file, open_file(group + "/cgroup.procs", O_WRONLY));
    return write_all(file.get(), std::to_string(pid));
}

Result<std::vector<pid_t>> cgroup_processes(const std::string& group) {
    std::vector<pid_t> pids;
    DRYDOCK_TRY_ASSIGN(const auto folders, folders_of(group));
    for (const auto& folder : folders) {
        DRYDOCK_TRY(append_processes(folder, pids));
    }
    return pids;
}

void remove_cgroup(const std::string& group) {
    const auto folders = folders_of(group).value_or(std::vector<std::string>());
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
        ::rmdir(folder->c_str());  // refused by the kernel while it has processes
    }
}

}  // namespace drydock::os
