// Errors and their texts. A remedy is attached where the cause of an errno is always the same, so
// that callers need not repeat it.
#include "base/result.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace drydock {

Error Error::with_context(std::string_view context) const {
    Error outer = *this;
    const std::string prefix = fmt::format("{}: ", context);
    if (!message.starts_with(prefix)) {
        outer.message.insert(0, prefix);
    }
    return outer;
}

std::string Error::text() const {
    return remedy.empty() ? message : fmt::format("{} ({})", message, remedy);
}

tl::unexpected<Error>
fail(std::string code, std::string message, std::string remedy, ErrorClass kind) {
    return tl::unexpected<Error>(
        Error{std::move(code), std::move(message), std::move(remedy), kind});
}

namespace {

// Returns the remedy for an errno with a single cause, whatever the call was; empty for others.
std::string_view remedy_of(int error_number) {
    switch (error_number) {
    case EMFILE:
        return "allow this program more open files: ulimit -n";
    case ENFILE:
        return "allow the machine more open files: sysctl fs.file-max";
    case ENOSPC:
    case EDQUOT:
        return "free some disk, then again";
    case EROFS:
        return "the file system is mounted read-only; mount it for writing";
    default:
        return "";
    }
}

}  // namespace

tl::unexpected<Error> fail_errno(std::string_view code, std::string_view action, int error_number) {
    return fail(std::string(code),
                fmt::format("{}: {}", action, std::generic_category().message(error_number)),
                std::string(remedy_of(error_number)));
}

}  // namespace drydock
