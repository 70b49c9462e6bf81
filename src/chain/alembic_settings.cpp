// The few lines of alembic.ini or pyproject.toml that say where revisions are kept.
#include "base/text.h"
#include "chain/environments.h"
#include "chain/paths.h"

#include <algorithm>
#include <map>

namespace drydock::chain {

namespace {

using Section = std::map<std::string, std::string>;

bool is_comment(std::string_view line) {
    return line.empty() || line.front() == '#' || line.front() == ';';
}

// Sections of an ini file; a line with an indent goes on with the value before it.
std::vector<Section> sections_of(std::string_view text) {
    std::vector<Section> sections(1);
    std::string key;
    for (const std::string& line : split(text, '\n')) {
        const std::string words = trim(line);
        if (is_comment(words)) {
            continue;
        }
        if (words.front() == '[') {
            sections.emplace_back();
            key.clear();
        } else if ((line.front() == ' ' || line.front() == '\t') && !key.empty()) {
            sections.back()[key] += "\n" + words;
        } else if (const auto cut = words.find_first_of("=:"); cut != words.npos) {
            key = trim(words.substr(0, cut));
            sections.back()[key] = trim(words.substr(cut + 1));
        }
    }
    return sections;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

// "%(here)s/x", "x" and "package.name:x" as paths. A package is found by the end of its path.
std::string location_of(std::string text, std::string_view here) {
    text = trim(text);
    if (const auto colon = text.find(':'); colon != text.npos) {
        std::replace(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), '.', '/');
        text[colon] = '/';
        return clean_path(text);
    }
    const bool names_here = text.find("%(here)s") != text.npos;
    text = clean_path(replaced(std::move(text), "%(here)s", here));
    return names_here || here == "." ? text : clean_path(below(here, text));
}

std::vector<std::string> locations_of(const Section& section, std::string_view here) {
    const auto list = section.find("version_locations");
    if (list == section.end()) {
        return {};
    }
    const auto path_separator = section.find("path_separator");
    const auto separator =
        path_separator != section.end() ? path_separator : section.find("version_path_separator");
    const std::string kind = separator == section.end() ? "" : separator->second;
    std::string text = list->second;
    std::string ends = kind == ":" || kind == "os" ? ":"
                       : kind == ";"               ? ";"
                       : kind == "newline"         ? ""
                                                   : ", ";
    if (ends == ":" && text.find(':') == text.npos) {
        ends = ", ";
    }
    for (const char end : ends) {
        std::replace(text.begin(), text.end(), end, '\n');
    }
    std::vector<std::string> found;
    for (const std::string& one : split(text, '\n')) {
        if (!trim(one).empty()) {
            found.push_back(location_of(one, here));
        }
    }
    return found;
}

// A string or a list of strings in TOML, as alembic.ini would have it: one a line.
std::string plain(std::string value) {
    if (value.find_first_of("\"'") == value.npos) {
        value.resize(std::min(value.find('#'), value.size()));
    }
    for (char& byte : value) {
        byte = byte == '[' || byte == ']' || byte == '"' || byte == '\'' ? ' ' : byte;
        byte = byte == ',' ? '\n' : byte;
    }
    return trim(value);
}

Section as_ini(Section section) {
    for (auto& [key, value] : section) {
        value = plain(std::move(value));
    }
    section["path_separator"] = "newline";
    return section;
}

}  // namespace

std::vector<AlembicSettings> read_alembic_settings(std::string_view path, std::string_view text) {
    std::vector<AlembicSettings> found;
    const bool is_toml = ends_with(path, ".toml");
    for (const Section& written : sections_of(text)) {
        const Section section = is_toml ? as_ini(written) : written;
        if (const auto script = section.find("script_location"); script != section.end()) {
            const std::string_view here = folder_of(path);
            const auto recursive = section.find("recursive_version_locations");
            found.push_back({location_of(script->second, here),
                             locations_of(section, here),
                             recursive != section.end() && recursive->second == "true"});
        }
    }
    return found;
}

}  // namespace drydock::chain
