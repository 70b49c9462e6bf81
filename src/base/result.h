// Start here: Result and Error are the way in which every function of drydock reports a failure.
// Then check.h (bugs), diagnostics.h (problems of input files), json.h with pool_allocator.h
// (values and their memory), text.h and hash.h (helpers), enum_names.h (names of enums),
// coverage_mark.h.
//
// A function that can fail returns Result<T>, or Status when there is nothing to return. An Error
// says the event, the remedy and its class. An unknown outcome is a class of its own and never
// counts as a failure: a command that timed out may have run. No exception crosses a module of
// drydock.
#pragma once

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace drydock {

enum class ErrorClass {
    permanent,        // asking again gives the same answer
    transient,        // asking again may help
    unknown_outcome,  // it may or may not have happened
};

struct Error {
    std::string code;     // stable, dotted, for machines and tests: "journal.locked"
    std::string message;  // one sentence for people: the event and its place
    std::string remedy;   // the next step for a person; may be empty
    ErrorClass kind = ErrorClass::permanent;

    // Returns the error with the context in front: "reading the plan: <message>". A context that
    // the message begins with already is not repeated.
    [[nodiscard]] Error with_context(std::string_view context) const;
    // Returns "<message> (<remedy>)", or the message alone if there is no remedy.
    [[nodiscard]] std::string text() const;
    bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// Makes an error to return: `return fail("plan.digest", "...", "...");`
[[nodiscard]] tl::unexpected<Error> fail(std::string code,
                                         std::string message,
                                         std::string remedy = {},
                                         ErrorClass kind = ErrorClass::permanent);

// Makes an error of errno, as a sentence: "open /x: No space left on device".
[[nodiscard]] tl::unexpected<Error>
fail_errno(std::string_view code, std::string_view action, int error_number);

}  // namespace drydock

// NOLINTBEGIN(bugprone-macro-parentheses,readability-identifier-naming): a target has no brackets
#define DRYDOCK_CONCAT_(a, b) a##b
#define DRYDOCK_CONCAT(a, b) DRYDOCK_CONCAT_(a, b)

// Returns the error of `expression` to the caller, if it has one. The caller's own error type is
// made from it: an Error, or any type that an Error converts to.
#define DRYDOCK_TRY(expression)                                                                    \
    do {                                                                                           \
        if (auto drydock_status = (expression); !drydock_status) {                                 \
            return tl::unexpected(std::move(drydock_status).error());                              \
        }                                                                                          \
    } while (false)

// `DRYDOCK_TRY_ASSIGN(auto text, read_file(path));` declares or assigns, or returns the error.
#define DRYDOCK_TRY_ASSIGN(target, expression)                                                     \
    DRYDOCK_TRY_ASSIGN_(DRYDOCK_CONCAT(drydock_result_, __LINE__), target, expression)
#define DRYDOCK_TRY_ASSIGN_(result, target, expression)                                            \
    auto result = (expression);                                                                    \
    if (!result) {                                                                                 \
        return tl::unexpected(std::move(result).error());                                          \
    }                                                                                              \
    target = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses,readability-identifier-naming)
