// Raises the soft limit of open files, and restores it for children.
//
// A conductor needs a few descriptors for each host. The usual soft limit of 1024 is too low for
// large clusters, while the hard limit allows more. Programs that use select() break above 1024, so
// children get the old limit back.
#include "os/descriptors.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <cerrno>
#include <filesystem>
#include <optional>

namespace drydock::os {
namespace {

std::optional<rlimit> g_limit_at_start;  // set once this process has raised the limit

// Returns the number of open descriptors, by the entries in /proc. The directory's own descriptor
// is among them, which makes the result one too high.
std::size_t count_open() {
    std::size_t count = 0;
    std::error_code error;
    for (std::filesystem::directory_iterator iterator("/proc/self/fd", error), end;
         !error && iterator != end;
         iterator.increment(error)) {
        ++count;
    }
    return count;
}

tl::unexpected<Error> too_few(std::size_t needed, rlim_t allowed) {
    return fail(
        "os.descriptors",
        fmt::format("this needs {} open files at once, and {} are allowed", needed, allowed),
        fmt::format("ulimit -Hn {0} && ulimit -n {0}, as a user who may; then again", needed));
}

}  // namespace

Status reserve_descriptors(std::size_t count) {
    rlimit limit = {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return fail_errno("os.descriptors", "reading the limit of open files", errno);
    }
    const std::size_t needed = count_open() + count;
    if (needed <= limit.rlim_cur) {
        return {};
    }
    if (needed > limit.rlim_max) {
        return too_few(needed, limit.rlim_max);
    }
    const rlimit raised = {needed, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) {
        return fail_errno("os.descriptors", "raising the limit of open files", errno);
    }
    if (!g_limit_at_start) {
        g_limit_at_start = limit;
    }
    return {};
}

void restore_descriptor_limit() {
    if (g_limit_at_start) {
        ::setrlimit(RLIMIT_NOFILE, &*g_limit_at_start);
    }
}

}  // namespace drydock::os
