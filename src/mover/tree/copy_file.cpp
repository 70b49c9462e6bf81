// Files: whole ones, chunks of large ones, and further names of a file.
#include "mover/tree/copier.h"
#include "mover/tree/manifest.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

namespace drydock::mover::tree {
namespace {

constexpr std::int64_t k_block_bytes = 512;  // the unit of Entry::blocks
constexpr int k_attempts = 3;                // to read a file in one state
constexpr std::int64_t k_fresh_s =
    60;  // a file that was changed so late is never taken for complete

bool is_same_state(const Entry& left, const Entry& right) {
    return left.bytes == right.bytes && left.modified == right.modified
           && left.changed == right.changed;
}

// A file was changed if size, time of modification or time of the inode differ behind the read.
bool has_changed(const os::Fd& source, const Entry& before, std::int64_t bytes_read) {
    const auto after = read_entry(source.get(), "");
    return !after || !is_same_state(before, *after) || bytes_read != before.bytes;
}

std::string inode_text(const Entry& entry) {
    return entry.names > 1 ? fmt::format("{}:{}", entry.device, entry.inode) : std::string();
}

// Names the state of a source, so that chunks of an earlier state count for nothing.
std::string version_of(const Entry& entry, DigestKind kind) {
    return fmt::format("{} {}.{:09} {}.{:09} {} {}",
                       entry.bytes,
                       entry.modified.seconds,
                       entry.modified.nanoseconds,
                       entry.changed.seconds,
                       entry.changed.nanoseconds,
                       entry.inode,
                       name_of(kind));
}

std::pair<std::string, std::string> split_path(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? std::pair(std::string(), path)
                              : std::pair(path.substr(0, slash), path.substr(slash + 1));
}

}  // namespace

// A large file while its chunks are copied by several threads.
struct Copier::LargeFile {
    LargeFile(DigestKind kind, const Entry& found) : entry(found), digests(kind, found.bytes) {}

    FolderRef folder;  // keeps the folder open
    std::string name;
    os::Fd source;
    os::Fd target;
    Entry entry;
    std::string version;
    std::map<std::int64_t, std::string> done;  // chunks of an earlier run
    std::mutex mutex;                          // of what follows
    ChunkDigests digests;
    std::int64_t next = 0;  // chunk
    std::atomic<std::int64_t> under_way = 0;
    std::atomic<bool> has_failed = false;
    std::atomic<bool> is_short = false;  // it was cut while it was read

    // Returns the next chunk that is no hole; -1 behind the last one.
    std::int64_t take_chunk() {
        const std::lock_guard lock(mutex);
        if (next >= digests.chunks()) {
            return -1;
        }
        if (entry.blocks * k_block_bytes < entry.bytes) {
            const off_t data = ::lseek(source.get(), next * k_chunk_bytes, SEEK_DATA);
            next = data >= 0        ? std::max(next, data / k_chunk_bytes)
                   : errno == ENXIO ? digests.chunks()
                                    : next;
        }
        return next < digests.chunks() ? next++ : -1;
    }
};

Result<bool>
Copier::is_further_name(const FolderRef& folder, const std::string& name, const Entry& entry) {
    if (entry.names < 2 || entry.kind == Kind::folder) {
        return false;
    }
    const FileId file = {entry.device, entry.inode};
    const std::string path = folder->path_of(name);
    DRYDOCK_TRY_ASSIGN(const FirstName first, journal_.first_name(file, path));
    if (first.path == path) {
        return false;
    }
    DRYDOCK_TRY(journal_.add_link(path, file));
    return true;
}

// True if an earlier run of this copy completed the file. It gave it the time of modification last.
bool Copier::is_completed(const Folder& folder, const std::string& name, const Entry& entry) const {
    if (!resumes_ || folder.is_new) {
        return false;
    }
    const auto staged = read_entry(folder.staged.get(), name);
    const bool is_equal = staged && staged->kind == entry.kind && staged->bytes == entry.bytes
                          && staged->modified == entry.modified && staged->mode == entry.mode;
    return is_equal && entry.modified.seconds + k_fresh_s < begun_s_
           && (trusts_all_ || staged->changed < durable_until_);
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
    auto there = open_entry(folder->existing.get(), name, O_RDONLY);
    if (!there && there.error().code == "tree.vanished") {
        return false;
    }
    const auto found = there ? read_entry(there->get(), "") : tl::unexpected(there.error());
    DRYDOCK_TRY(found);
    bool is_equal = found->kind == Kind::file && found->bytes == entry.bytes && entry.names == 1
                    && found->names == 1;
    FileData data;
    if (is_equal) {
        DRYDOCK_TRY_ASSIGN(data,
                           copy_data(source.get(), k_no_target, entry, request_.digest, workspace));
        DRYDOCK_TRY_ASSIGN(
            const FileData target,
            copy_data(there->get(), k_no_target, *found, request_.digest, workspace));
        bytes_ += data.bytes + target.bytes;
        is_equal = data.digest == target.digest && !has_changed(source, entry, data.bytes);
    }
    if (is_equal) {
        report_.change([](CopyReport& report) { ++report.equal; });
        DRYDOCK_TRY(finish_file(
            workspace,
            Done{folder, name, source.get(), std::move(*there), entry, data.digest, false}));
        return true;
    }
    if (!request_.replaces) {
        report_.add_problem(&CopyReport::differ,
                            folder->path_of(name),
                            {"tree.occupied", "the target has other content", "", {}});
    }
    return !request_.replaces;
}

Status Copier::copy_file(Workspace& workspace,
                         const FolderRef& folder,
                         const std::string& name,
                         os::Fd source,
                         const Entry& entry) {
    report_.change([](CopyReport& report) { ++report.files; });
    DRYDOCK_TRY_ASSIGN(const bool is_further, is_further_name(folder, name, entry));
    if (is_further) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const bool is_there, is_at_target(workspace, folder, name, source, entry));
    if (is_there) {
        return {};
    }
    if (is_completed(*folder, name, entry)) {
        report_.change([&](CopyReport& report) {
            ++report.kept;
            report.kept_bytes += entry.bytes;
        });
        return {};
    }
    return entry.bytes > k_chunk_bytes ? start_large(folder, name, std::move(source), entry)
                                       : copy_whole(workspace, folder, name, source, entry);
}

