// Paths in packages. They come from archives and are only names: nothing is opened by them.
//
// clean_path() keeps ".." as it is, as the name of a file. Only linked_path() resolves it, because
// a link is followed inside of the package.
#include "chain/paths.h"

#include <algorithm>
#include <array>

namespace drydock::chain {

namespace {

// Returns false if a part is empty, or begins with a dot.
bool is_clean(std::string_view path) {
    char previous_byte = '/';
    for (const char byte : path) {
        if (previous_byte == '/' && (byte == '/' || byte == '.')) {
            return false;
        }
        previous_byte = byte;
    }
    return previous_byte != '/';
}

}  // namespace

// Empty parts and "." disappear. ".." stays, since a name in an archive leads nowhere.
std::string clean_path(std::string_view path) {
    if (is_clean(path)) {  // nearly all paths of a wheel
        return std::string(path);
    }
    std::string clean;
    clean.reserve(path.size());
    while (!path.empty()) {
        const auto cut = path.find('/');
        const std::string_view part = path.substr(0, cut);
        path.remove_prefix(cut == path.npos ? path.size() : cut + 1);
        if (!part.empty() && part != ".") {
            clean += clean.empty() ? "" : "/";
            clean += part;
        }
    }
    return clean.empty() ? "." : clean;
}

// An absolute target, or one above the package, leads out of it.
std::string linked_path(std::string_view folder, std::string_view target) {
    if (target.substr(0, 1) == "/") {
        return {};
    }
    std::string path(folder);
    while (!target.empty()) {
        const auto cut = std::min(target.find('/'), target.size());
        const std::string_view part = target.substr(0, cut);
        target.remove_prefix(std::min(cut + 1, target.size()));
        if (part == ".." && path == ".") {
            return {};
        }
        if (part == "..") {
            path = std::string(folder_of(path));
        } else if (!part.empty() && part != ".") {
            path = below(path, part);
        }
    }
    return path;
}

std::string_view folder_of(std::string_view path) {
    const auto cut = path.rfind('/');
    return cut == path.npos ? "." : path.substr(0, cut);
}

std::string_view leaf_of(std::string_view path) {
    const auto cut = path.rfind('/');
    return cut == path.npos ? path : path.substr(cut + 1);
}

std::string below(std::string_view folder, std::string_view leaf) {
    return folder == "." ? std::string(leaf) : std::string(folder) + "/" + std::string(leaf);
}

// Compares whole parts: "ab/c" does not lie in "a".
bool lies_in(std::string_view path, std::string_view folder) {
    return folder == "."
           || (path.size() > folder.size() && path[folder.size()] == '/'
               && path.substr(0, folder.size()) == folder);
}

bool ends_with(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool ends_with_path(std::string_view path, std::string_view end) {
    return ends_with(path, end)
           && (path.size() == end.size() || path[path.size() - end.size() - 1] == '/');
}

// Other files are listed but never read, which keeps large wheels cheap.
bool is_text_of_interest(std::string_view path) {
    static constexpr std::array<std::string_view, 6> k_ends = {
        ".py", ".sql", ".rb", ".ini", ".java", "pyproject.toml"};
    return std::any_of(
        k_ends.begin(), k_ends.end(), [&](std::string_view end) { return ends_with(path, end); });
}

}  // namespace drydock::chain
