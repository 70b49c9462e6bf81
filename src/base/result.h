// Result and Error: how every fallible function of drydock answers.
//
// A function that can fail returns Result<T> (or Status when there is nothing to return). An Error
// says what happened, what to do next, and of which class it is: an outcome that nobody knows (a
// timed-out command may have run) is a class of its own and is never treated as a failure. No
// exception crosses a module of ours.
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
    std::string message;  // one sentence for people: what and where
    std::string remedy;   // what to do next; may be empty
    ErrorClass kind = ErrorClass::permanent;

    // The same error, told from one level further out: "reading the plan: <message>". Nothing is
    // told twice in a row.
    [[nodiscard]] Error in(std::string_view context) const;
    // "<message> (<remedy>)", for plain output.
    [[nodiscard]] std::string text() const;
    bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

// An error value to return: `return fail("plan.digest", "...", "...");`
[[nodiscard]] tl::unexpected<Error> fail(std::string code,
                                         std::string message,
                                         std::string remedy = {},
                                         ErrorClass kind = ErrorClass::permanent);

// An error made of errno, as a sentence: "open /x: No space left on device".
[[nodiscard]] tl::unexpected<Error>
fail_errno(std::string_view code, std::string_view action, int error_number);

}  // namespace drydock

// NOLINTBEGIN(bugprone-macro-parentheses,readability-identifier-naming): a target has no brackets
#define DRYDOCK_CONCAT_(a, b) a##b
#define DRYDOCK_CONCAT(a, b) DRYDOCK_CONCAT_(a, b)

// Returns the error of `expression` to the caller, if it has one.
#define DRYDOCK_TRY(expression)                                                                    \
    do {                                                                                           \
        if (auto drydock_status = (expression); !drydock_status) {                                 \
            return tl::unexpected<::drydock::Error>(std::move(drydock_status).error());            \
        }                                                                                          \
    } while (false)

// `DRYDOCK_TRY_ASSIGN(auto text, read_file(path));` declares or assigns, or returns the error.
#define DRYDOCK_TRY_ASSIGN(target, expression)                                                     \
    DRYDOCK_TRY_ASSIGN_(DRYDOCK_CONCAT(drydock_result_, __LINE__), target, expression)
#define DRYDOCK_TRY_ASSIGN_(result, target, expression)                                            \
    auto result = (expression);                                                                    \
    if (!result) {                                                                                 \
        return tl::unexpected<::drydock::Error>(std::move(result).error());                        \
    }                                                                                              \
    target = std::move(*result)
// NOLINTEND(bugprone-macro-parentheses,readability-identifier-naming)