namespace {

// A new file that nobody else can open. What an earlier run left half done is removed.
Result<os::Fd> make_staged(const Folder& folder, const std::string& name, bool resumes) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    os::Fd file(::openat(folder.staged.get(), name.c_str(), flags, 0600));
    if (!file && errno == EEXIST && resumes && !folder.is_new) {
        DRYDOCK_TRY(remove_entry(folder.staged.get(), name));
        file = os::Fd(::openat(folder.staged.get(), name.c_str(), flags, 0600));
    }
    if (!file) {
        return fail_write("make the file", errno);
    }
    return file;
}

}  // namespace

// A file that changes meanwhile is read again, a few times.
Status Copier::copy_whole(Workspace& workspace,
                          const FolderRef& folder,
                          const std::string& name,
                          const os::Fd& source,
                          Entry entry) {
    DRYDOCK_TRY_ASSIGN(os::Fd target, make_staged(*folder, name, resumes_));
    for (int attempt = 1;; ++attempt) {
        const auto data = copy_data(source.get(), target.get(), entry, request_.digest, workspace);
        if (!data) {
            static_cast<void>(remove_entry(folder->staged.get(), name));
            return tl::unexpected(data.error());
        }
        bytes_ += data->bytes;
        const bool changed = has_changed(source, entry, data->bytes);
        if (!changed || attempt == k_attempts) {
            count_copied(entry);
            return finish_file(
                workspace,
                Done{folder, name, source.get(), std::move(target), entry, data->digest, changed});
        }
        DRYDOCK_TRY_ASSIGN(entry, read_entry(source.get(), ""));
        if (::ftruncate(target.get(), 0) != 0) {
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
    note_refusals(found.path, give_attributes(done.target.get(), entry, found.extended));
    if (entry.names > 1) {
        DRYDOCK_TRY(journal_.set_digest({entry.device, entry.inode}, found.digest));
    }
    if (found.flags != 0) {  // set behind the last rename: an immutable file has its place for good
        DRYDOCK_TRY(journal_.add_flags(found.path, found.flags));
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

Status Copier::start_large(const FolderRef& folder,
                           const std::string& name,
                           os::Fd source,
                           const Entry& entry) {
    const std::string path = folder->path_of(name);
    auto file = std::make_shared<LargeFile>(request_.digest, entry);
    file->folder = folder;
    file->name = name;
    file->source = std::move(source);
    file->version = version_of(entry, request_.digest);
    DRYDOCK_TRY_ASSIGN(file->done, journal_.chunks(path, file->version));
    if (!file->done.empty() && trusts_all_ && resumes_ && !folder->is_new) {
        file->target =
            os::Fd(::openat(folder->staged.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!file->target) {
        file->done.clear();
        DRYDOCK_TRY(journal_.remove_chunks(path));
        DRYDOCK_TRY_ASSIGN(file->target, make_staged(*folder, name, resumes_));
    }
    push_chunk(file);
    return {};
}

void Copier::push_chunk(const std::shared_ptr<LargeFile>& file) {
    hold(*file->folder);
    ++file->under_way;
    workers_.push([this, file](Workspace& workspace) {
        copy_next_chunk(workspace, file);
        const FolderRef folder = file->folder;
        if (--file->under_way == 0 && !file->has_failed) {
            if (const Status finished = finish_large(workspace, *file); !finished) {
                fail(folder->path_of(file->name), finished.error());
            }
        }
        release(*this, workspace, folder);
    });
}

// The next task is pushed first, so other threads work on the same file.
void Copier::copy_next_chunk(Workspace& workspace, const std::shared_ptr<LargeFile>& file) {
    const std::int64_t chunk = file->take_chunk();
    if (chunk < 0 || file->has_failed || report_.end()) {
        file->has_failed = file->has_failed || (chunk >= 0 && report_.end());
        return;
    }
    push_chunk(file);
    if (const Status copied = copy_one_chunk(workspace, *file, chunk); !copied) {
        file->has_failed = true;
        fail(file->folder->path_of(file->name), copied.error());
    }
    sync_sometimes();
}

Status Copier::copy_one_chunk(Workspace& workspace, LargeFile& file, std::int64_t chunk) {
    std::string digest;
    if (const auto known = file.done.find(chunk); known != file.done.end()) {
        digest = known->second;
        report_.change(
            [&](CopyReport& report) { report.kept_bytes += file.digests.bytes_of(chunk); });
    } else {
        DRYDOCK_TRY_ASSIGN(const FileData data,
                           copy_chunk(file.source.get(),
                                      file.target.get(),
                                      file.entry,
                                      chunk,
                                      request_.digest,
                                      workspace));
        digest = data.digest;
        bytes_ += data.bytes;
        file.is_short = file.is_short || data.bytes < file.digests.bytes_of(chunk);
        DRYDOCK_TRY(
            journal_.add_chunk(file.folder->path_of(file.name), file.version, chunk, digest));
    }
    if (!digest.empty()) {
        const std::lock_guard lock(file.mutex);
        file.digests.add(chunk, digest);
    }
    return {};
}

// A large file that changes meanwhile is told and not read again: that could last for ever.
Status Copier::finish_large(Workspace& workspace, LargeFile& file) {
    const std::string path = file.folder->path_of(file.name);
    if (::ftruncate(file.target.get(), file.entry.bytes) != 0) {
        return fail_write("set the size", errno);
    }
    const bool changed = file.is_short || has_changed(file.source, file.entry, file.entry.bytes);
    count_copied(file.entry);
    DRYDOCK_TRY(finish_file(workspace,
                            Done{file.folder,
                                 file.name,
                                 file.source.get(),
                                 std::move(file.target),
                                 file.entry,
                                 file.digests.whole(),
                                 changed}));
    return journal_.remove_chunks(path);
}

// The folder of the link has its times already, so these are given once more.
Status Copier::make_link(Workspace& workspace, const std::string& path, const FirstName& first) {
    const auto [from_path, from_name] = split_path(first.path);
    const auto [into_path, into_name] = split_path(path);
    DRYDOCK_TRY_ASSIGN(const os::Fd from, open_folder_below(staging_.folder(), from_path));
    DRYDOCK_TRY_ASSIGN(const os::Fd into, open_folder_below(staging_.folder(), into_path));
    DRYDOCK_TRY_ASSIGN(const Entry folder, read_entry(into.get(), ""));
    ManifestEntry found = {path, {}};
    DRYDOCK_TRY_ASSIGN(found.entry, read_entry(from.get(), from_name));
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(from.get(), from_name));
    if (found.entry.kind == Kind::link) {
        DRYDOCK_TRY_ASSIGN(found.link_target, read_link(from.get(), from_name));
    }
    found.digest = first.digest;
    found.inode = fmt::format("{}:{}", first.file.device, first.file.inode);
    DRYDOCK_TRY(remove_entry(into.get(), into_name));
    static_cast<void>(::fchmod(into.get(), S_IRWXU));
    const int linked = ::linkat(from.get(), from_name.c_str(), into.get(), into_name.c_str(), 0);
    const int error = errno;
    static_cast<void>(::fchmod(into.get(), folder.mode));
    static_cast<void>(give_times(into.get(), folder, 0));
    if (linked != 0) {
        return fail_write("make the link", error);
    }
    report_.change([](CopyReport& report) { ++report.names; });
    return segments_.add_line(workspace.number(), line_of(found));
}

Status Copier::make_links(Workspace& workspace) {
    return journal_.each_link([&](const std::string& path, const FirstName& first) {
        if (const Status made = make_link(workspace, path, first); !made) {
            fail(path, made.error());
        }
    });
}

}  // namespace drydock::mover::tree
