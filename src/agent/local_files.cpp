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
    DRYDOCK_TRY(os::write_all(file.get(), part.bytes));
    if (part.last && (::fchmod(file.get(), part.mode) != 0 || ::fsync(file.get()) != 0)) {
        return fail_errno("os.fsync", part.path, errno);
    }
    return {};
}

Status finish(const PutPart& part) {
    const std::string name = part_name(part.path);
    DRYDOCK_TRY_ASSIGN(const std::string digest, digest_file(name));
    if (digest != *part.last) {
        ::unlink(name.c_str());
        return fail("agent.put_digest",
                    fmt::format("{} arrived damaged: its digest is {}", part.path, digest),
                    "send it again",
                    ErrorClass::transient);
    }
    if (std::rename(name.c_str(), part.path.c_str()) != 0) {
        return fail_errno("os.rename", part.path, errno);
    }
    return os::sync_folder(os::folder_of(part.path));
}

}  // namespace

Status LocalHost::put(std::int64_t epoch, const PutPart& part) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock turn, enter_as(epoch));
    DRYDOCK_TRY(write_part(part));
    return part.last ? finish(part) : Status();
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
