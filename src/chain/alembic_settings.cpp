// The few lines of alembic.ini that say where revisions are kept.
//
// alembic reads the file with Python's configparser. Here sections, continued values and comments
// are enough: only `script_location`, `version_locations` and the separator keys matter. A file may
// have several sections with a `script_location`, one for each database; each gives settings of its
// own.
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

// Returns "%(here)s/x", "x" and "package.name:x" as paths. A Python package is matched by the end
// of its path, since the archive does not say where it will be installed.
std::string location_of(std::string text, std::string_view ini_folder) {
    text = trim(text);
    if (const auto colon = text.find(':'); colon != text.npos) {
        std::replace(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon), '.', '/');
        text[colon] = '/';
        return clean_path(text);
    }
    const bool names_here = text.find("%(here)s") != text.npos;
    text = clean_path(replaced(std::move(text), "%(here)s", ini_folder));
    return names_here || ini_folder == "." ? text : clean_path(below(ini_folder, text));
}

// The separator depends on alembic's version: `path_separator` since 1.16, `version_path_separator`
// before, and spaces or commas without either. The value `os` means the separator of the writer's
// system; a list without a colon is then split at spaces and commas.
std::vector<std::string> locations_of(const Section& section, std::string_view ini_folder) {
    const auto list = section.find("version_locations");
    if (list == section.end()) {
        return {};
    }
    const auto path_separator = section.find("path_separator");
    const auto separator =
        path_separator != section.end() ? path_separator : section.find("version_path_separator");
    const std::string kind = separator == section.end() ? "" : separator->second;
    std::string text = list->second;
    std::string ends = kind == ":" || kind == "os" ? ":" : kind == ";" ? ";" : ", ";
    if (ends == ":" && text.find(':') == text.npos) {
        ends = ", ";
    }
    for (const char end : ends) {
        std::replace(text.begin(), text.end(), end, '\n');
    }
    std::vector<std::string> locations;
    for (const std::string& location : split(text, '\n')) {
        if (!trim(location).empty()) {
            locations.push_back(location_of(location, ini_folder));
        }
    }
    return locations;
}

}  // namespace

// `%(here)s` is the folder of the ini file. Other interpolations stay as they are and match no
// folder.
std::vector<AlembicSettings> read_alembic_settings(std::string_view path, std::string_view text) {
    std::vector<AlembicSettings> settings;
    for (const Section& section : sections_of(text)) {
        if (const auto script = section.find("script_location"); script != section.end()) {
            const std::string_view ini_folder = folder_of(path);
            settings.push_back(
                {location_of(script->second, ini_folder), locations_of(section, ini_folder)});
        }
    }
    return settings;
}

}  // namespace drydock::chain
