#include "base/result.h"

#include <fmt/format.h>

#include <system_error>

namespace drydock {

Error Error::in(std::string_view context) const {
    Error outer = *this;
    outer.message = fmt::format("{}: {}", context, message);
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

tl::unexpected<Error> fail_errno(std::string_view code, std::string_view what, int error_number) {
    return fail(std::string(code),
                fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

}  // namespace drydock
