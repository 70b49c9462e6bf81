// Large files, chunk by chunk: several threads work on one, and it goes on behind its chunks.
#include "mover/tree/copier.h"
#include "mover/tree/direct_copy.h"
#include "mover/tree/file_state.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

namespace drydock::mover::tree {
namespace {

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
    std::optional<DirectCopy> direct;
    bool is_cloned = false;                    // what is left to be done is to read it
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
        const off_t data = ::lseek(source.get(), next * k_chunk_bytes, SEEK_DATA);
        next = data >= 0        ? std::max(next, data / k_chunk_bytes)
               : errno == ENXIO ? digests.chunks()
                                : next;
        return next < digests.chunks() ? next++ : -1;
    }

    // An empty digest is that of a hole.
    void add_digest(std::int64_t chunk, std::string digest) {
        if (!digest.empty()) {
            const std::lock_guard lock(mutex);
            digests.add(chunk, std::move(digest));
        }
    }
};

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
    DRYDOCK_TRY_ASSIGN(file->done, journal().chunks(path, file->version));
    if (!file->done.empty() && parts_.trusts_all && resumes_ && !folder->is_new) {
        file->target =
            os::Fd(::openat(folder->staged.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    }
    if (!file->target) {
        file->done.clear();
        DRYDOCK_TRY(journal().remove_chunks(path));
        DRYDOCK_TRY_ASSIGN(file->target, make_staged(*folder, name, resumes_));
        file->is_cloned = clone(file->source, file->target, entry);
    }
    if (!file->is_cloned && !request_.profile.is_plain) {
        file->direct = DirectCopy::open(file->source.get(), file->target.get(), entry);
    }
    push_chunk(file);
    return {};
}

void Copier::push_chunk(const std::shared_ptr<LargeFile>& file) {
    retain(*file->folder);
    ++file->under_way;
    const auto copy = [this, file](Workspace& workspace) {
        copy_next_chunk(workspace, file);
        end_chunk(workspace, file);
    };
    if (parts_.helpers > 0) {
        workers_.push(copy, offer_chunk(file));
    } else {
        workers_.push(copy);
    }
}

void Copier::end_chunk(Workspace& workspace, const std::shared_ptr<LargeFile>& file) {
    if (--file->under_way == 0) {
        end_large(workspace, *file);
    }
    release(*this, workspace, file->folder);
}

// A file that failed is removed. One that the end of the whole copy cut off goes on later.
void Copier::end_large(Workspace& workspace, LargeFile& file) {
    Status ended = file.has_failed ? Status() : finish_large(workspace, file);
    if (!ended) {
        fail(file.folder->path_of(file.name), ended.error());
    }
    if ((file.has_failed || !ended) && !report_.end()) {
        const Status removed = remove_entry(file.folder->staged.get(), file.name).and_then([&] {
            return journal().remove_chunks(file.folder->path_of(file.name));
        });
        if (!removed) {
            fail(file.folder->path_of(file.name), removed.error());
        }
    }
}

std::int64_t Copier::next_chunk(LargeFile& file) {
    while (true) {
        const std::int64_t chunk = file.take_chunk();
        const auto known = file.done.find(chunk);
        if (known == file.done.end()) {
            return chunk;
        }
        const std::int64_t bytes = file.digests.bytes_of(chunk);
        report_.change([&](CopyReport& report) { report.kept_bytes += bytes; });
        file.add_digest(chunk, known->second);
    }
}

// The next task is pushed first, so other threads work on the same file.
void Copier::copy_next_chunk(Workspace& workspace, const std::shared_ptr<LargeFile>& file) {
    const std::int64_t chunk = next_chunk(*file);
    const bool is_over = is_ended();
    if (chunk < 0 || file->has_failed || is_over) {
        file->has_failed = file->has_failed || (chunk >= 0 && is_over);
        return;
    }
    push_chunk(file);
    if (const Status copied = copy_one_chunk(workspace, *file, chunk); !copied) {
        fail_chunk(*file, copied.error());
    }
    sync_sometimes();
}

// The first chunk that fails tells it for the file.
void Copier::fail_chunk(LargeFile& file, const Error& error) {
    if (!file.has_failed.exchange(true)) {
        fail(file.folder->path_of(file.name), error);
    }
}

Status Copier::copy_one_chunk(Workspace& workspace, LargeFile& file, std::int64_t chunk) {
    wait_for_rate(file.digests.bytes_of(chunk));
    const int source = (file.is_cloned ? file.target : file.source).get();
    const int target = file.is_cloned ? k_no_target : file.target.get();
    DRYDOCK_TRY_ASSIGN(
        const FileData data,
        file.direct ? file.direct->copy_chunk(file.entry, chunk, request_.digest, workspace)
                    : copy_chunk(source, target, file.entry, chunk, request_.digest, workspace));
    bytes_ += data.bytes;
    return take_chunk(file, chunk, data);
}

Status Copier::take_chunk(LargeFile& file, std::int64_t chunk, const FileData& data) {
    file.is_short = file.is_short || data.bytes < file.digests.bytes_of(chunk);
    file.add_digest(chunk, data.digest);
    return journal().add_chunk(file.folder->path_of(file.name), file.version, chunk, data.digest);
}

// The file is opened once more by its name over there, so its state is told, too.
Offer Copier::offer_chunk(const std::shared_ptr<LargeFile>& file) {
    const auto chunk = std::make_shared<std::int64_t>(-1);
    Offer offer;
    offer.parcel = [this, file, chunk]() -> std::optional<std::string> {
        if (file->has_failed || is_ended()) {
            return {};
        }
        *chunk = next_chunk(*file);
        if (*chunk < 0) {
            return {};
        }
        push_chunk(file);
        return chunk_parcel(*file->folder, file->name, file->entry, *chunk);
    };
    offer.then = [this, file, chunk](Workspace& workspace, const Result<std::string>& answer) {
        Status taken = answer ? Status() : tl::unexpected(answer.error());
        if (answer) {
            PacketReader reader(*answer);
            FileData data = {reader.text(), 0};
            data.bytes = reader.number();
            taken = take_chunk(*file, *chunk, data);
        }
        if (!taken) {
            fail_chunk(*file, taken.error());
        }
        end_chunk(workspace, file);
    };
    return offer;
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
    return journal().remove_chunks(path);
}

}  // namespace drydock::mover::tree
