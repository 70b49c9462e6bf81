// Diagnostics: the problems of an input file, each with its position and its remedy. They are
// collected and shown all at once.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// A position in an input file. Lines and columns count from 1; 0 stands for an unknown one.
struct Position {
    std::string file;
    int line = 0;
    int column = 0;

    [[nodiscard]] std::string text() const;  // "orders.yaml:14:7"
    bool operator==(const Position&) const = default;
    auto operator<=>(const Position&) const = default;
};

enum class Severity { error, warning };

struct Diagnostic {
    Severity severity = Severity::error;
    std::string code;     // stable, for tests and machines: "key.unknown"
    std::string summary;  // the problem, one sentence without full stop
    Position position;
    std::string suggestion;  // the text to write instead; may be empty

    // Returns "orders.yaml:14:7  unknown key `servce`; did you mean `service`?".
    [[nodiscard]] std::string text() const;
};

inline constexpr std::size_t k_diagnostics_max = 100;  // a person reads no more

class Diagnostics {
public:
    void
    error(std::string code, Position position, std::string summary, std::string suggestion = {});
    void
    warning(std::string code, Position position, std::string summary, std::string suggestion = {});
    void add(Diagnostics source);

    [[nodiscard]] bool has_errors() const;

    // In the order of positions after sort().
    [[nodiscard]] const std::vector<Diagnostic>& all() const { return entries_; }

    void sort();
    // Returns one line a problem, then "3 problems".
    [[nodiscard]] std::string text() const;

    // Returns the number of all problems. Only the first k_diagnostics_max of them are kept.
    [[nodiscard]] std::size_t count() const { return entries_.size() + dropped_; }

private:
    void keep(Diagnostic one);

    std::vector<Diagnostic> entries_;
    std::size_t dropped_ = 0;
    bool dropped_error_ = false;
};

}  // namespace drydock
