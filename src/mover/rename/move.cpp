// The order of the durable steps of a move. Forward: the plan, the record `begin`; for each batch
// its intent, the renames and a sync; the record `moved`, version.txt, the record `done`. Back: the
// record `back`, version.txt, the batches from the last to the first, the record `returned`, the
// removal of the journal.
//
// After a kill the step under way is done again, and a folder that is in its place already is left
// alone. The intent bounds the work of a resume: only folders of one batch can be in either place.
//
// version.txt is written after the last folder forward, and before the first folder back. So it
// names layout 3 only while every folder is in its new place.
#include "mover/rename/move.h"

#include "mover/rename/move_journal.h"
#include "mover/rename/move_list.h"
#include "mover/rename/placer.h"
#include "mover/rename/tree.h"
#include "mover/rename/volume.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace drydock::mover::rename {
namespace {

constexpr const char* k_new_version = "3\n";

// Refuses to work for another user. Root works in root's volumes only: the owner of a directory may
// replace it by a link while root walks below it.
Status check_owner(const Ownership& owner, const Volume& volume) {
    struct stat root{};

    if (geteuid() == owner.user && fstat(volume.root.get(), &root) == 0
        && (geteuid() != 0 || root.st_uid == 0)) {
        return {};
    }
    return fail("rename.owner",
                fmt::format("the volume and its directories belong to user {}, and this is user {}",
                            geteuid() == 0 && owner.user == 0 ? root.st_uid : owner.user,
                            geteuid()),
                "run it as that user, as in `sudo -u NAME drydock vfolders move`");
}

// Refuses a journal of another volume. The inode changes if a volume is replaced by a copy.
Status check_same(const MoveBegin& begin, const Volume& volume) {
    if (begin.inode == volume.inode && begin.root == volume.path) {
        return {};
    }
    return fail("rename.journal",
                fmt::format("the journal is of {}, not of {}", begin.root, volume.path),
                "--journal names the directory of another one");
}

class Mover {
public:
    Mover(const MoveRequest& request, Volume volume)
        : request_(request)
        , volume_(std::move(volume)) {}

    MoveReport report;

    // Compares the list with the tree, and makes the plan in memory.
    Status look() {
        DRYDOCK_TRY_ASSIGN(version_, volume_.version());
        if (request_.list.empty()) {
            return fail("rename.list",
                        "which folder belongs to which scope? There is no list",
                        "--list FILE: what psql prints of vfolders' id and quota_scope_id");
        }
        DRYDOCK_TRY_ASSIGN(auto listed_moves, read_move_list(request_.list));
        DRYDOCK_TRY_ASSIGN(Survey result, survey(volume_.root, std::move(listed_moves)));
        report.listed = result.listed;
        report.in_place = result.in_place;
        report.folders = static_cast<std::int64_t>(result.moves.size());
        report.is_refused = !result.can_move(request_.leaves_unlisted);
        report.findings = std::move(result.findings);
        if (result.moves.empty() && result.in_place == 0) {
            return fail("rename.list",
                        fmt::format("none of the folders of the list is below {}", volume_.path),
                        "is it the volume's own directory, and the list that of this volume?");
        }
        DRYDOCK_TRY_ASSIGN(owner_, read_ownership(volume_.root, result.moves));
        DRYDOCK_TRY(check_owner(owner_, volume_));
        plan_ = {std::move(result.moves), std::move(result.scopes), std::move(result.standing)};
        return {};
    }

    // Refuses a list with folders to move after a finished move. That move was for its own list,
    // and would pass over another one in silence.
    Status check_list() {
        if (request_.list.empty()) {
            return {};
        }
        DRYDOCK_TRY_ASSIGN(auto listed_moves, read_move_list(request_.list));
        DRYDOCK_TRY_ASSIGN(const Survey result, survey(volume_.root, std::move(listed_moves)));
        if (result.moves.empty()) {
            return {};
        }
        return fail("rename.done",
                    fmt::format("a move is done here, and {} of this list {} in layout 2",
                                result.moves.size(),
                                result.moves.size() == 1 ? "is" : "are"),
                    "--finish closes that move, or --back takes it back; then this list can be "
                    "moved");
    }

    // Writes the plan of look() and the first record.
    Status begin(MoveJournal& journal) {
        MoveBegin first;
        first.root = volume_.path;
        first.device = volume_.device;
        first.inode = volume_.inode;
        first.version = version_;
        first.owner = owner_;
        return journal.begin(plan_, first);
    }

    // Takes the plan from the journal and not from a new survey: some folders have moved since.
    Status resume(const MoveJournal& journal) {
        const MoveBegin& begin = *journal.state().begin;
        DRYDOCK_TRY(check_same(begin, volume_));
        DRYDOCK_TRY_ASSIGN(plan_, journal.plan());
        owner_ = begin.owner;
        version_ = begin.version;
        report.folders = static_cast<std::int64_t>(plan_.moves.size());
        report.is_resumed = true;
        return check_owner(owner_, volume_);
    }

