// Files that fit into one chunk, and what all files have in common.
#include "mover/tree/copier.h"
#include "mover/tree/file_state.h"
#include "mover/tree/manifest.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace drydock::mover::tree {
namespace {

constexpr int k_attempts = 3;  // to read a file in one state

std::string inode_text(const Entry& entry) {
    return entry.names > 1 ? fmt::format("{}:{}", entry.device, entry.inode) : std::string();
}

}  // namespace

// True if an earlier run of this copy completed the file. It gave it the time of modification last,
// and the source's inode was not changed since. A half-done file could have that time by accident
// only if the source was written at that very moment, and then its inode was changed then, too.
// What the target refused to take was refused for good only if it is refused again.
Result<bool> Copier::is_completed(const Folder& folder,
                                  const std::string& name,
                                  const os::Fd& source,
                                  const Entry& entry,
                                  const Entry& staged) const {
    const bool is_equal = staged.kind == entry.kind && staged.bytes == entry.bytes
                          && staged.modified == entry.modified && staged.mode == entry.mode
                          && staged.user == entry.user && staged.group == entry.group;
    if (!is_equal || entry.changed >= staged.changed
        || (!parts_.trusts_all && staged.changed >= parts_.durable_until)) {
        return false;
    }
    DRYDOCK_TRY_ASSIGN(const auto wanted, read_extended(source.get()));
    DRYDOCK_TRY_ASSIGN(const auto found, read_extended(folder.staged.get(), name));
    return wanted == found;
}

// Notes what is kept in memory only while an earlier run copied the file.
Status Copier::keep_file(Workspace& workspace,
                         const Folder& folder,
                         const std::string& name,
                         const os::Fd& source,
                         const Entry& entry) {
    if (const std::uint32_t flags = read_flags(source.get()); flags != 0) {
        DRYDOCK_TRY(notes_.add_flags(folder.path_of(name), flags));
    }
    if (entry.names > 1) {
        DRYDOCK_TRY_ASSIGN(const os::Fd staged, open_entry(folder.staged.get(), name, O_RDONLY));
        DRYDOCK_TRY_ASSIGN(const FileData data,
                           digest_file(staged.get(), entry, request_.digest, workspace));
        DRYDOCK_TRY(notes_.set_digest({entry.device, entry.inode}, data.digest));
    }
    report_.change([&](CopyReport& report) {
        ++report.kept;
        report.kept_bytes += entry.bytes;
    });
    return {};
}

// Reads both files. Returns the digest if their content is the same, else an empty text.
Result<std::string> Copier::same_content(Workspace& workspace,
                                         const os::Fd& source,
                                         const Entry& entry,
                                         const os::Fd& there) {
    DRYDOCK_TRY_ASSIGN(const Entry found, read_entry(there.get(), ""));
    if (found.bytes != entry.bytes) {
        return std::string();
    }
    wait_for_rate(entry.bytes);
    DRYDOCK_TRY_ASSIGN(const FileData data,
                       digest_file(source.get(), entry, request_.digest, workspace));
    DRYDOCK_TRY_ASSIGN(const FileData target,
                       digest_file(there.get(), found, request_.digest, workspace));
    bytes_ += data.bytes + target.bytes;
    const bool is_same = data.digest == target.digest && !has_changed(source, entry, data.bytes);
    return is_same ? data.digest : std::string();
}

bool Copier::leaves_other(const std::string& path) {
    if (!request_.replaces) {
        report_.add_problem(&CopyReport::differ,
                            path,
                            {"tree.occupied", "the target has something else there", "", {}});
    }
    return !request_.replaces;
}

// Size and time prove nothing about a file that this copy did not write: both are read.
Result<bool> Copier::is_at_target(Workspace& workspace,
                                  const FolderRef& folder,
                                  const std::string& name,
                                  const os::Fd& source,
                                  const Entry& entry) {
    if (!folder->existing) {
        return false;
    }
    const auto found = read_entry(folder->existing.get(), name);
    if (!found && found.error().code == "tree.vanished") {
        return false;
    }
    DRYDOCK_TRY(found);
    if (found->kind != Kind::file) {
        return leaves_other(folder->path_of(name));
    }
    DRYDOCK_TRY_ASSIGN(os::Fd there, open_entry(folder->existing.get(), name, O_RDONLY));
    DRYDOCK_TRY_ASSIGN(std::string digest, same_content(workspace, source, entry, there));
    if (digest.empty()) {
        return leaves_other(folder->path_of(name));
    }
    report_.change([](CopyReport& report) { ++report.equal; });
    DRYDOCK_TRY_ASSIGN(const auto wanted, read_extended(source.get()));
    report_.add_refusals(folder->path_of(name), remove_extra_attributes(there.get(), wanted));
    DRYDOCK_TRY(finish_file(
        workspace,
        Done{folder, name, source.get(), std::move(there), entry, std::move(digest), false}));
    return true;
}

