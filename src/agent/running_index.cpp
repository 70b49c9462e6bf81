// The running index: empty files whose names are the keys of attempts that may run.
//
// Nothing is synced, since after a power cut nothing runs. Several agents add and remove at once
// without a lock, because each file belongs to one attempt. An empty folder that another agent
// removes is made again. The marker `.complete` says that attempts from before the index are
// listed, too.
#include "agent/running_index.h"

#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/folder_names.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace drydock::agent {
namespace {

Status touch(const std::string& path) {
    const auto file = os::open_file(path, O_WRONLY | O_CREAT, 0600);
    return file ? Status() : tl::unexpected(file.error());
}

}  // namespace

RunningIndex::RunningIndex(std::string state_folder)
    : state_(std::move(state_folder))
    , folder_(state_ + "/.running") {
}

Status RunningIndex::add(const ActionKey& key) const {
    const std::string run = folder_ + "/" + key.run;
    DRYDOCK_TRY(os::make_folder(folder_));
    DRYDOCK_TRY(os::make_folder(run));
    auto added = touch(run + "/" + folder_name(key));
    if (!added && added.error().code == "os.missing") {  // another agent removed the empty folder
        DRYDOCK_TRY(os::make_folder(run));
        added = touch(run + "/" + folder_name(key));
    }
    return added;
}

bool RunningIndex::has(const ActionKey& key) const {
    return os::exists(folder_ + "/" + key.run + "/" + folder_name(key));
}

void RunningIndex::remove(const ActionKey& key) const {
    const std::string run = folder_ + "/" + key.run;
    ::unlink((run + "/" + folder_name(key)).c_str());
    ::rmdir(run.c_str());  // refused unless it is empty
}

// Lists the open attempts of the whole state folder once. A crash in between leaves no marker, and
// the next call does it again.
Status RunningIndex::complete() const {
    const std::string marker = folder_ + "/.complete";
    struct stat facts = {};
    if (::stat(marker.c_str(), &facts) == 0) {
        return {};
    }
    DRYDOCK_TRY(os::make_folder(folder_));
    DRYDOCK_TRY_ASSIGN(const auto runs, run_names(state_));
    for (const auto& run : runs) {
        const std::string folder = fmt::format("{}/{}", state_, run);
        DRYDOCK_TRY_ASSIGN(const auto names, names_in(folder));
        for (const auto& name : names) {
            const auto key = key_of(run, name);
            if (key && !is_closed(fmt::format("{}/{}", folder, name))) {
                DRYDOCK_TRY(add(*key));
            }
        }
    }
    return touch(marker);
}

Result<std::vector<ActionKey>> RunningIndex::keys() const {
    DRYDOCK_TRY(complete());
    std::vector<ActionKey> keys;
    DRYDOCK_TRY_ASSIGN(const auto runs, run_names(folder_));
    for (const auto& run : runs) {
        DRYDOCK_TRY_ASSIGN(const auto names, names_in(fmt::format("{}/{}", folder_, run)));
        for (const auto& name : names) {
            if (auto key = key_of(run, name)) {
                keys.push_back(std::move(*key));
            }
        }
    }
    return keys;
}

}  // namespace drydock::agent
