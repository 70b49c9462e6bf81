// Collects problems and prints them.
//
// A reader of a pack walks one value by several paths, so the same problem may come twice: equal
// text at an equal position is kept once. A file of another kind would give thousands of problems.
// After the first k_diagnostics_max only their number is kept, and the fact that one was an error.
// So memory is bounded, and has_errors() is still exact.
#include "base/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace drydock {

std::string Position::text() const {
    if (line == 0) {
        return file;
    }
    return column == 0 ? fmt::format("{}:{}", file, line)
                       : fmt::format("{}:{}:{}", file, line, column);
}

std::string Diagnostic::text() const {
    const auto* mark = severity == Severity::warning ? "warning: " : "";
    const auto* joint = suggestion.empty() ? "" : "; ";
    return fmt::format("{}  {}{}{}{}", position.text(), mark, summary, joint, suggestion);
}

// Adds a problem unless it is a duplicate or one too many. The comparison with all entries is
// quadratic, but the list has k_diagnostics_max entries at most.
void Diagnostics::keep(Diagnostic diagnostic) {
    const auto is_same = [&diagnostic](const Diagnostic& entry) {
        return entry.position == diagnostic.position && entry.text() == diagnostic.text();
    };
    if (std::any_of(entries_.begin(), entries_.end(), is_same)) {
        return;  // a duplicate
    }
    if (entries_.size() < k_diagnostics_max) {
        entries_.push_back(std::move(diagnostic));
        return;
    }
    ++dropped_;
    dropped_error_ = dropped_error_ || diagnostic.severity == Severity::error;
}

void Diagnostics::error(std::string code,
                        Position position,
                        std::string summary,
                        std::string suggestion) {
    keep({Severity::error,
          std::move(code),
          std::move(summary),
          std::move(position),
          std::move(suggestion)});
}

void Diagnostics::warning(std::string code,
                          Position position,
                          std::string summary,
                          std::string suggestion) {
    keep({Severity::warning,
          std::move(code),
          std::move(summary),
          std::move(position),
          std::move(suggestion)});
}

void Diagnostics::add(Diagnostics source) {
    for (Diagnostic& diagnostic : source.entries_) {
        keep(std::move(diagnostic));
    }
    dropped_ += source.dropped_;
    dropped_error_ = dropped_error_ || source.dropped_error_;
}

bool Diagnostics::has_errors() const {
    return dropped_error_
           || std::any_of(entries_.begin(), entries_.end(), [](const Diagnostic& diagnostic) {
                  return diagnostic.severity == Severity::error;
              });
}

void Diagnostics::sort() {
    std::stable_sort(
        entries_.begin(), entries_.end(), [](const Diagnostic& a, const Diagnostic& b) {
            return std::tie(a.position, a.code) < std::tie(b.position, b.code);
        });
}

std::string Diagnostics::text() const {
    std::string lines;
    for (const Diagnostic& diagnostic : entries_) {
        lines += diagnostic.text() + "\n";
    }
    if (dropped_ > 0) {
        lines += fmt::format("... and {} more\n", dropped_);
    }
    return lines + fmt::format("{} problem{}\n", count(), count() == 1 ? "" : "s");
}

}  // namespace drydock
