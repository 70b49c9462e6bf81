// put and get of LocalHost: whole files in portions.
//
// A file grows under a part name in its folder. The last portion brings the digest; then the part
// is made durable, checked and renamed. The check may take minutes and runs without the fence's
// lock, so that other agents can begin actions. Afterwards, under the lock again, the part must be
// the version that was checked.
#include "agent/digest.h"
#include "agent/local_host.h"
#include "os/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace drydock::agent {
namespace {

std::string part_name(const std::string& path) {
    return os::name_of(path) + ".drydock-part";
}

// Appends a portion. An offset that is not the part's size is a gap: the sender and this host
// disagree about the bytes so far.
Status write_part(const PutPart& part) {
    DRYDOCK_TRY_ASSIGN(const auto folder, os::OutputFolder::of(part.path));
    const std::string name = part_name(part.path);
    const int start = part.offset == 0 ? O_TRUNC : 0;
    DRYDOCK_TRY_ASSIGN(const os::Fd file, folder.open(name, O_WRONLY | start));
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    if (size != part.offset) {
        if (size == 0) {
            folder.remove(name);  // it was not there before
        }
        return fail("agent.put_gap",
                    fmt::format("{} has {} bytes so far, not {}", part.path, size, part.offset),
                    "begin again at offset 0");
    }
    return os::write_all(file.get(), part.bytes);
}

// The state of a file at the moment of its digest.
struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed = {};

    bool operator==(const Version& version) const {
        return device == version.device && inode == version.inode && size == version.size
               && changed.tv_sec == version.changed.tv_sec
               && changed.tv_nsec == version.changed.tv_nsec;
    }
};

Result<Version> version_of(const os::Fd& file) {
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0) {
        return fail_errno("os.stat", "a part of a file", errno);
    }
    return Version{facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctim};
}

// Makes the whole file durable and checks its digest, which may take minutes.
Result<Version> check_part(const PutPart& part) {
    DRYDOCK_TRY_ASSIGN(const auto folder, os::OutputFolder::of(part.path));
    const std::string name = part_name(part.path);
    DRYDOCK_TRY_ASSIGN(const os::Fd file, folder.open(name, O_RDONLY));
    if (::fchmod(file.get(), part.mode) != 0 || ::fsync(file.get()) != 0) {
        return fail_errno("os.fsync", part.path, errno);
    }
    DRYDOCK_TRY_ASSIGN(const Version version, version_of(file));
    DRYDOCK_TRY_ASSIGN(const std::string digest, digest_open(file));
    if (digest != *part.last) {
        folder.remove(name);
        return fail("agent.put_digest",
                    fmt::format("{} arrived damaged: its digest is {}", part.path, digest),
                    "send it again",
                    ErrorClass::transient);
    }
    return version;
}

// Refuses to rename a part that another sender wrote to since the check.
Status rename_part(const PutPart& part, const Version& checked) {
    DRYDOCK_TRY_ASSIGN(const auto folder, os::OutputFolder::of(part.path));
    const std::string name = part_name(part.path);
    DRYDOCK_TRY_ASSIGN(const os::Fd file, folder.open(name, O_RDONLY));
    DRYDOCK_TRY_ASSIGN(const Version now, version_of(file));
    if (now != checked) {
        return fail("agent.put_gap",
                    fmt::format("somebody else writes {} at the same time", part.path),
                    "begin again at offset 0");
    }
    return folder.rename(name, os::name_of(part.path));
}

}  // namespace

// A conductor must not be able to replace `.fence`, or to read files that no step needs.
Status LocalHost::check_path(const std::string& path) const {
    const bool climbs = (path + "/").find("/../") != path.npos;
    const bool inside = std::any_of(folders_.begin(), folders_.end(), [&](const auto& folder) {
        return path.starts_with(folder + "/");
    });
    if (inside && !climbs) {
        return {};
    }
    return fail("agent.path",
                fmt::format("{} lies in none of the folders for files of this host", path),
                fmt::format("use {}/.files, or start the agent with --folder", state_));
}

// Takes the lock twice: for the portion, and for the rename. The digest is taken between them.
Status LocalHost::put(const Commander& commander, const PutPart& part) {
    DRYDOCK_TRY(check_path(part.path));
    {
        DRYDOCK_TRY_ASSIGN(const StateLock state_lock, lock_state_as(commander));
        DRYDOCK_TRY(os::make_folder_durable(state_ + "/.files"));
        DRYDOCK_TRY(write_part(part));
    }
    if (!part.last) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const Version checked, check_part(part));
    DRYDOCK_TRY_ASSIGN(const StateLock state_lock, lock_state_as(commander));
    return rename_part(part, checked);
}

Result<FilePart> LocalHost::get(const std::string& path, std::int64_t offset, std::int64_t size) {
    DRYDOCK_TRY(check_path(path));
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_file(path, O_RDONLY | O_NONBLOCK));
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return fail("agent.no_file", path + " is no plain file");
    }
    FilePart part{std::string(static_cast<std::size_t>(size), '\0'), facts.st_size};
    const auto read = ::pread(file.get(), part.bytes.data(), part.bytes.size(), offset);
    if (read < 0) {
        return fail_errno("os.read", path, errno);
    }
    part.bytes.resize(static_cast<std::size_t>(read));
    return part;
}

}  // namespace drydock::agent
