// Makes text harmless for a terminal, at the one place that all output passes.
//
// The text is read as UTF-8, character by character. Runs of plain ASCII, which is nearly all of
// it, are copied whole. Control characters, characters that turn the direction of text, and invalid
// bytes become `\uXXXX`. Only escape sequences with this process's key pass, without the key.
#include "cli/visible.h"

#include "cli/screen.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::cli {

namespace {

constexpr std::size_t k_waiting_bytes_max = 64U << 10U;

struct Character {
    char32_t code = 0;
    std::size_t bytes = 0;  // 0: these are no UTF-8
};

// Returns the length that the first byte announces; 0 if no character begins with it.
std::size_t length_of(unsigned char first) {
    return first < 0x80   ? 1
           : first < 0xc2 ? 0
           : first < 0xe0 ? 2
           : first < 0xf0 ? 3
           : first < 0xf5 ? 4
                          : 0;
}

// Decodes the character at the front of a text that is not empty.
Character front_of(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = length_of(first);
    if (length == 0 || length > text.size()) {
        return {};
    }
    char32_t code = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0U) != 0x80U) {
            return {};
        }
        code = code << 6U | (next & 0x3fU);
    }
    return {code, length};
}

// True if a terminal or a reader would obey the character rather than show it: control characters,
// separators of lines, and changes of the direction of text.
bool acts(char32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c
           || (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e)
           || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

// Returns the number of bytes at the front that are an escape sequence of this process; 0 if there
// is none. Only the three kinds that Screen makes are accepted.
std::size_t own_sequence(std::string_view text) {
    const std::string start = escape("");
    if (!text.starts_with(start)) {
        return 0;
    }
    const auto end = text.find_first_not_of("0123456789;", start.size());
    const bool whole = end != text.npos && std::string_view("mAJ").find(text[end]) < 3;
    return whole ? end + 1 : 0;
}

// Removes the key, as a terminal expects.
std::string plain_sequence(std::string_view sequence) {
    return "\x1b[" + std::string(sequence.substr(escape("").size()));
}

bool is_plain_ascii(char c) {
    return c >= 0x20 && c < 0x7f;
}

}  // namespace

// An invalid byte is shown alone, so that the text after it is read from the next byte.
std::string visible(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const auto stop = std::find_if_not(text.begin(), text.end(), is_plain_ascii);
        const auto plain = static_cast<std::size_t>(stop - text.begin());
        result += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) {
            break;
        }
        const Character character = front_of(text);
        std::size_t used = std::max<std::size_t>(character.bytes, 1);
        if (const std::size_t sequence_bytes = own_sequence(text); sequence_bytes > 0) {
            result += plain_sequence(text.substr(0, sequence_bytes));
            used = sequence_bytes;
        } else if (character.bytes == 0) {
            result += fmt::format("\\u{:04x}", static_cast<unsigned char>(text.front()));
        } else if (acts(character.code) && text.front() != '\n' && text.front() != '\t') {
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(character.code));
        } else {
            result += text.substr(0, used);
        }
        text.remove_prefix(used);
    }
    return result;
}

std::string one_line(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += c == '\n' ? "\\n" : std::string(1, c);
    }
    return result;
}

VisibleBuffer::int_type VisibleBuffer::overflow(int_type byte) {
    if (byte != traits_type::eof()) {
        const char c = traits_type::to_char_type(byte);
        xsputn(&c, 1);
    }
    return traits_type::not_eof(byte);
}

// Waits for a flush, since a character or a sequence may be cut in two between writes. A long text
// without a flush is passed up to its last line.
std::streamsize VisibleBuffer::xsputn(const char* bytes, std::streamsize size) {
    waiting_.append(bytes, static_cast<std::size_t>(size));
    if (waiting_.size() > k_waiting_bytes_max) {
        const auto end = waiting_.rfind('\n');
        pass(end == std::string::npos ? 0 : end + 1);
    }
    return size;
}

int VisibleBuffer::sync() {
    pass(waiting_.size());
    target_.flush();
    return 0;
}

void VisibleBuffer::pass(std::size_t size) {
    target_ << visible(std::string_view(waiting_).substr(0, size));
    waiting_.erase(0, size);
}

}  // namespace drydock::cli
