// Small files: one read, one write. All else goes piece by piece through a buffer that fits into
// the cache of a processor, and the digest takes each piece while it is there.
#include "mover/tree/file_data.h"

#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drydock::mover::tree {
namespace {

constexpr std::int64_t k_block_bytes = 512;  // the unit of Entry::blocks

bool has_holes(const Entry& entry) {
    return entry.blocks * k_block_bytes < entry.bytes;
}

// Reads until the buffer is full or the file ends.
Result<std::int64_t> read_at(int file, char* buffer, std::int64_t size, std::int64_t offset) {
    std::int64_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(file, buffer + done, static_cast<std::size_t>(size - done), offset + done);
        if (got < 0 && errno != EINTR) {
            return fail_errno("tree.read", "read", errno);
        }
        if (got == 0) {
            break;
        }
        done += std::max<ssize_t>(got, 0);
    }
    return done;
}

Status write_at(int file, const char* buffer, std::int64_t size, std::int64_t offset) {
    std::int64_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pwrite(file, buffer + done, static_cast<std::size_t>(size - done), offset + done);
        if (got < 0 && errno != EINTR) {
            return fail_write("write", errno);
        }
        done += std::max<ssize_t>(got, 0);
    }
    return {};
}

// A range of a file that is data or a hole.
struct Range {
    std::int64_t end = 0;
    bool is_hole = false;
};

// What lseek says is a hint: it never leads behind `end`, and an error means data.
Range range_at(int file, std::int64_t offset, std::int64_t end) {
    const off_t data = ::lseek(file, offset, SEEK_DATA);
    if (data < 0) {
        return {end, errno == ENXIO};
    }
    if (data > offset) {
        return {std::min<std::int64_t>(data, end), true};
    }
    const off_t hole = ::lseek(file, offset, SEEK_HOLE);
    return {hole <= offset ? end : std::min<std::int64_t>(hole, end), false};
}

// Copies the data of one range and adds it to the digest. Returns the number of bytes; fewer if the
// file ended.
Result<std::int64_t> copy_range(int source,
                                int target,
                                std::int64_t begin,
                                std::int64_t end,
                                RunningDigest& digest,
                                Workspace& workspace) {
    Buffer& buffer = workspace.small();
    const auto most = static_cast<std::int64_t>(workspace.piece_bytes());
    std::int64_t at = begin;
    while (at < end) {
        const std::int64_t piece = std::min(end - at, most);
        DRYDOCK_TRY_ASSIGN(const std::int64_t got, read_at(source, buffer.data(), piece, at));
        digest.add({buffer.data(), static_cast<std::size_t>(got)});
        if (target != k_no_target) {
            DRYDOCK_TRY(write_at(target, buffer.data(), got, at));
        }
        at += got;
        if (got < piece) {
            break;
        }
    }
    return at - begin;
}

struct Copied {
    std::int64_t bytes = 0;
    bool is_hole = true;
};

// Copies bytes of a file range by range.
Result<Copied> copy_ranges(int source,
                           int target,
                           std::int64_t begin,
                           std::int64_t end,
                           RunningDigest& digest,
                           Workspace& workspace) {
    Copied copied;
    for (std::int64_t at = begin; at < end;) {
        const Range range = range_at(source, at, end);  // room may be taken behind a hole
        if (range.is_hole) {
            digest.add_zeros(range.end - at);
            at = range.end;
            continue;
        }
        copied.is_hole = false;
        DRYDOCK_TRY_ASSIGN(const std::int64_t got,
                           copy_range(source, target, at, range.end, digest, workspace));
        const bool has_ended = at + got < range.end;
        at += got;
        if (has_ended) {
            copied.bytes = at - begin;
            return copied;
        }
    }
    copied.bytes = end - begin;
    return copied;
}

Result<FileData>
copy_small(int source, int target, const Entry& entry, DigestKind kind, Workspace& workspace) {
    Buffer& buffer = workspace.small();
    // Files of /proc have no size, and content: one byte more than expected is asked for.
    const std::int64_t wanted = entry.bytes == 0 ? 1 : entry.bytes;
    DRYDOCK_TRY_ASSIGN(const std::int64_t got, read_at(source, buffer.data(), wanted, 0));
    if (got > entry.bytes) {
        return fail("tree.no_size", "it has content, and says that its size is 0");
    }
    if (target != k_no_target) {
        DRYDOCK_TRY(write_at(target, buffer.data(), got, 0));
    }
    return FileData{digest_of(kind, {buffer.data(), static_cast<std::size_t>(got)}), got};
}

}  // namespace

tl::unexpected<Error> fail_write(const char* action, int error_number) {
    if (error_number == ENOSPC || error_number == EDQUOT) {
        return fail("tree.disk_full",
                    fmt::format("{}: {}", action, std::strerror(error_number)),
                    "make room at the target, then type the same command: it goes on");
    }
    return fail_errno("tree.write", action, error_number);
}

bool clone_data(int source, int target) {
    return ::ioctl(target, FICLONE, source) == 0;
}

tl::unexpected<Error> fail_make(const char* action, int error_number) {
    return error_number == EEXIST
               ? fail("tree.collides",
                      "the target takes its name for that of another entry",
                      "give it another name, or copy to a file system that tells them apart")
               : fail_write(action, error_number);
}

Result<FileData>
copy_data(int source, int target, const Entry& entry, DigestKind kind, Workspace& workspace) {
    if (entry.bytes <= static_cast<std::int64_t>(workspace.piece_bytes()) && !has_holes(entry)) {
        return copy_small(source, target, entry, kind, workspace);
    }
    RunningDigest digest(kind);
    DRYDOCK_TRY_ASSIGN(const Copied copied,
                       copy_ranges(source, target, 0, entry.bytes, digest, workspace));
    if (target != k_no_target && ::ftruncate(target, copied.bytes) != 0) {  // a hole at the end
        return fail_write("set the size", errno);
    }
    return FileData{digest.end(), copied.bytes};
}

Result<FileData> copy_chunk(int source,
                            int target,
                            const Entry& entry,
                            std::int64_t chunk,
                            DigestKind kind,
                            Workspace& workspace) {
    const std::int64_t begin = chunk * k_chunk_bytes;
    const std::int64_t end = std::min(begin + k_chunk_bytes, entry.bytes);
    if (const Range range = range_at(source, begin, end); range.is_hole && range.end == end) {
        return FileData{"", end - begin};
    }
    RunningDigest digest(kind);
    DRYDOCK_TRY_ASSIGN(const Copied copied,
                       copy_ranges(source, target, begin, end, digest, workspace));
    return FileData{copied.is_hole ? std::string() : digest.end(), copied.bytes};
}

Result<FileData> digest_file(int file, const Entry& entry, DigestKind kind, Workspace& workspace) {
    if (entry.bytes <= k_chunk_bytes) {
        return copy_data(file, k_no_target, entry, kind, workspace);
    }
    ChunkDigests digests(kind, entry.bytes);
    FileData whole;
    for (std::int64_t chunk = 0; chunk < digests.chunks(); ++chunk) {
        DRYDOCK_TRY_ASSIGN(FileData data,
                           copy_chunk(file, k_no_target, entry, chunk, kind, workspace));
        whole.bytes += data.bytes;
        if (!data.digest.empty()) {
            digests.add(chunk, std::move(data.digest));
        }
    }
    whole.digest = digests.whole();
    return whole;
}

}  // namespace drydock::mover::tree
