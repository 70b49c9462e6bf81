// put and get of LocalHost: whole files in portions.
#include "agent/digest.h"
#include "agent/local_host.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace drydock::agent {
namespace {

std::string part_name(const std::string& path) {
    return path + ".drydock-part";
}

Status write_part(const PutPart& part) {
    const std::string name = part_name(part.path);
    const int start = part.offset == 0 ? O_CREAT | O_TRUNC : 0;
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_file(name, O_WRONLY | O_NOFOLLOW | start, 0600));
    const auto size = ::lseek(file.get(), 0, SEEK_END);
    if (size != part.offset) {
        return fail("agent.put_gap",
                    fmt::format("{} has {} bytes so far, not {}", part.path, size, part.offset),
                    "begin again at offset 0");
    }
    return os::write_all(file.get(), part.bytes);
}

// The state of a file that a digest was taken of.
struct Version {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    timespec changed = {};

    bool operator==(const Version& other) const {
        return device == other.device && inode == other.inode && size == other.size
               && changed.tv_sec == other.changed.tv_sec
               && changed.tv_nsec == other.changed.tv_nsec;
    }
};

Result<Version> version_of(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) != 0) {
        return fail_errno("os.stat", path, errno);
    }
    return Version{facts.st_dev, facts.st_ino, facts.st_size, facts.st_ctim};
}

// Makes the whole file durable and checks its digest, which may take minutes.
Result<Version> check_part(const PutPart& part) {
    const std::string name = part_name(part.path);
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_file(name, O_RDONLY | O_NOFOLLOW));
    if (::fchmod(file.get(), part.mode) != 0 || ::fsync(file.get()) != 0) {
        return fail_errno("os.fsync", part.path, errno);
    }
    DRYDOCK_TRY_ASSIGN(const Version version, version_of(name));
    DRYDOCK_TRY_ASSIGN(const std::string digest, digest_file(name));
    if (digest != *part.last) {
        ::unlink(name.c_str());
        return fail("agent.put_digest",
                    fmt::format("{} arrived damaged: its digest is {}", part.path, digest),
                    "send it again",
                    ErrorClass::transient);
    }
    return version;
}

Status rename_part(const PutPart& part, const Version& checked) {
    const std::string name = part_name(part.path);
    DRYDOCK_TRY_ASSIGN(const Version now, version_of(name));
    if (now != checked) {
        return fail("agent.put_gap",
                    fmt::format("somebody else writes {} at the same time", part.path),
                    "begin again at offset 0");
    }
    if (std::rename(name.c_str(), part.path.c_str()) != 0) {
        return fail_errno("os.rename", part.path, errno);
    }
    return os::sync_folder(os::folder_of(part.path));
}

}  // namespace

// The digest is taken without the fence's lock, so that other agents can begin their actions.
Status LocalHost::put(const Commander& commander, const PutPart& part) {
    {
        DRYDOCK_TRY_ASSIGN(const Turn turn, enter_as(commander));
        DRYDOCK_TRY(write_part(part));
    }
    if (!part.last) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const Version checked, check_part(part));
    DRYDOCK_TRY_ASSIGN(const Turn turn, enter_as(commander));
    return rename_part(part, checked);
}

Result<FilePart> LocalHost::get(const std::string& path, std::int64_t offset, std::int64_t size) {
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
