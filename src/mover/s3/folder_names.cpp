// The escapes: "%25" for "%", "%2F" for a slash that cannot divide folders, "%2E" for the first dot
// of "." and ".." and of the rest of a name that was cut, "%00" for a byte 0, and "%/" inside a
// name that is too long for one folder.
#include "mover/s3/folder_names.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_name_bytes_max = 240;  // of 255: "%/" and an escape fit, too

// Escapes one name. A long one becomes several, of which all but the last end with "%".
std::string escaped_name(std::string_view name) {
    std::string result;
    std::size_t line = 0;  // bytes behind the last "%/"
    const bool is_dots = name == "." || name == "..";
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool is_cut_off = !result.empty() && (line == 0 || line == k_name_bytes_max);
        const bool is_first_dot = c == '.' && (is_dots ? i == 0 : is_cut_off);
        const bool is_escaped = c == '%' || c == '/' || c == '\0' || is_first_dot;
        const std::string text =
            is_escaped ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
        if (line + text.size() > k_name_bytes_max) {
            result += "%/";
            line = 0;
        }
        result += text;
        line += text.size();
    }
    return result;
}

int hex_value(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

std::string KeyPaths::path_of(const std::string& key) {
    while (!beginnings_.empty() && !key.starts_with(beginnings_.back())) {
        beginnings_.pop_back();
    }
    const auto is_key = [&](std::size_t bytes) {
        return std::any_of(beginnings_.begin(), beginnings_.end(), [&](const std::string& one) {
            return one.size() == bytes;
        });
    };
    std::string path;
    std::string name;  // as the key has it; escaped when it ends
    for (std::size_t i = 0; i < key.size(); ++i) {
        if (key[i] != '/') {
            name += key[i];
            continue;
        }
        const bool divides =
            i > 0 && i + 1 < key.size() && key[i - 1] != '/' && key[i + 1] != '/' && !is_key(i);
        if (divides) {
            path += escaped_name(name) + "/";
            name.clear();
        } else {
            name += '/';
        }
    }
    beginnings_.push_back(key);
    return path + escaped_name(name);
}

Result<std::string> key_of_path(std::string_view path) {
    std::string key;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            key += path[i];
            continue;
        }
        if (i + 1 < path.size() && path[i + 1] == '/') {
            ++i;
            continue;
        }
        const bool is_long = i + 2 < path.size();
        const int high = is_long ? hex_value(path[i + 1]) : -1;
        const int low = is_long ? hex_value(path[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return fail("s3.folder_name",
                        fmt::format("{}: a % is no escape, so it has no key", path),
                        "rename the file: write %25 for %");
        }
        key += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return key;
}

}  // namespace drydock::mover::s3
