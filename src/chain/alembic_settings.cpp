// Reads the places of revisions from alembic.ini or pyproject.toml.
//
// alembic reads an ini file with Python's configparser. Here sections, continued values and
// comments are enough: only the locations and the separator keys matter. TOML is read by the same
// lines, with lists turned into the ini form. A file may have several sections with a
// `script_location`, one for each database; each gives settings of its own.
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

// Returns the sections of an ini file. An indented line continues the value before it.
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

// Returns "%(here)s/x", "x" and "package.name:x" as paths. Plain paths are relative to the folder
// of the configuration. A Python package is matched by the end of its path, since the archive does
// not say where it will be installed.
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

// The separator depends on alembic's version: `path_separator` since 1.16, `version_path_separator`
// before, and spaces or commas without either. The value `os` means the separator of the writer's
// system; a list without a colon is then split at spaces and commas.
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

// Returns a string or a list of strings of TOML as alembic.ini would have it: one a line. Without
// quotes, as in `true # words`, a `#` begins a comment.
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

// A TOML list has its own separators, so that the keys for them have no meaning.
Section as_ini(Section section) {
    for (auto& [key, value] : section) {
        value = plain(std::move(value));
    }
    section["path_separator"] = "newline";
    return section;
}

}  // namespace

// `%(here)s` is the folder of the configuration. Other interpolations stay as they are and match no
// folder.
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
