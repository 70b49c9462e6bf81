// Reads Flyway, golang-migrate and Rails: revisions are files with numbers, in the order of the
// numbers.
//
// Such a chain is a line, and the id of a revision is its number. Numbers are compared as texts
// without leading zeros, first by length and then by digits, so that a number may have any length.
// A revision may be two files, an up and a down script. Entries collect both by number, and two ups
// of one number are a problem. The downgrade is judged by whether its script does anything.
#include "chain/numbered.h"

#include "base/text.h"
#include "chain/paths.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace drydock::chain {

namespace {

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

std::size_t digits_at(std::string_view text) {
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit)
                                    - text.begin());
}

enum class Direction { up, down, both };

// A file name, taken apart. `order` has several numbers only for Flyway ("1.2").
struct Numbered {
    std::string id;
    std::vector<std::string> order;  // its numbers, without leading zeros
    std::string words;               // of the name
    Direction direction = Direction::up;
};

// "000012" and "12" are one revision.
std::string without_zeros(std::string_view digits) {
    const auto begin = digits.find_first_not_of('0');
    return begin == digits.npos ? "0" : std::string(digits.substr(begin));
}

std::string words_of(std::string_view name) {
    std::string words(name);
    std::replace(words.begin(), words.end(), '_', ' ');
    return words;
}

// V1.2__words.sql is an upgrade, U1.2__words.sql its undo. Repeatable files (R__) have no place in
// the order. Trailing zero parts do not count: 1.0 and 1 are one version.
std::optional<Numbered> flyway(std::string_view name) {
    const auto cut = name.find("__");
    const bool has_number = name.size() > 2 && is_digit(name[1]) && cut != name.npos;
    if (!has_number || (name.front() != 'V' && name.front() != 'U')) {
        return std::nullopt;
    }
    std::string version(name.substr(1, cut - 1));
    std::replace(version.begin(), version.end(), '_', '.');
    Numbered result = {
        {}, {}, words_of(name.substr(cut + 2, name.rfind('.') - cut - 2)), Direction::up};
    for (const std::string& part : split(version, '.')) {
        if (part.empty() || digits_at(part) != part.size()) {
            return std::nullopt;
        }
        result.order.push_back(without_zeros(part));
    }
    while (result.order.size() > 1 && result.order.back() == "0") {
        result.order.pop_back();
    }
    result.id = join(result.order, ".");
    result.direction = name.front() == 'V' ? Direction::up : Direction::down;
    return result;
}

// 000012_words.up.sql and 000012_words.down.sql.
std::optional<Numbered> golang(std::string_view name) {
    const auto digits = digits_at(name);
    const bool is_up = ends_with(name, ".up.sql");
    if (digits == 0 || name.substr(digits, 1) != "_" || (!is_up && !ends_with(name, ".down.sql"))) {
        return std::nullopt;
    }
    const std::string number = without_zeros(name.substr(0, digits));
    const std::string_view words = name.substr(digits + 1, name.find('.') - digits - 1);
    return Numbered{number, {number}, words_of(words), is_up ? Direction::up : Direction::down};
}

// 20240131120000_words.rb, with both directions in one file.
std::optional<Numbered> rails(std::string_view name) {
    const auto digits = digits_at(name);
    if (digits == 0 || name.substr(digits, 1) != "_" || !ends_with(name, ".rb")) {
        return std::nullopt;
    }
    const std::string number = without_zeros(name.substr(0, digits));
    const std::string_view words = name.substr(digits + 1, name.size() - digits - 4);
    return Numbered{number, {number}, words_of(words), Direction::both};
}

std::optional<Numbered> numbered(Convention convention, std::string_view name) {
    return convention == Convention::flyway           ? flyway(name)
           : convention == Convention::golang_migrate ? golang(name)
                                                      : rails(name);
}

// Version parts compare from left to right, and a prefix comes first: 1.2 before 1.2.1.
bool is_before(const Numbered& a, const Numbered& b) {
    for (std::size_t i = 0; i < std::min(a.order.size(), b.order.size()); ++i) {
        const std::string& part_a = a.order[i];
        const std::string& part_b = b.order[i];
        if (part_a != part_b) {
            return part_a.size() != part_b.size() ? part_a.size() < part_b.size() : part_a < part_b;
        }
    }
    return a.order.size() < b.order.size();
}

