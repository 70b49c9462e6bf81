// Reads the list of folders and scopes, line by line: a list of a million rows needs only the
// memory of its moves. Blank lines and lines with `#` are skipped. Errors name the file and the
// line.
#include "mover/rename/move_list.h"

#include "base/text.h"
#include "os/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <iostream>

namespace drydock::mover::rename {
namespace {

tl::unexpected<Error> refuse_line(const std::string& name, std::size_t line, const char* reason) {
    return fail("rename.list",
                fmt::format("{}:{}: {}", name, line, reason),
                "a line is the folder's id, a separator, and its quota scope: "
                "psql -At -c 'select id, quota_scope_id from vfolders'");
}

// Removes the kind in front of a scope. The layout does not contain it: ids of users and projects
// are UUIDs, which do not collide.
std::string_view without_kind(std::string_view scope) {
    for (const std::string_view kind : {"user:", "project:"}) {
        if (scope.starts_with(kind)) {
            return scope.substr(kind.size());
        }
    }
    return scope;
}

// Splits at the first run of separators, so "ID | SCOPE" parses like "ID|SCOPE".
std::optional<Move> parse_line(std::string_view line) {
    const std::size_t end = line.find_first_of("|,\t ");
    const std::size_t scope = line.find_first_not_of("|,\t ", end);
    if (end == std::string_view::npos || scope == std::string_view::npos) {
        return std::nullopt;
    }
    const auto folder = parse_id(line.substr(0, end));
    const auto owner = parse_id(without_kind(line.substr(scope)));
    return folder && owner ? std::optional(Move{*folder, *owner}) : std::nullopt;
}

// Sorts the list and removes equal rows. A folder with two scopes is an error, since it can be in
// one place only.
Status make_unique(std::vector<Move>& moves, const std::string& name) {
    std::sort(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
        return a.folder != b.folder ? a.folder < b.folder : a.scope < b.scope;
    });
    moves.erase(std::unique(moves.begin(), moves.end()), moves.end());
    const auto duplicate =
        std::adjacent_find(moves.begin(), moves.end(), [](const Move& a, const Move& b) {
            return a.folder == b.folder;
        });
    if (duplicate == moves.end()) {
        return {};
    }
    return fail("rename.list",
                fmt::format("{}: folder {} has two scopes, {} and {}",
                            name,
                            hex_of(duplicate->folder),
                            hex_of(duplicate->scope),
                            hex_of(std::next(duplicate)->scope)),
                "a folder is in one place: list one volume's folders alone");
}

}  // namespace

Result<std::vector<Move>> read_move_list(std::istream& stream, const std::string& name) {
    std::vector<Move> moves;
    std::string text;
    for (std::size_t number = 1; std::getline(stream, text); ++number) {
        const std::string line = trim(text);
        if (line.empty() || line.front() == '#') {
            continue;
        }
        const auto move = line.size() <= k_list_line_max ? parse_line(line) : std::nullopt;
        if (!move) {
            return refuse_line(name, number, "not understood");
        }
        if (moves.size() == k_moves_max) {
            return refuse_line(name, number, "too many folders");
        }
        moves.push_back(*move);
    }
    if (moves.empty()) {
        return fail(
            "rename.list", fmt::format("{} lists no folder", name), "is it the right file?");
    }
    DRYDOCK_TRY(make_unique(moves, name));
    return moves;
}

Result<std::vector<Move>> read_move_list(const std::string& path) {
    if (path == "-") {
        return read_move_list(std::cin, "the standard input");
    }
    DRYDOCK_TRY_ASSIGN(std::ifstream stream, os::open_stream(path));
    auto moves = read_move_list(stream, path);
    return stream.bad() ? fail_errno("rename.read", "read " + path, EIO) : std::move(moves);
}

}  // namespace drydock::mover::rename
