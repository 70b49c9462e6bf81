// The action `link`: {link, target}. Points a symlink at a folder, in one step.
//
// A process that opens the link finds the old or the new folder, never none. The new link is made
// beside the old one and renamed over it. A link that points there already is only made durable,
// so the action may be repeated.
#include "agent/action.h"
#include "os/files.h"
#include "os/output_file.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>

namespace drydock::agent {
namespace {

std::optional<std::string> read_link(const std::string& path) {
    std::array<char, PATH_MAX> target = {};
    const auto size = ::readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? std::nullopt
                    : std::optional(std::string(target.data(), static_cast<std::size_t>(size)));
}

// Refuses a target that is no folder and a link path that is no symlink: rename() would replace a
// file without a word.
Status check(const std::string& link, const std::string& target) {
    struct stat facts = {};
    if (::stat(target.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return fail("link.no_target",
                    fmt::format("{} is no folder", target),
                    "install the release there first");
    }
    if (::lstat(link.c_str(), &facts) == 0 && !S_ISLNK(facts.st_mode)) {
        return fail("link.no_link",
                    fmt::format("{} exists and is no symlink", link),
                    "move it away, or correct the path");
    }
    return {};
}

Status switch_link(const std::string& link, const std::string& target) {
    DRYDOCK_TRY_ASSIGN(const auto folder, os::OutputFolder::of(link));
    return folder.link(target, os::name_of(link));
}

}  // namespace

ActionResult run_link_action(const Json& request, const ActionContext&) {
    const std::string& link = request["link"].as_string();
    const std::string& target = request["target"].as_string();
    if (auto checked = check(link, target); !checked) {
        return failed(checked.error());
    }
    const auto old_target = read_link(link);
    Json evidence;
    evidence.set("before", old_target ? Json(*old_target) : Json());
    evidence.set("after", target);
    const auto status =
        old_target == target ? os::sync_folder(os::folder_of(link)) : switch_link(link, target);
    if (!status) {
        return failed(status.error(), std::move(evidence));
    }
    return {Outcome::done, std::move(evidence)};
}

}  // namespace drydock::agent
