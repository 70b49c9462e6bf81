#include "mover/tree/file_state.h"

#include "mover/tree/file_data.h"
#include "mover/tree/staging.h"

#include <fcntl.h>

#include <cerrno>

namespace drydock::mover::tree {
namespace {

bool is_same_state(const Entry& left, const Entry& right) {
    return left.bytes == right.bytes && left.modified == right.modified
           && left.changed == right.changed;
}

}  // namespace

bool has_changed(const os::Fd& source, const Entry& before, std::int64_t bytes_read) {
    const auto after = read_entry(source.get(), "");
    return !after || !is_same_state(before, *after) || bytes_read != before.bytes;
}

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

}  // namespace drydock::mover::tree
