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

std::string replaced(std::string text, std::string_view pattern, std::string_view replacement) {
    for (auto position = text.find(pattern); position != text.npos;
         position = text.find(pattern, position + replacement.size())) {
        text.replace(position, pattern.size(), replacement);
    }
    return text;
}

// "%(here)s/x", "x" and "package.name:x" as paths. A package is found by the end of its path.
std::string location_of(std::string text, std::string_view config_folder) {
    text = trim(text);
    if (const auto colon = text.find(':'); colon != text.npos) {
        std::replace(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), '.', '/');
        text[colon] = '/';
        return clean_path(text);
    }
    const bool is_anchored = text.find("%(here)s") != text.npos;
    text = clean_path(replaced(std::move(text), "%(here)s", config_folder));
    return is_anchored || config_folder == "." ? text : clean_path(below(config_folder, text));
}

std::vector<std::string> locations_of(const Section& section, std::string_view config_folder) {
    const auto list = section.find("version_locations");
    if (list == section.end()) {
        return {};
    }
    const auto path_separator = section.find("path_separator");
    const auto separator =
        path_separator != section.end() ? path_separator : section.find("version_path_separator");
    const std::string kind = separator == section.end() ? "" : separator->second;
    std::string text = list->second;
    std::string separators = kind == ":" || kind == "os" ? ":"
                             : kind == ";"               ? ";"
                             : kind == "newline"         ? ""
                                                         : ", ";
    if (separators == ":" && text.find(':') == text.npos) {
        separators = ", ";
    }
    for (const char end : separators) {
        std::replace(text.begin(), text.end(), end, '\n');
    }
    std::vector<std::string> locations;
    for (const std::string& location : split(text, '\n')) {
        if (!trim(location).empty()) {
            locations.push_back(location_of(location, config_folder));
        }
    }
    return locations;
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
    std::vector<AlembicSettings> settings;
    const bool is_toml = ends_with(path, ".toml");
    for (const Section& original : sections_of(text)) {
        const Section section = is_toml ? as_ini(original) : original;
        if (const auto script = section.find("script_location"); script != section.end()) {
            const std::string_view config_folder = folder_of(path);
            const auto recursive = section.find("recursive_version_locations");
            settings.push_back({location_of(script->second, config_folder),
                                locations_of(section, config_folder),
                                recursive != section.end() && recursive->second == "true"});
        }
    }
    return settings;
}

}  // namespace drydock::chain