Status Copier::copy_file(Workspace& workspace,
                         const FolderRef& folder,
                         const std::string& name,
                         os::Fd source,
                         const Entry& entry) {
    if (parts_.hand_back && entry.bytes > k_chunk_bytes) {
        parts_.hand_back(workspace, name);
        return {};
    }
    report_.change([](CopyReport& report) { ++report.files; });
    DRYDOCK_TRY_ASSIGN(const bool is_further, is_further_name(folder, name, entry));
    if (is_further) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const auto staged, left_behind(*folder, name, Kind::file));
    DRYDOCK_TRY_ASSIGN(const bool is_there, is_at_target(workspace, folder, name, source, entry));
    if (is_there) {
        return {};
    }
    if (staged) {
        DRYDOCK_TRY_ASSIGN(const bool is_kept, is_completed(*folder, name, source, entry, *staged));
        if (is_kept) {
            return keep_file(workspace, *folder, name, source, entry);
        }
    }
    return entry.bytes > k_chunk_bytes ? start_large(folder, name, std::move(source), entry)
                                       : copy_whole(workspace, folder, name, source, entry);
}

// Blocks are shared only where that is cheaper than a copy.
bool Copier::clone(const os::Fd& source, const os::Fd& target, const Entry& entry) {
    constexpr std::int64_t k_least_bytes = std::int64_t{64} << 10;
    if (entry.bytes < k_least_bytes || !clones_) {
        return false;
    }
    const bool is_cloned = clone_data(source.get(), target.get());
    clones_ = is_cloned;
    return is_cloned;
}

// A file that changes meanwhile is read again, a few times.
Status Copier::copy_whole(Workspace& workspace,
                          const FolderRef& folder,
                          const std::string& name,
                          const os::Fd& source,
                          Entry entry) {
    wait_for_rate(entry.bytes);
    DRYDOCK_TRY_ASSIGN(NewFile made, new_files_.make(*folder, name, entry));
    for (int attempt = 1;; ++attempt) {
        const auto data =
            clone(source, made.file, entry)
                ? digest_file(made.file.get(), entry, request_.digest, workspace)
                : copy_data(source.get(), made.file.get(), entry, request_.digest, workspace);
        if (!data) {
            static_cast<void>(remove_entry(folder->staged.get(), name));
            return tl::unexpected(data.error());
        }
        bytes_ += data->bytes;
        const bool changed = has_changed(source, entry, data->bytes);
        if (!changed || attempt == k_attempts) {
            const Status finished = finish_file(workspace,
                                                Done{folder,
                                                     name,
                                                     source.get(),
                                                     std::move(made.file),
                                                     entry,
                                                     data->digest,
                                                     changed,
                                                     made.preset});
            if (finished) {
                count_copied(entry);
            } else {
                static_cast<void>(remove_entry(folder->staged.get(), name));
            }
            return finished;
        }
        DRYDOCK_TRY_ASSIGN(entry, read_entry(source.get(), ""));
        made.preset = {};  // owner and mode may be others now
        if (::ftruncate(made.file.get(), 0) != 0) {
            return fail_write("empty the file", errno);
        }
    }
}

Status Copier::finish_file(Workspace& workspace, Done done) {
    const Entry& entry = done.entry;
    ManifestEntry found = {done.folder->path_of(done.name), entry};
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(done.source));
    found.flags = read_flags(done.source);
    found.digest = std::move(done.digest);
    found.inode = inode_text(entry);
    found.has_changed = done.has_changed;
    report_.add_refusals(found.path,
                         set_attributes(done.target.get(), entry, found.extended, done.preset));
    if (entry.names > 1) {
        DRYDOCK_TRY(notes_.set_digest({entry.device, entry.inode}, found.digest));
    }
    if (found.flags != 0) {  // set behind the last rename: an immutable file has its place for good
        DRYDOCK_TRY(notes_.add_flags(found.path, found.flags));
    }
    if (found.has_changed) {
        report_.add_problem(&CopyReport::changed,
                            found.path,
                            {"tree.changed", "it was changed while it was copied", "", {}});
    }
    return segments_.add(
        workspace.number(),
        line_of(found),
        Finished{std::move(done.folder), std::move(done.name), std::move(done.target), entry, 0});
}

void Copier::count_copied(const Entry& entry) {
    report_.change([&](CopyReport& report) {
        ++report.copied;
        report.bytes += entry.bytes;
    });
}

}  // namespace drydock::mover::tree
