// CSV as Python's csv module writes it with minimal quoting: commas, "..." with doubled quotes,
// lines that end with CR LF. A last line without an end counts as cut off.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// Returns one line with its end.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields);

class CsvReader {
public:
    // `stream` must outlive the reader.
    explicit CsvReader(std::istream& stream) : stream_(stream) {}

    // Returns the fields of the next record, or nothing at the end. Errors: "blocks.truncated" for
    // a last record that is cut off, "blocks.import" for one of more than 64 KiB.
    [[nodiscard]] Result<std::optional<std::vector<std::string>>> next();

    // Where the record that next() answered begins, from 1.
    [[nodiscard]] std::int64_t line() const { return line_; }

private:
    [[nodiscard]] Status read_quoted(std::string& field);
    [[nodiscard]] tl::unexpected<Error> cut_off() const;

    std::istream& stream_;
    std::int64_t line_ = 0;
    std::int64_t next_line_ = 1;
};

}  // namespace drydock::mover::blocks
