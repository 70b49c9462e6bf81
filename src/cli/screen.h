// Screen: the layout and the colours of text. Only this file knows escape sequences.
//
// Colour is never the only sign: all content is there without it. Widths count characters, not
// bytes. Plain values, pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::cli {

enum class Tone { plain, strong, good, warn, bad, faint };

struct Screen {
    bool color = false;
    std::size_t width = 100;

    [[nodiscard]] std::string paint(Tone tone, std::string_view text) const;
};

// Returns the start of an escape sequence of this process, up to its code. visible() passes only
// those.
[[nodiscard]] std::string escape(std::string_view code);
// Sets the secret of this process that is in each of its sequences, so that no text can forge one;
// hex digits. While it is empty, as in tests, any sequence passes.
void set_escape_key(std::string key);

// `mode` is auto, always or never; auto means on a terminal, unless NO_COLOR is set and not empty.
[[nodiscard]] bool wants_color(std::string_view mode, bool terminal, const char* no_color);

[[nodiscard]] std::size_t columns_of(std::string_view text);
[[nodiscard]] std::string pad(std::string_view text, std::size_t columns);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t columns);
// Returns the text in at most that many columns; "..." stands for the part that was cut off.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns);
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t columns);
// Returns `lead` and the text, whose further lines stand under the first one. Ends with a new line.
[[nodiscard]] std::string hang(std::string_view lead, std::string_view text, std::size_t width);

// Left-aligned columns, two blanks apart.
class Table {
public:
    void add(std::vector<std::string> cells);
    [[nodiscard]] std::string text(std::size_t indent = 2) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace drydock::cli
