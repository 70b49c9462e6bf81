// What the source lost, or has as something else, since an earlier start of the copy.
//
// Each entry that is removed from the staging folder gets a line before, in a file of its own that
// counts behind those of all threads of the walk: else the manifest would have it still.
#include "mover/tree/copier.h"
#include "mover/tree/manifest.h"
#include "mover/tree/names.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace drydock::mover::tree {
namespace {

// Calls `take` for all that is in an open folder, from its begin.
template <class Take>
Status each_name(int folder, const Take& take) {
    if (::lseek(folder, 0, SEEK_SET) < 0) {
        return drydock::fail_errno("tree.list", "list", errno);
    }
    while (true) {
        DRYDOCK_TRY_ASSIGN(const auto names, next_names(folder));
        if (names.empty()) {
            return {};
        }
        for (const Name& name : names) {
            DRYDOCK_TRY(take(name.text));
        }
    }
}

// Calls `take` for all that is in a staged folder, and may be removed meanwhile.
template <class Take>
Status each_child(int folder, const std::string& name, const Take& take) {
    DRYDOCK_TRY_ASSIGN(const os::Fd inner, open_entry(folder, name, O_RDONLY | O_DIRECTORY));
    static_cast<void>(::fchmod(inner.get(), S_IRWXU));
    return each_name(inner.get(),
                     [&](const std::string& child) { return take(inner.get(), child); });
}

}  // namespace

// An earlier run may have copied what the source does not have any more.
void Copier::remove_staged_extra(Folder& folder) {
    if (::lseek(folder.staged.get(), 0, SEEK_SET) < 0) {
        return;
    }
    while (true) {
        const auto names = next_names(folder.staged.get());
        if (!names || names->empty()) {
            return;
        }
        for (const Name& name : *names) {
            const auto source = read_entry(folder.source.get(), name.text);
            if (source || source.error().code != "tree.vanished") {
                continue;
            }
            const std::string path = folder.path_of(name.text);
            const Status removed = remove_staged(folder.staged.get(), name.text, path);
            if (!removed) {
                fail(path, removed.error());
            }
        }
    }
}

Status Copier::note_left(Folder& folder) const {
    if (!parts_.folds_names || !resumes_ || folder.is_new) {
        return {};
    }
    folder.left.emplace();
    return each_name(folder.staged.get(), [&](const std::string& name) {
        folder.left->insert(name);
        return Status();
    });
}

Status Copier::remove_staged(int folder, const std::string& name, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder, name));
    if (entry.kind == Kind::folder) {
        DRYDOCK_TRY(each_child(folder, name, [&](int inner, const std::string& child) {
            return remove_staged(inner, child, path + "/" + child);
        }));
    }
    {
        const std::lock_guard lock(removals_mutex_);
        DRYDOCK_TRY(segments_.add_line(removal_thread(), removal_of(path)));
        DRYDOCK_TRY(segments_.flush(removal_thread()));
    }
    return remove_entry(folder, name);
}

Result<std::optional<Entry>>
Copier::left_behind(const Folder& folder, const std::string& name, Kind kind) {
    if (!resumes_ || !folder.may_have_left(name)) {
        return std::optional<Entry>();
    }
    const auto staged = read_entry(folder.staged.get(), name);
    if (!staged) {
        return std::optional<Entry>();
    }
    if ((staged->kind == Kind::folder) == (kind == Kind::folder)) {
        return std::optional(*staged);
    }
    if (staged->kind == Kind::folder) {
        const std::string path = folder.path_of(name);
        DRYDOCK_TRY(each_child(folder.staged.get(), name, [&](int inner, const std::string& child) {
            return remove_staged(inner, child, path + "/" + child);
        }));
    }
    DRYDOCK_TRY(remove_entry(folder.staged.get(), name));  // the name itself gets a new line
    return std::optional<Entry>();
}

}  // namespace drydock::mover::tree
