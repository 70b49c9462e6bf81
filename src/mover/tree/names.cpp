// Names by getdents64. The kernel keeps the position in the open folder, so a list is continued by
// whoever has the descriptor.
#include "mover/tree/names.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace drydock::mover::tree {
namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{16} << 10;  // some 400 names

Listed listed_as(unsigned char type) {
    switch (type) {
    case DT_REG:
        return Listed::file;
    case DT_DIR:
        return Listed::folder;
    case DT_UNKNOWN:
        return Listed::unknown;
    default:
        return Listed::other;
    }
}

bool is_folder_itself(const char* name) {
    return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0;
}

}  // namespace

Result<std::vector<Name>> next_names(int folder) {
    alignas(dirent64) std::array<char, k_buffer_bytes> buffer;
    std::vector<Name> names;
    while (names.empty()) {
        const ssize_t size = ::getdents64(folder, buffer.data(), buffer.size());
        if (size < 0) {
            return fail_errno("tree.list", "list", errno);
        }
        if (size == 0) {
            break;
        }
        for (ssize_t at = 0; at < size;) {
            const auto* entry =
                static_cast<const dirent64*>(static_cast<const void*>(buffer.data() + at));
            if (!is_folder_itself(entry->d_name)) {
                names.push_back({entry->d_name, listed_as(entry->d_type), entry->d_ino});
            }
            at += entry->d_reclen;
        }
    }
    std::sort(names.begin(), names.end(), [](const Name& left, const Name& right) {
        return left.inode < right.inode;
    });
    return names;
}

}  // namespace drydock::mover::tree