    // Continues at the first step without a record. Blocked folders end the move before
    // version.txt: the next call tries them again from the front.
    Status forward(MoveJournal& journal) {
        if (!journal.state().is_moved) {
            DRYDOCK_TRY(move_all(journal));
            if (report.blocked > 0) {
                return journal.note_blocked(report.blocked);
            }
            DRYDOCK_TRY(journal.note_moved());
        }
        if (!journal.state().is_done) {
            DRYDOCK_TRY(volume_.set_version(k_new_version, owner_));
            DRYDOCK_TRY(journal.note_done());
        }
        report.is_done = true;
        return {};
    }

    // Finds folders of layout 3 that are new since the move. The plan does not have them, so they
    // would stay in layout 3 under a version.txt of layout 2.
    Status find_newer() {
        std::vector<Id> known_folders = plan_.standing;
        for (const Move& move : plan_.moves) {
            known_folders.push_back(move.folder);
        }
        std::sort(known_folders.begin(), known_folders.end());
        TreeVisitor visitor;
        visitor.on_layout_2 = [](const Id&) {};
        visitor.on_scope = [](const Id&) {};
        visitor.on_other = visitor.on_not_directory = [](const std::string&) {};
        visitor.on_layout_3 = [&](const Id& folder, const Id& scope) {
            if (!std::binary_search(known_folders.begin(), known_folders.end(), folder)) {
                report.findings.note(FindingKind::newer,
                                     hex_of(scope) + "/" + FolderPath(folder).whole());
            }
        };
        DRYDOCK_TRY(walk_tree(volume_.root, visitor));
        report.is_refused =
            !request_.leaves_unlisted && report.findings.of(FindingKind::newer).count > 0;
        return {};
    }

    // Takes the steps of forward() back in reverse order.
    Status back(MoveJournal& journal) {
        if (!journal.state().goes_back) {
            DRYDOCK_TRY(journal.intend_back());
        }
        if (!journal.state().is_returned) {
            DRYDOCK_TRY(volume_.set_version(version_, owner_));
            DRYDOCK_TRY(undo_all(journal));
            if (report.blocked > 0) {
                return journal.note_blocked(report.blocked);
            }
            DRYDOCK_TRY(journal.note_returned());
        }
        report.is_done = true;
        return journal.remove();
    }

private:
    // Renames in batches, in the order of the plan: by scope, so that the placer changes its
    // directory rarely. Batches of an earlier process are repaired: directories may lack their
    // owner.
    Status move_all(MoveJournal& journal) {
        Placer placer(volume_.root, owner_);
        const std::uint64_t total = plan_.moves.size();
        std::uint64_t first = journal.state().next;
        const std::uint64_t begun_count = journal.state().moves_begun;
        while (first < total) {
            const std::uint64_t last = std::min<std::uint64_t>(first + request_.batch, total);
            DRYDOCK_TRY(journal.intend(first, last));
            DRYDOCK_TRY(check_stop(first, total));
            placer.repair(first < begun_count);
            for (std::uint64_t index = first; index < last; ++index) {
                DRYDOCK_TRY_ASSIGN(const Placement placement, placer.forward(plan_.moves[index]));
                count(placement);
            }
            DRYDOCK_TRY(volume_.sync());
            first = last;
            report_progress(first, total);
        }
        report.directories = placer.directories_made();
        return {};
    }

    // Renames back in reverse order, from the last move that was ever begun.
    Status undo_all(MoveJournal& journal) {
        Placer placer(volume_.root, owner_);
        const std::uint64_t total = journal.state().moves_begun;
        std::uint64_t last = journal.state().undo_end;
        while (last > 0) {
            const std::uint64_t first = last - std::min<std::uint64_t>(request_.batch, last);
            DRYDOCK_TRY(journal.intend_undo(first, last));
            DRYDOCK_TRY(check_stop(total - last, total));
            for (std::uint64_t index = last; index > first; --index) {
                DRYDOCK_TRY_ASSIGN(const Placement placement, placer.back(plan_.moves[index - 1]));
                count(placement);
            }
            DRYDOCK_TRY(volume_.sync());
            last = first;
            report_progress(total - last, total);
        }
        return prune(placer, total);
    }

    // Removes empty directories after all renames: a filesystem that frees many directories is slow
    // to sync, and each batch ends with a sync.
    Status prune(Placer& placer, std::uint64_t total) {
        for (std::uint64_t index = 0; index < total; ++index) {
            const Id& scope = plan_.moves[index].scope;
            const bool keeps = std::binary_search(plan_.scopes.begin(), plan_.scopes.end(), scope);
            DRYDOCK_TRY(placer.prune(plan_.moves[index], keeps));
        }
        return volume_.sync();
    }

