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

class Comparison {
public:
    explicit Comparison(std::vector<Move> listed)
        : listed_(std::move(listed))
        , seen_(listed_.size()) {}

    Survey found;

    TreeVisitor visitor() {
        return {
            .on_layout_2 = [this](const Id& folder) { take_old(folder); },
            .on_layout_3 = [this](const Id& folder, const Id& scope) { take_new(folder, scope); },
            .on_scope = [this](const Id& scope) { found.scopes.push_back(scope); },
            .on_not_directory =
                [this](const std::string& path) {
                    found.findings.note(FindingKind::not_directory, path);
                },
            .on_other =
                [this](const std::string& path) {
                    if (path != "version.txt") {
                        found.findings.note(FindingKind::other, path);
                    }
                }};
    }

    void finish() {
        found.listed = static_cast<std::int64_t>(listed_.size());
        std::size_t kept = 0;
        for (std::size_t i = 0; i < listed_.size(); ++i) {
            judge(listed_[i], seen_[i]);
            if (seen_[i] == k_old_place) {
                listed_[kept++] = listed_[i];
            }
        }
        listed_.resize(kept);
        std::sort(listed_.begin(), listed_.end(), [](const Move& left, const Move& right) {
            return left.scope != right.scope ? left.scope < right.scope
                                             : left.folder < right.folder;
        });
        std::sort(found.scopes.begin(), found.scopes.end());
        std::sort(found.standing.begin(), found.standing.end());
        found.moves = std::move(listed_);
    }

private:
    // The position in the list, or its size.
    [[nodiscard]] std::size_t find(const Id& folder) const {
        const auto at = std::lower_bound(
            listed_.begin(), listed_.end(), folder, [](const Move& move, const Id& id) {
                return move.folder < id;
            });
        return at != listed_.end() && at->folder == folder
                   ? static_cast<std::size_t>(at - listed_.begin())
                   : listed_.size();
    }

    void take_old(const Id& folder) {
        const std::size_t at = find(folder);
        if (at == listed_.size()) {
            found.findings.note(FindingKind::unlisted, path_of(folder));
        } else {
            seen_[at] |= k_old_place;
        }
    }

    void take_new(const Id& folder, const Id& scope) {
        found.standing.push_back(folder);
        const std::size_t at = find(folder);
        if (at == listed_.size()) {
            return;
        }
        if (listed_[at].scope == scope) {
            seen_[at] |= k_new_place;
        } else {
            seen_[at] |= k_other_scope;
            found.findings.note(FindingKind::elsewhere, hex_of(scope) + "/" + path_of(folder));
        }
    }

    void judge(const Move& move, std::uint8_t seen) {
        if (seen == 0) {
            found.findings.note(FindingKind::missing, path_of(move.folder));
        } else if (seen == (k_old_place | k_new_place)) {
            found.findings.note(FindingKind::collision,
                                hex_of(move.scope) + "/" + path_of(move.folder));
        } else if (seen == k_new_place) {
            ++found.in_place;
        }
    }

    std::vector<Move> listed_;
    std::vector<std::uint8_t> seen_;  // places, by position in the list
};

// "/a\040b" -> "/a b", as the kernel writes it.
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

// Somebody else's directory may hold links by the time that folders are moved into it.
void note_foreign_scopes(const os::Fd& root, Survey& found) {
    for (const Id& scope : found.scopes) {
        struct stat directory{};

        const std::string name = hex_of(scope);
        if (fstatat(root.get(), name.c_str(), &directory, AT_SYMLINK_NOFOLLOW) == 0
            && directory.st_uid != geteuid()) {
            found.findings.note(FindingKind::owner, name);
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

Result<Survey> survey(const os::Fd& root, std::vector<Move> listed) {
    Comparison comparison(std::move(listed));
    DRYDOCK_TRY(walk_tree(root, comparison.visitor()));
    comparison.finish();
    note_foreign_scopes(root, comparison.found);
    return std::move(comparison.found);
}

Result<Ownership> read_ownership(const os::Fd& root, const std::vector<Move>& moves) {
    const std::string path = moves.empty() ? "." : FolderPath(moves.front().folder).inner();
    struct stat found{};

    if (fstatat(root.get(), path.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        return fail_errno("rename.read", "look at ROOT/" + path, errno);
    }
    return Ownership{found.st_uid, found.st_gid, found.st_mode & 07777};
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
