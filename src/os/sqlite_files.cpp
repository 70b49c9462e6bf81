// The check of a database's companion files. Each of them must be a regular file or absent, and the
// rollback journal must not name a super-journal.
//
// A super-journal binds a transaction over several databases. SQLite deletes the file of that name
// when it rolls back, so a crafted journal could make drydock delete any file of its user.
#include "os/sqlite_files.h"

#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

namespace drydock::os {

namespace {

// The magic bytes at the end of a rollback journal with a super-journal. The name of that file
// stands before them.
constexpr std::string_view k_super_end = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

Status check_plain(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) != 0 || S_ISREG(facts.st_mode)) {
        return {};
    }
    return fail("os.not_plain",
                fmt::format("{} is no plain file", path),
                "SQLite would read it: see who made it, and move it away");
}

// Refuses a rollback journal that ends in the magic bytes of a super-journal.
Status check_end(const std::string& path) {
    auto file = open_plain(path, O_RDONLY);
    if (!file) {
        return file.error().code == "os.missing" ? Status() : tl::unexpected(file.error());
    }
    std::array<char, k_super_end.size()> end = {};
    const off_t size = ::lseek(file->get(), 0, SEEK_END);
    const auto offset = size - static_cast<off_t>(end.size());
    if (offset < 0 || ::pread(file->get(), end.data(), end.size(), offset) < 0
        || std::string_view(end.data(), end.size()) != k_super_end) {
        return {};
    }
    return fail("os.super_journal",
                fmt::format("{} names another file, which SQLite would delete", path),
                "let the program that made it open the database once, or take a copy without it");
}

}  // namespace

Result<std::string> check_sqlite_files(const std::string& path) {
    const std::string real = real_path_of(path);
    if (real.empty()) {
        return fail("os.missing", fmt::format("there is no {}", path));
    }
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
        DRYDOCK_TRY(check_plain(real + suffix));
    }
    DRYDOCK_TRY(check_end(real + "-journal"));
    return real;
}

}  // namespace drydock::os
