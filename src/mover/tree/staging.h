// Staging: the folder at the target in which a copy is built up, and from which it is published.
//
// It is TARGET/.drydock-copy, which only its owner may enter. Nothing in it is ever seen under its
// final name half done. When all is copied, entries are renamed to their places, which moves no
// data. Folders that are at the target already are kept, and only what is new is moved into them.
// Not thread-safe.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "os/files.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace drydock::mover::tree {

inline constexpr const char* k_staging_name = ".drydock-copy";

class Staging {
public:
    // Opens the target and the staging folder in it; makes both if they are missing. `known` is the
    // identity of the one that this copy made. Errors: "tree.target"; "tree.busy" if another
    // process copies there; "tree.staging" if another copy has left something in it.
    [[nodiscard]] static Result<Staging> open(const std::string& target, const std::string& known);

    // Opens the staging folder that another process of the same copy has. `mark` is a file that it
    // put there: without it, another file system is mounted here. Error: "tree.rank".
    [[nodiscard]] static Result<Staging> join(const std::string& target, const std::string& mark);

    // Tells this folder from one of the same name that is made later.
    [[nodiscard]] Result<std::string> identity() const;

    [[nodiscard]] int target() const { return target_.get(); }

    [[nodiscard]] int folder() const { return folder_.get(); }

    // True if this call of open() made the folder.
    [[nodiscard]] bool is_new() const { return is_new_; }

    // True if the target takes some names for the same, such as those that differ in case only. The
    // folder has to be empty: names are made in it.
    [[nodiscard]] Result<bool> folds_names() const;

    // Returns the time that the target's clock gives to a change of now.
    [[nodiscard]] Result<Time> target_time() const;
    // Brings everything on the target's file system to its disk.
    [[nodiscard]] Status sync() const;

    // Moves everything to its place. Entries that are in the way stay, and are told to `failed`,
    // unless `replaces`.
    [[nodiscard]] Status
    publish(bool replaces,
            const std::function<void(const std::string& path, const Error& error)>& failed);

    // Removes the staging folder, which must be empty.
    [[nodiscard]] Status remove() const;

private:
    Staging(os::Fd target, os::Fd folder, bool is_new)
        : target_(std::move(target))
        , folder_(std::move(folder))
        , is_new_(is_new) {}

    os::Fd target_;
    os::Fd folder_;
    bool is_new_;
};

// Removes an entry with all that is in it. Never follows a link. Error: "tree.remove".
[[nodiscard]] Status remove_entry(int folder, const std::string& name);

// Returns the folder of a path below a root, empty for the root itself, and the name in it.
[[nodiscard]] std::pair<std::string, std::string> split_path(const std::string& path);

// Opens the folder that a path leads to below an open one, without following a link. Error:
// "tree.open", "tree.vanished".
[[nodiscard]] Result<os::Fd> open_folder_below(int root, const std::string& path);

}  // namespace drydock::mover::tree
