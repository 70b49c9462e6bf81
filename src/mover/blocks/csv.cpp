// A reader and a writer of CSV for backy2's exports.
//
// A file that was cut off must never pass for a whole one, since backy2 itself imports it silently.
// So an end of the file inside a record is an error, inside quotes, too. A record has a maximum
// size: a file of another kind without any line end must not fill the memory.
#include "mover/blocks/csv.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_record_bytes_max = 64U << 10U;  // backy2's longest have 500

// Quotes a field only if it needs quotes, as Python's QUOTE_MINIMAL does.
std::string quoted(const std::string& field) {
    if (field.find_first_of(",\"\r\n") == std::string::npos) {
        return field;
    }
    std::string text = "\"";
    for (const char c : field) {
        text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
}

}  // namespace

std::string csv_line(const std::vector<std::string>& fields) {
    std::string line;
    for (const std::string& field : fields) {
        line += (&field == fields.data() ? "" : ",") + quoted(field);
    }
    return line + "\r\n";
}

tl::unexpected<Error> CsvReader::cut_off() const {
    return fail("blocks.truncated",
                fmt::format("line {} is cut off", line_),
                "export the version again; nothing was imported");
}

// Reads a quoted field from behind the opening quote to the closing one. A doubled quote stands for
// one.
Status CsvReader::read_quoted(std::string& field) {
    while (field.size() <= k_record_bytes_max) {
        const int c = stream_.get();
        if (c == std::istream::traits_type::eof()) {
            return cut_off();
        }
        if (c == '"' && stream_.peek() != '"') {
            return {};
        }
        if (c == '"') {
            stream_.get();
        }
        next_line_ += c == '\n' ? 1 : 0;
        field += static_cast<char>(c);
    }
    return {};
}

Result<std::optional<std::vector<std::string>>> CsvReader::next() {
    if (stream_.peek() == std::istream::traits_type::eof()) {
        return std::nullopt;
    }
    line_ = next_line_;
    std::vector<std::string> fields(1);
    std::size_t bytes = 0;
    while (++bytes <= k_record_bytes_max) {
        const int c = stream_.get();
        if (c == std::istream::traits_type::eof()) {
            return cut_off();
        }
        if (c == '\n') {
            ++next_line_;
            return fields;
        }
        if (c == '"' && fields.back().empty()) {
            DRYDOCK_TRY(read_quoted(fields.back()));
            bytes += fields.back().size();
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c != '\r') {
            fields.back() += static_cast<char>(c);
        }
    }
    return fail("blocks.import",
                fmt::format("line {} has more than {} bytes", line_, k_record_bytes_max),
                "name a file that `backy2 export` or `drydock store export` made");
}

}  // namespace drydock::mover::blocks
