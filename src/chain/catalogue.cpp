// Writes and reads catalogues, by the difference of each release to its predecessor.
//
// Both directions keep the lines of the current release by id. The writer emits ids with a new,
// changed or removed line. The reader applies each line to the map. It copies the map when the
// release ends, at the next `release` line or at the end of the text. Files, lines and downgrades
// of revisions are not in a catalogue, so a way down read from one is `unknown`.
#include "chain/catalogue.h"

#include "base/text.h"
#include "chain/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace drydock::chain {

namespace {

using Lines = std::map<std::string, std::string>;  // by id, the rest of its line

// A line has the parents and the dependencies. A comparison uses nothing else.
Lines lines_of(const Graph& graph) {
    Lines lines;
    for (const Revision& revision : graph.revisions) {
        std::string words;
        for (const std::string& parent : revision.parents) {
            words += " " + parent;
        }
        words += revision.depends_on.empty() ? "" : " ;";
        for (const std::string& dependency : revision.depends_on) {
            words += " " + dependency;
        }
        lines[revision.id] = words;
    }
    return lines;
}

// The reverse of lines_of(): words before the semicolon are parents, words after it dependencies.
Revision revision_of(const std::string& id, std::string_view words) {
    Revision revision;
    revision.id = id;
    revision.way_down = WayDown::unknown;
    bool is_dependency = false;
    for (const std::string& word : split(words, ' ')) {
        if (word == ";") {
            is_dependency = true;
        } else if (!word.empty()) {
            (is_dependency ? revision.depends_on : revision.parents).push_back(word);
        }
    }
    return revision;
}

class Reader {
public:
    // The first line that is not understood ends the reading: later differences would rest on a
    // wrong state.
    Result<Catalogue> read(std::string_view text) {
        int number = 0;
        for (const std::string& line : split(text, '\n')) {
            ++number;
            if (!line.empty() && line.front() != '#' && !read_line(line)) {
                return fail("chain.catalogue",
                            fmt::format("line {} of the catalogue is not understood", number),
                            "write `release V`, `+ ID PARENT...` or `- ID`");
            }
        }
        close();
        return std::move(catalogue_);
    }

private:
    // Returns false if the line has no meaning. A `- ID` must remove an existing revision.
    bool read_line(const std::string& line) {
        static constexpr std::string_view k_release = "release ";
        if (line.compare(0, k_release.size(), k_release) == 0) {
            close();
            release_ = line.substr(k_release.size());
            return !release_.empty();
        }
        if (release_.empty() || line.size() < 3 || line[1] != ' ') {
            return false;
        }
        const auto cut = std::min(line.find(' ', 2), line.size());
        const std::string id = line.substr(2, cut - 2);
        if (line.front() == '+') {
            lines_[id] = line.substr(cut);
            return true;
        }
        return line.front() == '-' && lines_.erase(id) == 1;
    }

    // Ends the current release: its graph is the map as it stands.
    void close() {
        if (release_.empty()) {
            return;
        }
        CatalogueEntry entry;
        entry.release = release_;
        for (const auto& [id, words] : lines_) {
            entry.graph.revisions.push_back(revision_of(id, words));
        }
        catalogue_.push_back(std::move(entry));
    }

    std::string release_;
    Lines lines_;
    Catalogue catalogue_;
};

}  // namespace

// Removed ids come before new ones, both sorted, so that equal graphs give equal texts.
std::string write_catalogue(const Catalogue& catalogue) {
    std::string text;
    Lines previous_lines;
    for (const CatalogueEntry& entry : catalogue) {
        text += "release " + entry.release + "\n";
        const Lines lines = lines_of(entry.graph);
        for (const auto& [id, words] : previous_lines) {
            text += lines.contains(id) ? "" : "- " + id + "\n";
        }
        for (const auto& [id, words] : lines) {
            const auto previous_line = previous_lines.find(id);
            if (previous_line == previous_lines.end() || previous_line->second != words) {
                text += fmt::format("+ {}{}\n", id, words);
            }
        }
        previous_lines = lines;
    }
    return text;
}

Result<Catalogue> read_catalogue(std::string_view text) {
    return Reader().read(text);
}

// finish() sorts the revisions and refuses cycles, as it does for packages.
Reading reading_of(const CatalogueEntry& entry) {
    Reading reading;
    reading.package = entry.release;
    reading.graph = entry.graph;
    finish(reading);
    return reading;
}

}  // namespace drydock::chain