// Returns true if the SQL has anything besides comments and semicolons.
bool has_statements(std::string_view sql) {
    for (std::size_t position = 0; position < sql.size();) {
        if (sql.substr(position, 2) == "--") {
            position = std::min(sql.find('\n', position), sql.size());
        } else if (sql.substr(position, 2) == "/*") {
            const auto end = sql.find("*/", position);
            position = end == sql.npos ? sql.size() : end + 2;
        } else if (std::string_view(" \t\r\n;").find(sql[position]) != std::string_view::npos) {
            ++position;
        } else {
            return true;
        }
    }
    return false;
}

// Rails itself reverses `def change`. `IrreversibleMigration` is Rails' way of refusing.
WayDown ruby_way_down(std::string_view text) {
    const auto definition = text.find("def down");
    if (text.find("IrreversibleMigration", definition == text.npos ? 0 : definition) != text.npos) {
        return WayDown::refuses;
    }
    if (definition == text.npos) {
        const bool turns = text.find("def change") != text.npos;
        return turns ? WayDown::real : WayDown::missing;
    }
    const auto line_end = text.find('\n', definition);
    const std::string rest = trim(line_end == text.npos ? "" : text.substr(line_end));
    return rest.substr(0, 3) == "end" ? WayDown::empty : WayDown::real;
}

struct Entry {
    Numbered name;
    Revision revision;
    bool has_up = false;
};

class NumberedReader {
public:
    NumberedReader(Convention convention, Reading& reading)
        : convention_(convention)
        , reading_(reading) {}

    void add(const std::string& path, std::string_view text) {
        const auto name = numbered(convention_, leaf_of(path));
        if (!name) {
            return;
        }
        Entry& entry = entries_[name->id];
        const bool is_up = name->direction != Direction::down;
        if (is_up && entry.has_up) {
            reading_.problems.push_back(
                {path, 0, fmt::format("{} has the number {} too", entry.revision.file, name->id)});
            return;
        }
        entry.name = *name;
        if (is_up) {
            entry.has_up = true;
            entry.revision.id = name->id;
            entry.revision.doc = name->words;
            entry.revision.file = path;
        }
        read_way_down(*name, text, entry);
    }

    // Links each revision to its predecessor in the order of numbers.
    void finish() {
        std::vector<Entry*> order;
        for (auto& [id, entry] : entries_) {
            if (entry.has_up) {
                order.push_back(&entry);
            } else {
                reading_.problems.push_back({id, 0, "there is a way down but no way up"});
            }
        }
        std::sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
            return is_before(a->name, b->name);
        });
        for (std::size_t i = 1; i < order.size(); ++i) {
            order[i]->revision.parents = {order[i - 1]->revision.id};
        }
        for (Entry* entry : order) {
            reading_.graph.revisions.push_back(std::move(entry->revision));
        }
    }

private:
    // Files come sorted by path, so that a down script may be read before its up script.
    // `has_down_` remembers it: the up script then does not set the way down to missing.
    void read_way_down(const Numbered& name, std::string_view text, Entry& entry) const {
        WayDown& way_down = entry.revision.way_down;
        if (name.direction == Direction::both) {
            way_down = ruby_way_down(text);
        } else if (name.direction == Direction::down) {
            way_down = has_statements(text) ? WayDown::real : WayDown::empty;
            has_down_[name.id] = true;
        } else if (!has_down_[name.id]) {
            way_down = WayDown::missing;
        }
    }

    Convention convention_;
    Reading& reading_;
    std::map<std::string, Entry> entries_;
    mutable std::map<std::string, bool> has_down_;
};

}  // namespace

// Names of golang-migrate are distinct by their endings; Rails' are common words with a number, so
// that the folder must be called `migrate`.
std::optional<Convention> numbered_convention(std::string_view path) {
    const std::string_view name = leaf_of(path);
    if (flyway(name) && (ends_with(name, ".sql") || ends_with(name, ".java"))) {
        return Convention::flyway;
    }
    if (golang(name)) {
        return Convention::golang_migrate;
    }
    if (rails(name) && leaf_of(numbered_home(Convention::rails, path)) == "migrate") {
        return Convention::rails;
    }
    return std::nullopt;
}

std::string_view numbered_home(Convention convention, std::string_view path) {
    std::string_view folder = folder_of(path);
    while (convention == Convention::rails && folder != "." && leaf_of(folder) != "migrate") {
        folder = folder_of(folder);
    }
    return folder;
}

void read_numbered(Convention convention, const Texts& texts, Reading& reading) {
    NumberedReader reader(convention, reading);
    for (const auto& [path, text] : texts) {
        reader.add(path, text);
    }
    reader.finish();
}

}  // namespace drydock::chain
