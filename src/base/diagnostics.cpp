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
    return fmt::format("{}  {}{}{}{}", where.text(), mark, summary, joint, suggestion);
}

void Diagnostics::error(std::string code,
                        Position where,
                        std::string summary,
                        std::string suggestion) {
    all_.push_back({Severity::error,
                    std::move(code),
                    std::move(summary),
                    std::move(where),
                    std::move(suggestion)});
}

void Diagnostics::warning(std::string code,
                          Position where,
                          std::string summary,
                          std::string suggestion) {
    all_.push_back({Severity::warning,
                    std::move(code),
                    std::move(summary),
                    std::move(where),
                    std::move(suggestion)});
}

void Diagnostics::add(Diagnostics other) {
    std::move(other.all_.begin(), other.all_.end(), std::back_inserter(all_));
}

bool Diagnostics::has_errors() const {
    return std::any_of(all_.begin(), all_.end(), [](const Diagnostic& one) {
        return one.severity == Severity::error;
    });
}

void Diagnostics::sort() {
    std::stable_sort(all_.begin(), all_.end(), [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.where, a.code) < std::tie(b.where, b.code);
    });
}

std::string Diagnostics::text() const {
    std::string out;
    for (const Diagnostic& one : all_) {
        out += one.text() + "\n";
    }
    return out + fmt::format("{} problem{}\n", all_.size(), all_.size() == 1 ? "" : "s");
}

}  // namespace drydock
