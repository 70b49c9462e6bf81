// Lays out text in columns and paints it. Widths count characters and skip escape sequences.
//
// Colour is written as the escape sequences of this process, which carry its key; visible() removes
// the key at the boundary and shows every other sequence as text. A wide character counts as one
// column, so a table with such names is a little out of line.
#include "cli/screen.h"

#include "base/text.h"
#include "cli/visible.h"

#include <algorithm>

namespace drydock::cli {

namespace {

constexpr std::size_t k_cell_bytes_max = 4096;  // a path may be as long

// Codes of the 16 basic colours, which every terminal shows in its own palette.
std::string_view code_of(Tone tone) {
    switch (tone) {
    case Tone::strong:
        return "1";
    case Tone::good:
        return "32";
    case Tone::warn:
        return "33";
    case Tone::bad:
        return "1;31";
    case Tone::faint:
        return "2";
    case Tone::plain:
        break;
    }
    return "";
}

// True for the first byte of a UTF-8 character.
bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

std::string without_blanks_at_end(std::string line) {
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

}  // namespace

namespace {

// A function's static, because main() sets the key before anything is printed and tests never do.
std::string& escape_key() {
    static std::string key;
    return key;
}

}  // namespace

std::string escape(std::string_view code) {
    return "\x1b" + escape_key() + "[" + std::string(code);
}

void set_escape_key(std::string key) {
    escape_key() = std::move(key);
}

std::string Screen::paint(Tone tone, std::string_view text) const {
    if (!color || tone == Tone::plain || text.empty()) {
        return std::string(text);
    }
    return escape(code_of(tone)) + "m" + std::string(text) + escape("0m");
}

// NO_COLOR counts if it is set to anything but an empty text (no-color.org).
bool wants_color(std::string_view mode, bool terminal, const char* no_color) {
    if (mode != "auto") {
        return mode == "always";
    }
    return terminal && (no_color == nullptr || *no_color == '\0');
}

// Escape sequences (ESC [ ... m) take no columns.
std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\x1b') {
            i = std::min(text.find('m', i), text.size() - 1);
        } else {
            columns += begins_character(text[i]) ? 1U : 0U;
        }
    }
    return columns;
}

std::string pad(std::string_view text, std::size_t columns) {
    std::string line = one_line(text);
    const std::size_t width = columns_of(line);
    line.append(columns > width ? columns - width : 0, ' ');
    return line;
}

std::string pad_left(std::string_view text, std::size_t columns) {
    const std::size_t width = columns_of(text);
    return std::string(columns > width ? columns - width : 0, ' ') + std::string(text);
}

// Leaves texts alone that have no room for "...".
std::string shorten(std::string_view text, std::size_t columns) {
    if (columns_of(text) <= columns || columns < 4) {
        return std::string(text);
    }
    std::size_t end = 0;
    for (std::size_t column = 0; end < text.size(); ++end) {
        column += begins_character(text[end]) ? 1U : 0U;
        if (column > columns - 3) {
            break;
        }
    }
    return std::string(text.substr(0, end)) + "...";
}

// Breaks at blanks only: a path that is longer than the line stays whole, so that it can be copied.
std::vector<std::string> wrap(std::string_view text, std::size_t columns) {
    std::vector<std::string> lines = {""};
    for (const std::string& word : split(one_line(text), ' ')) {
        std::string& line = lines.back();
        if (line.empty()) {
            line = word;
        } else if (columns_of(line) + 1 + columns_of(word) <= columns) {
            line += " " + word;
        } else {
            lines.push_back(word);
        }
    }
    return lines;
}

// A lead that is wider than the terminal still leaves 30 columns for the text.
std::string hang(std::string_view lead, std::string_view text, std::size_t width) {
    const std::size_t indent = columns_of(lead);
    std::string result = one_line(lead);
    const auto lines = wrap(text, std::max<std::size_t>(width, indent + 30) - indent);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        result += i == 0 ? lines[i] : std::string(indent, ' ') + lines[i];
        result += '\n';
    }
    return result;
}

// A cell is one line of limited size, whatever a host put into it.
void Table::add(std::vector<std::string> cells) {
    for (std::string& cell : cells) {
        cell = clip(one_line(cell), k_cell_bytes_max);
    }
    rows_.push_back(std::move(cells));
}

// Blanks at the end of a line are removed, so that a narrow terminal does not wrap them.
std::string Table::text(std::size_t indent) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], columns_of(row[i]));
        }
    }
    std::string result;
    for (const auto& row : rows_) {
        std::string line(indent, ' ');
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += pad(row[i], widths[i] + 2);
        }
        result += without_blanks_at_end(line) + "\n";
    }
    return result;
}

}  // namespace drydock::cli
