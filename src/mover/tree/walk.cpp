// A task reads some names of a folder and first pushes the rest of it, so a large folder is worked
// on by all threads. Folders that were found lie above that rest on the stack: depth comes first.
#include "mover/tree/walk.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace drydock::mover::tree {

std::string Folder::path() const {
    return parent ? parent->path_of(name) : std::string();
}

// From its end: one allocation for each of millions of entries.
std::string Folder::path_of(const std::string& child) const {
    std::size_t size = child.size();
    for (const Folder* folder = this; folder->parent; folder = folder->parent.get()) {
        size += folder->name.size() + 1;
    }
    std::string path(size, '/');
    std::size_t at = size - child.size();
    path.replace(at, child.size(), child);
    for (const Folder* folder = this; folder->parent; folder = folder->parent.get()) {
        at -= folder->name.size() + 1;  // the slash behind it is there
        path.replace(at, folder->name.size(), folder->name);
    }
    return path;
}

Result<os::Fd> open_entry(int folder, const std::string& name, int flags) {
    const int all = flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int file = ::openat(folder, name.c_str(), all | O_NOATIME);
    if (file < 0 && errno == EPERM) {  // only its owner may spare the time of access
        file = ::openat(folder, name.c_str(), all);
    }
    if (file < 0) {
        return fail_errno(errno == ENOENT ? "tree.vanished" : "tree.open", "open", errno);
    }
    return os::Fd(file);
}

Result<os::Fd> open_root(const std::string& path) {
    os::Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        return fail_errno("tree.open", "open " + path, errno);
    }
    return folder;
}

void Walk::start(os::Fd root, Entry entry) {
    device_ = entry.device;
    auto folder = std::make_shared<Folder>();
    folder->entry = entry;
    folder->source = std::move(root);
    workers_.push([this, folder](Workspace& workspace) { enter(workspace, folder); });
}

void release(Visitor& visitor, Workspace& workspace, FolderRef folder) {
    while (folder && --folder->pending == 0) {
        visitor.leave(workspace, *folder);
        FolderRef parent = folder->parent;
        folder = std::move(parent);
    }
}

void Walk::enter(Workspace& workspace, const FolderRef& folder) {
    const bool is_mount = options_.stays_on_file_system && folder->entry.device != device_;
    if (visitor_.enter(workspace, *folder) && !is_mount) {
        list(workspace, folder);
    }
    release(visitor_, workspace, folder);
}

void Walk::open_folder(Workspace& workspace, const FolderRef& parent, const std::string& name) {
    auto folder = std::make_shared<Folder>();
    folder->parent = parent;
    folder->name = name;
    auto opened = open_entry(parent->source.get(), name, O_RDONLY | O_DIRECTORY);
    auto entry = opened ? read_entry(opened->get(), "") : tl::unexpected(opened.error());
    if (!entry) {
        visitor_.fail(parent->path_of(name), entry.error());
        release(visitor_, workspace, parent);
        return;
    }
    folder->source = std::move(*opened);
    folder->entry = *entry;
    enter(workspace, folder);
}

void Walk::list(Workspace& workspace, const FolderRef& folder) {
    auto names = next_names(folder->source.get());
    if (!names) {
        visitor_.fail(folder->path(), names.error());
        return;
    }
    if (names->empty()) {
        return;
    }
    retain(*folder);
    workers_.push([this, folder](Workspace& later) {
        list(later, folder);
        release(visitor_, later, folder);
    });
    std::vector<Name> files;
    for (Name& name : *names) {
        if (visit_name(folder, name)) {
            files.push_back(std::move(name));
        }
    }
    if (options_.offer) {
        offer(folder, std::move(files));
    } else {
        visit_all(workspace, folder, files);
    }
}

void Walk::visit_all(Workspace& workspace,
                     const FolderRef& folder,
                     const std::vector<Name>& names) {
    for (const Name& name : names) {
        visitor_.visit(workspace, folder, name);
    }
}

// In portions that are small beside what a process has to do until it asks for more.
void Walk::offer(const FolderRef& folder, std::vector<Name> names) {
    constexpr std::size_t k_names_max = 128;
    for (std::size_t at = 0; at < names.size(); at += k_names_max) {
        const std::size_t count = std::min(k_names_max, names.size() - at);
        const auto begin = names.begin() + static_cast<std::ptrdiff_t>(at);
        const auto some = std::make_shared<const std::vector<Name>>(
            std::make_move_iterator(begin),
            std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count)));
        retain(*folder);
        workers_.push(
            [this, folder, some](Workspace& later) {
                visit_all(later, folder, *some);
                release(visitor_, later, folder);
            },
            options_.offer(folder, some));
    }
}

bool Walk::visit_name(const FolderRef& folder, Name& name) {
    if (name.listed == Listed::unknown) {
        const auto entry = read_entry(folder->source.get(), name.text);
        name.listed = entry && entry->kind == Kind::folder ? Listed::folder : Listed::unknown;
    }
    const bool is_folder = name.listed == Listed::folder;
    if (options_.leaves_out && options_.leaves_out(folder->path_of(name.text), is_folder)) {
        return false;
    }
    if (!is_folder) {
        return true;
    }
    retain(*folder);
    workers_.push([this, folder, text = std::move(name.text)](Workspace& later) {
        open_folder(later, folder, text);
    });
    return false;
}

}  // namespace drydock::mover::tree
