// The comparison of list and tree, in one walk over the tree.
//
// For each row of the list three bits say in which places its folder was seen. The places are
// layout 2, layout 3 under its scope, and layout 3 under another scope. After the walk the bits
// give the verdict: only "old place alone" becomes a move. Memory: one byte for each row beside the
// list, which is reused as the list of moves.
#include "mover/rename/survey.h"

#include "base/text.h"
#include "mover/rename/tree.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace drydock::mover::rename {
namespace {

constexpr std::array<std::string_view, k_finding_kinds> k_names = {
    "collision", "elsewhere", "not_directory", "unlisted", "missing", "other", "owner", "newer"};
constexpr std::uint8_t k_old_place = 1;
constexpr std::uint8_t k_new_place = 2;
constexpr std::uint8_t k_other_scope = 4;

std::string path_of(const Id& folder) {
    return FolderPath(folder).whole();
}

// Collects the visitor's calls into a Survey. finish() must be called after the walk.
class Comparison {
public:
    explicit Comparison(std::vector<Move> listed_moves)
        : listed_(std::move(listed_moves))
        , places_(listed_.size()) {}

    Survey result;

    TreeVisitor visitor() {
        return {
            .on_layout_2 = [this](const Id& folder) { take_old(folder); },
            .on_layout_3 = [this](const Id& folder, const Id& scope) { take_new(folder, scope); },
            .on_scope = [this](const Id& scope) { result.scopes.push_back(scope); },
            .on_not_directory =
                [this](const std::string& path) {
                    result.findings.note(FindingKind::not_directory, path);
                },
            .on_other =
                [this](const std::string& path) {
                    if (path != "version.txt") {
                        result.findings.note(FindingKind::other, path);
                    }
                }};
    }

    // Keeps the rows that are to be moved, and sorts them by scope, as the placer works best in
    // that order.
    void finish() {
        result.listed = static_cast<std::int64_t>(listed_.size());
        std::size_t move_count = 0;
        for (std::size_t i = 0; i < listed_.size(); ++i) {
            judge(listed_[i], places_[i]);
            if (places_[i] == k_old_place) {
                listed_[move_count++] = listed_[i];
            }
        }
        listed_.resize(move_count);
        std::sort(listed_.begin(), listed_.end(), [](const Move& a, const Move& b) {
            return a.scope != b.scope ? a.scope < b.scope : a.folder < b.folder;
        });
        std::sort(result.scopes.begin(), result.scopes.end());
        std::sort(result.standing.begin(), result.standing.end());
        result.moves = std::move(listed_);
    }

private:
    // Returns the position of a folder in the list, or the size of the list.
    [[nodiscard]] std::size_t find(const Id& folder) const {
        const auto entry = std::lower_bound(
            listed_.begin(), listed_.end(), folder, [](const Move& move, const Id& id) {
                return move.folder < id;
            });
        return entry != listed_.end() && entry->folder == folder
                   ? static_cast<std::size_t>(entry - listed_.begin())
                   : listed_.size();
    }

    // Notes a folder of layout 2.
    void take_old(const Id& folder) {
        const std::size_t index = find(folder);
        if (index == listed_.size()) {
            result.findings.note(FindingKind::unlisted, path_of(folder));
        } else {
            places_[index] |= k_old_place;
        }
    }

    // Notes a folder of layout 3. A folder under a wrong scope forbids the move: a rename would not
    // repair it.
    void take_new(const Id& folder, const Id& scope) {
        result.standing.push_back(folder);
        const std::size_t index = find(folder);
        if (index == listed_.size()) {
            return;
        }
        if (listed_[index].scope == scope) {
            places_[index] |= k_new_place;
        } else {
            places_[index] |= k_other_scope;
            result.findings.note(FindingKind::elsewhere, hex_of(scope) + "/" + path_of(folder));
        }
    }

    // Turns the places of one row into a finding or a count.
    void judge(const Move& move, std::uint8_t places) {
        if (places == 0) {
            result.findings.note(FindingKind::missing, path_of(move.folder));
        } else if (places == (k_old_place | k_new_place)) {
            result.findings.note(FindingKind::collision,
                                 hex_of(move.scope) + "/" + path_of(move.folder));
        } else if (places == k_new_place) {
            ++result.in_place;
        }
    }

    std::vector<Move> listed_;
    std::vector<std::uint8_t> places_;  // places, by position in the list
};

// Decodes the octal escapes of mountinfo: "/a\040b" -> "/a b".
std::string unescape(std::string_view field) {
    std::string path;
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] == '\\' && i + 3 < field.size()) {
            path += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8
                                      + (field[i + 3] - '0'));
            i += 3;
        } else {
            path += field[i];
        }
    }
    return path;
}

// The owner of a directory could put links into it before folders are moved there.
void note_foreign_scopes(const os::Fd& root, Survey& result) {
    for (const Id& scope : result.scopes) {
        struct stat directory{};

        const std::string name = hex_of(scope);
        if (fstatat(root.get(), name.c_str(), &directory, AT_SYMLINK_NOFOLLOW) == 0
            && directory.st_uid != geteuid()) {
            result.findings.note(FindingKind::owner, name);
        }
    }
}

}  // namespace

std::string_view name_of(FindingKind kind) {
    return k_names.at(static_cast<std::size_t>(kind));
}

void Findings::note(FindingKind kind, std::string path) {
    Finding& finding = by_kind_.at(static_cast<std::size_t>(kind));
    ++finding.count;
    if (finding.paths.size() < k_samples_max) {
        finding.paths.push_back(std::move(path));
    }
}

bool Survey::can_move(bool leaves_unlisted) const {
    return findings.of(FindingKind::collision).count == 0
           && findings.of(FindingKind::elsewhere).count == 0
           && findings.of(FindingKind::not_directory).count == 0
           && findings.of(FindingKind::owner).count == 0
           && (leaves_unlisted || findings.of(FindingKind::unlisted).count == 0);
}

Result<Survey> survey(const os::Fd& root, std::vector<Move> listed_moves) {
    Comparison comparison(std::move(listed_moves));
    DRYDOCK_TRY(walk_tree(root, comparison.visitor()));
    comparison.finish();
    note_foreign_scopes(root, comparison.result);
    return std::move(comparison.result);
}

// A folder of the list shows the owner and mode for new directories; without one, the root does.
Result<Ownership> read_ownership(const os::Fd& root, const std::vector<Move>& moves) {
    const std::string path = moves.empty() ? "." : FolderPath(moves.front().folder).inner();
    struct stat directory{};

    if (fstatat(root.get(), path.c_str(), &directory, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno("rename.read", "look at ROOT/" + path, errno);
    }
    return Ownership{directory.st_uid, directory.st_gid, directory.st_mode & 07777};
}

Status check_mounts(std::string_view mounts, const std::string& root) {
    for (const std::string& line : split(mounts, '\n')) {
        const auto fields = split(line, ' ');
        const std::string point = fields.size() > 4 ? unescape(fields[4]) : "";
        if (point.starts_with(root + "/")) {
            return fail("rename.mounted",
                        fmt::format("{} is a filesystem of its own below {}", point, root),
                        "folders are renamed within one filesystem; unmount it");
        }
    }
    return {};
}

}  // namespace drydock::mover::rename
