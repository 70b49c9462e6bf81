// Screen: how text is laid out and coloured; the only place that knows escape sequences.
//
// Colour only helps: everything is there without it. Widths count characters, not bytes. Plain
// values, pure functions.
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

// The start of an escape sequence of ours, up to its code: visible() lets only those pass.
[[nodiscard]] std::string escape(std::string_view code);
// A secret of this process that is in each of our sequences, so that no text can forge one; of hex
// digits. Empty (as tests have it): any sequence counts as ours.
void set_escape_key(std::string key);

// `mode` is auto, always or never; auto means on a terminal, unless NO_COLOR is set and not empty.
[[nodiscard]] bool wants_color(std::string_view mode, bool terminal, const char* no_color);

[[nodiscard]] std::size_t columns_of(std::string_view text);
[[nodiscard]] std::string pad(std::string_view text, std::size_t columns);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t columns);
// At most so many columns; what is cut off is shown as "...".
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns);
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t columns);
// `lead` and the text; its further lines stand under the first one's text. Ends with a new line.
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
