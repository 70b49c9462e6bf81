// Walk: visits every entry of a tree with several threads, each entry once, every folder behind all
// that is in it.
//
// Each entry is reached by its name from the open folder above it and never by a path. So the
// length of paths has no limit, and nobody leads the walk out of the tree with a link. Memory holds
// the folders that are open, not the tree. A visitor is called by several threads at the same time.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "mover/tree/names.h"
#include "mover/tree/workers.h"
#include "os/files.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace drydock::mover::tree {

// A folder that is open as long as anything in it is under way.
struct Folder {
    std::shared_ptr<Folder> parent;  // shared by all that is open below it
    std::string name;                // empty: the root
    Entry entry;
    os::Fd source;
    os::Fd staged;        // for a copy: where it is built up
    os::Fd existing;      // for a copy: the folder of that path at the target, if there is one
    bool is_new = false;  // `staged` was made by this process
    // What an earlier process left in `staged`, on a target that takes some names for the same.
    std::optional<std::set<std::string>> left = {};
    std::atomic<std::int64_t> pending = 1;

    [[nodiscard]] std::string path() const;  // from the root, "" for the root itself
    [[nodiscard]] std::string path_of(const std::string& child) const;

    // True if an earlier process may have left something in `staged` under this name.
    [[nodiscard]] bool may_have_left(const std::string& child) const {
        return !is_new && (!left || left->contains(child));
    }
};

using FolderRef = std::shared_ptr<Folder>;

// Shared by a task and what tells it to another process.
using NamesRef = std::shared_ptr<const std::vector<Name>>;

class Visitor {
public:
    virtual ~Visitor() = default;
    // Returns false if what is in the folder is to be left out.
    [[nodiscard]] virtual bool enter(Workspace& workspace, Folder& folder) = 0;
    virtual void visit(Workspace& workspace, const FolderRef& folder, const Name& name) = 0;
    virtual void leave(Workspace& workspace, Folder& folder) = 0;
    virtual void fail(const std::string& path, const Error& error) = 0;
};

// Lets a folder stay open for one more task, and ends that: the last one leaves the folder.
inline void retain(Folder& folder) {
    ++folder.pending;
}

void release(Visitor& visitor, Workspace& workspace, FolderRef folder);

struct WalkOptions {
    bool stays_on_file_system = false;  // folders of other file systems are entered empty
    // True for a path from the root that is left out, a folder with all that is in it; may be
    // empty.
    std::function<bool(const std::string& path, bool is_folder)> leaves_out = {};
    // Offers what is in a folder and no folder to other processes; may be empty.
    std::function<Offer(const FolderRef& folder, const NamesRef& names)> offer = {};
};

class Walk {
public:
    Walk(Workers& workers, Visitor& visitor, WalkOptions options)
        : workers_(workers)
        , visitor_(visitor)
        , options_(std::move(options)) {}

    // Begins with an open folder; Workers::finish() waits for the end.
    void start(os::Fd root, Entry entry);

private:
    void enter(Workspace& workspace, const FolderRef& folder);
    void open_folder(Workspace& workspace, const FolderRef& parent, const std::string& name);
    void list(Workspace& workspace, const FolderRef& folder);
    // True if the name is to be visited.
    [[nodiscard]] bool visit_name(const FolderRef& folder, Name& name);
    void visit_all(Workspace& workspace, const FolderRef& folder, const std::vector<Name>& names);
    void offer(const FolderRef& folder, std::vector<Name> names);

    Workers& workers_;
    Visitor& visitor_;
    WalkOptions options_;
    std::uint64_t device_ = 0;
};

// Opens a folder or a file for reading, never a link, and without a change of its time of access
// where that is allowed. Error: "tree.open", or "tree.vanished".
[[nodiscard]] Result<os::Fd> open_entry(int folder, const std::string& name, int flags);

// Opens the folder that a person named: it may be a link. Error: "tree.open".
[[nodiscard]] Result<os::Fd> open_root(const std::string& path);

}  // namespace drydock::mover::tree
