#include "mover/tree/direct_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace drydock::mover::tree {
namespace {

constexpr std::int64_t k_direct_bytes_min = std::int64_t{64} << 20;
constexpr std::int64_t k_block_bytes = 4096;  // of the strictest common device
constexpr std::int64_t k_samples = 8;         // places that are looked at
constexpr std::int64_t k_entry_block_bytes = 512;

// True if most of some places of the file would have to be read from the disk.
bool is_cold(int file, std::int64_t bytes) {
    std::int64_t cold = 0;
    for (std::int64_t sample = 0; sample < k_samples; ++sample) {
        char byte = 0;
        struct iovec place = {&byte, 1};
        const ssize_t got = ::preadv2(file, &place, 1, bytes / k_samples * sample, RWF_NOWAIT);
        cold += got < 0 && errno == EAGAIN ? 1 : 0;
    }
    return cold * 2 > k_samples;
}

os::Fd open_direct(int file, int flags) {
    const std::string path = fmt::format("/proc/self/fd/{}", file);
    return os::Fd(::open(path.c_str(), flags | O_DIRECT | O_CLOEXEC));
}

Result<std::int64_t> read_piece(int file, Buffer& buffer, std::int64_t size, std::int64_t offset) {
    const std::int64_t whole = (size + k_block_bytes - 1) / k_block_bytes * k_block_bytes;
    ssize_t got = 0;
    do {
        got = ::pread(file, buffer.data(), static_cast<std::size_t>(whole), offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return fail_errno("tree.read", "read", errno);
    }
    return std::min<std::int64_t>(got, size);
}

// Fills the last block with zeros: a direct write takes whole blocks.
Status write_piece(int file, Buffer& buffer, std::int64_t size, std::int64_t offset) {
    const std::int64_t whole = (size + k_block_bytes - 1) / k_block_bytes * k_block_bytes;
    std::memset(buffer.data() + size, 0, static_cast<std::size_t>(whole - size));
    for (std::int64_t done = 0; done < whole;) {
        const ssize_t put = ::pwrite(
            file, buffer.data() + done, static_cast<std::size_t>(whole - done), offset + done);
        if (put < 0 && errno != EINTR) {
            return fail_write("write", errno);
        }
        done += std::max<ssize_t>(put, 0);
    }
    return {};
}

}  // namespace

std::optional<DirectCopy> DirectCopy::open(int source, int target, const Entry& entry) {
    if (entry.bytes < k_direct_bytes_min || entry.blocks * k_entry_block_bytes < entry.bytes
        || !is_cold(source, entry.bytes)) {
        return std::nullopt;
    }
    os::Fd from = open_direct(source, O_RDONLY);
    os::Fd into = open_direct(target, O_WRONLY);
    if (!from || !into) {
        return std::nullopt;
    }
    // Room is taken beforehand, so the file is in few pieces. Not every file system can. The size is
    // set as well: a write that makes a file longer would keep all others of it waiting. It tells
    // nothing; what is complete has its time of modification.
    static_cast<void>(::fallocate(target, FALLOC_FL_KEEP_SIZE, 0, entry.bytes));
    if (::ftruncate(target, entry.bytes) != 0) {
        return std::nullopt;
    }
    return DirectCopy(std::move(from), std::move(into));
}

Result<FileData> DirectCopy::copy_chunk(const Entry& entry,
                                        std::int64_t chunk,
                                        DigestKind kind,
                                        Workspace& workspace) const {
    const std::int64_t begin = chunk * k_chunk_bytes;
    const std::int64_t end = std::min(begin + k_chunk_bytes, entry.bytes);
    Buffer& buffer = workspace.large();
    RunningDigest digest(kind);
    std::int64_t at = begin;
    while (at < end) {
        const auto piece =
            std::min<std::int64_t>(end - at, static_cast<std::int64_t>(buffer.size()));
        DRYDOCK_TRY_ASSIGN(const std::int64_t got, read_piece(source_.get(), buffer, piece, at));
        digest.add({buffer.data(), static_cast<std::size_t>(got)});
        if (got > 0) {
            DRYDOCK_TRY(write_piece(target_.get(), buffer, got, at));
        }
        at += got;
        if (got < piece) {
            break;
        }
    }
    return FileData{digest.end(), at - begin};
}

}  // namespace drydock::mover::tree