    void count(Placement placement) {
        report.moved += placement == Placement::moved ? 1 : 0;
        report.already_moved += placement == Placement::already_moved ? 1 : 0;
        report.blocked += placement == Placement::blocked ? 1 : 0;
        report.vanished += placement == Placement::vanished ? 1 : 0;
    }

    void report_progress(std::uint64_t folders, std::uint64_t total) {
        ++report.batches;
        if (request_.on_progress) {
            request_.on_progress(static_cast<std::int64_t>(folders),
                                 static_cast<std::int64_t>(total));
        }
    }

    // Ends the move if it is to stop and has done a batch. The intent of the next batch stands
    // already, so the next call does not look at this one again.
    [[nodiscard]] Status check_stop(std::uint64_t folders, std::uint64_t total) const {
        if (report.batches == 0 || !request_.is_to_stop || !request_.is_to_stop()) {
            return {};
        }
        return fail("rename.paused",
                    fmt::format("paused: {} of {} folders are done", folders, total),
                    "the same command goes on from there",
                    ErrorClass::transient);
    }

    const MoveRequest& request_;
    Volume volume_;
    MovePlan plan_;
    Ownership owner_;
    std::optional<std::string> version_;
};

// True if the move was taken back, and a kill prevented the removal of the journal.
bool is_over(const MoveState& state) {
    return state.is_returned;
}

}  // namespace

Result<MoveReport> look(const MoveRequest& request) {
    DRYDOCK_TRY_ASSIGN(Volume volume, Volume::open(request.root));
    Mover mover(request, std::move(volume));
    auto journal = MoveJournal::open(request.folder, false);
    if (journal && journal->state().begin && !is_over(journal->state())) {
        DRYDOCK_TRY(mover.resume(*journal));
        mover.report.already_moved = static_cast<std::int64_t>(journal->state().next);
        mover.report.is_done = journal->state().is_done;
        if (mover.report.is_done) {
            DRYDOCK_TRY(mover.check_list());
        }
        return std::move(mover.report);
    }
    if (!journal && journal.error().code != "rename.nothing") {
        return tl::unexpected(journal.error());
    }
    DRYDOCK_TRY(mover.look());
    return std::move(mover.report);
}

Result<MoveReport> move(const MoveRequest& request) {
    DRYDOCK_TRY_ASSIGN(Volume volume, Volume::open(request.root));
    DRYDOCK_TRY_ASSIGN(MoveJournal journal, MoveJournal::open(request.folder, true));
    Mover mover(request, std::move(volume));
    if (journal.state().goes_back && !is_over(journal.state())) {
        return fail("rename.goes_back",
                    "the folders are on their way back",
                    "--back once more; then the move can begin anew");
    }
    if (journal.state().begin && !is_over(journal.state())) {
        DRYDOCK_TRY(mover.resume(journal));
        if (journal.state().is_done) {
            DRYDOCK_TRY(mover.check_list());
        }
    } else {
        DRYDOCK_TRY(mover.look());
        if (mover.report.is_refused) {
            DRYDOCK_TRY(journal.remove());
            return std::move(mover.report);
        }
        DRYDOCK_TRY(mover.begin(journal));
    }
    DRYDOCK_TRY(mover.forward(journal));
    return std::move(mover.report);
}

Result<MoveReport> move_back(const MoveRequest& request) {
    DRYDOCK_TRY_ASSIGN(Volume volume, Volume::open(request.root));
    DRYDOCK_TRY_ASSIGN(MoveJournal journal, MoveJournal::open(request.folder, false));
    Mover mover(request, std::move(volume));
    if (!journal.state().begin) {
        return fail("rename.nothing", "nothing was moved: the journal is empty");
    }
    DRYDOCK_TRY(mover.resume(journal));
    if (!journal.state().goes_back) {
        DRYDOCK_TRY(mover.find_newer());
        if (mover.report.is_refused) {
            return std::move(mover.report);
        }
    }
    DRYDOCK_TRY(mover.back(journal));
    return std::move(mover.report);
}

Result<FinishReport> finish(const MoveRequest& request) {
    DRYDOCK_TRY_ASSIGN(const Volume volume, Volume::open(request.root));
    DRYDOCK_TRY_ASSIGN(MoveJournal journal, MoveJournal::open(request.folder, false));
    if (!journal.state().is_done || journal.state().goes_back) {
        return fail("rename.unfinished",
                    "not every folder is in its place",
                    "say `drydock vfolders move` again first");
    }
    DRYDOCK_TRY(check_same(*journal.state().begin, volume));
    FinishReport report;
    DRYDOCK_TRY_ASSIGN(report.removed, volume.remove_empty_fans());
    DRYDOCK_TRY(journal.remove());
    return report;
}

}  // namespace drydock::mover::rename
