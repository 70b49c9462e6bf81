// Percent-encoding, byte by byte: keys are bytes in UTF-8, and every byte but the unreserved ones
// is escaped.
#include "mover/s3/url.h"

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
           || std::string_view("-_.~").find(c) != std::string_view::npos;
}

// Returns the value of a hex digit, or -1.
int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string percent_encoded(std::string_view text, std::string_view kept) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c) || kept.find(c) != std::string_view::npos) {
            result += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        result += '%';
        result += digits[byte >> 4U];
        result += digits[byte & 15U];
    }
    return result;
}

Result<std::string> percent_decoded(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i] == '+' ? ' ' : text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return fail("s3.answer",
                        "a key in the server's list has a broken escape",
                        "look at the endpoint: is it an S3 server?");
        }
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return result;
}

std::string canonical_query(const NameValues& query) {
    std::vector<std::string> parts;
    for (const auto& [name, value] : query) {
        parts.push_back(percent_encoded(name) + "=" + percent_encoded(value));
    }
    // The sort is by the encoded name, then by the value; '=' sorts below every unreserved byte but
    // '-' and '.' and digits, so whole lines cannot be compared.
    std::sort(parts.begin(), parts.end(), [](const std::string& a, const std::string& b) {
        const auto name_a = std::string_view(a).substr(0, a.find('='));
        const auto name_b = std::string_view(b).substr(0, b.find('='));
        return name_a != name_b ? name_a < name_b : a < b;
    });
    std::string result;
    for (const std::string& part : parts) {
        result += (result.empty() ? "" : "&") + part;
    }
    return result;
}

}  // namespace drydock::mover::s3
