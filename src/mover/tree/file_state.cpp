#include "mover/tree/file_state.h"

#include "mover/tree/file_data.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace drydock::mover::tree {
namespace {

bool is_same_state(const Entry& left, const Entry& right) {
    return left.bytes == right.bytes && left.modified == right.modified
           && left.changed == right.changed;
}

}  // namespace

NewFiles::NewFiles(bool resumes) : resumes_(resumes), user_(::geteuid()), group_(::getegid()) {
}

bool has_changed(const os::Fd& source, const Entry& before, std::int64_t bytes_read) {
    const auto after = read_entry(source.get(), "");
    return !after || !is_same_state(before, *after) || bytes_read != before.bytes;
}

Result<os::Fd>
make_staged(const Folder& folder, const std::string& name, bool resumes, mode_t mode) {
    const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    os::Fd file(::openat(folder.staged.get(), name.c_str(), flags, mode));
    if (!file && errno == EEXIST && resumes && folder.may_have_left(name)) {
        DRYDOCK_TRY(remove_entry(folder.staged.get(), name));
        file = os::Fd(::openat(folder.staged.get(), name.c_str(), flags, mode));
    }
    if (!file) {
        return fail_make("make the file", errno);
    }
    return file;
}

NewFiles::Seen NewFiles::look(const os::Fd& file, const Entry& entry) const {
    const auto made = read_entry(file.get(), "");
    return made && made->mode == entry.mode && made->user == user_ && made->group == group_
               ? Seen::as_requested
               : Seen::other;
}

// A mask of this process, an ACL of the folder or the file system itself may change what a new file
// gets. All folders of a first start were made in the same way, so one file tells for all. Those
// that an earlier start left may have owners already, so there each file is looked at.
Result<NewFile> NewFiles::make(const Folder& folder, const std::string& name, const Entry& entry) {
    constexpr mode_t k_plain_modes = 0777;  // a write may take setuid away again
    if ((entry.mode & ~k_plain_modes) != 0) {
        DRYDOCK_TRY_ASSIGN(os::Fd file, make_staged(folder, name, resumes_));
        return NewFile{std::move(file), {}};
    }
    DRYDOCK_TRY_ASSIGN(os::Fd file, make_staged(folder, name, resumes_, entry.mode));
    auto& seen = seen_.at(entry.mode);
    Seen found = seen;
    if (resumes_ || found == Seen::nothing) {
        found = look(file, entry);
        seen = found;
    }
    const bool is_as_asked = found == Seen::as_requested;
    const bool has_owner = is_as_asked && entry.user == user_ && entry.group == group_;
    return NewFile{std::move(file), {has_owner, is_as_asked}};
}

}  // namespace drydock::mover::tree
