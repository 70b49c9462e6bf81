// A copy from begin to end: what an earlier process left, the walk, the further names, and the
// renames that publish it.
#include "mover/tree/copy.h"

#include "base/hash.h"
#include "mover/tree/copier.h"
#include "mover/tree/dealer.h"
#include "mover/tree/journal.h"
#include "mover/tree/manifest.h"
#include "mover/tree/mirror.h"
#include "mover/tree/progress.h"
#include "mover/tree/space.h"
#include "mover/tree/staging.h"
#include "mover/tree/team.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <thread>

namespace drydock::mover::tree {
namespace {

std::string name_of(const CopyRequest& request) {
    return fmt::format("{} -> {} ({}{}{})",
                       request.source,
                       request.target,
                       name_of(request.digest),
                       request.stays_on_file_system ? ", one file system" : "",
                       request.selection.empty() ? "" : ", without " + request.selection);
}

// A tree cannot be copied into itself: the walk would meet its own copies.
Status check_places(const CopyRequest& request) {
    const std::string source = os::real_path_of(request.source);
    std::string target = os::real_path_of(request.target);
    if (target.empty()) {
        target =
            os::real_path_of(os::folder_of(request.target)) + "/" + os::name_of(request.target);
    }
    if (target == source || target.starts_with(source == "/" ? source : source + "/")) {
        return fail("tree.inside",
                    fmt::format("{} is in {}", request.target, request.source),
                    "name a target outside of the source");
    }
    return {};
}

// Throws away what belongs to an earlier copy that came to its end.
Status forget(const CopyRequest& request) {
    std::error_code error;
    for (const std::string& path : Segments::files_in(request.state_folder)) {
        std::filesystem::remove(path, error);
    }
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::filesystem::remove(request.state_folder + "/journal.sqlite" + suffix, error);
    }
    return error ? fail("tree.journal",
                        fmt::format(
                            "{} cannot be emptied: {}", request.state_folder, error.message()),
                        "look at its permissions")
                 : Status();
}

Result<std::unique_ptr<Journal>> open_journal(const CopyRequest& request,
                                              const std::set<std::string>& boots) {
    DRYDOCK_TRY(os::ensure_private_folder(request.state_folder));
    const std::string path = request.state_folder + "/journal.sqlite";
    DRYDOCK_TRY_ASSIGN(auto journal, Journal::open(path, name_of(request), boots));
    DRYDOCK_TRY_ASSIGN(const Phase phase, journal->phase());
    if (phase != Phase::done) {
        return journal;
    }
    journal.reset();
    DRYDOCK_TRY(forget(request));
    return Journal::open(path, name_of(request), boots);
}

Status choose_profile(CopyRequest& request, int target) {
    DRYDOCK_TRY_ASSIGN(const os::Fd source, open_root(request.source));
    request.profile = profile_of(source.get(), target);
    request.workers.piece_bytes = request.profile.piece_bytes;
    return {};
}

class Copy {
public:
    Copy(const CopyRequest& request, Journal& journal, Staging& staging, Dealer& dealer)
        : request_(request)
        , journal_(journal)
        , staging_(staging)
        , dealer_(dealer) {}

    // A copy that was killed walks again, also if it was about to publish: what has its place is
    // found there, and the source may have changed.
    Result<CopyReport> run(std::int64_t start) {
        DRYDOCK_TRY(journal_.forget_names());
        DRYDOCK_TRY(walk(start));
        DRYDOCK_TRY(publish());
        CopyReport report = report_.copy();
        report.resumed = start > 1;
        report.ranks = ranks();
        report.profile = request_.profile.name;
        return report;
    }

private:
    Status walk(std::int64_t start) {
        DRYDOCK_TRY_ASSIGN(os::Fd root, open_root(request_.source));
        DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(root.get(), ""));
        DRYDOCK_TRY_ASSIGN(root_, open_entry(root.get(), ".", O_RDONLY | O_DIRECTORY));
        Workers workers(request_.workers);
        CopierParts parts = {request_, staging_, workers, report_, journal_, &journal_};
        parts.source = root_.get();
        parts.start = start;
        parts.trusts_all = !journal_.was_rebooted();
        parts.durable_until = journal_.durable_until().value_or(Time{});
        DRYDOCK_TRY_ASSIGN(parts.folds_names, journal_.folds_names());
        parts.helpers = dealer_.helpers();
        if (parts.helpers > 0) {
            parts.sync_helpers = [this] { return dealer_.sync(); };
            workers.set_taker([this](const Offer& offer) { return dealer_.take(offer); });
        }
        DRYDOCK_TRY(dealer_.begin(parts));
        Copier copier(std::move(parts));
        const std::jthread serving = dealer_.serve(copier, workers, journal_, report_);
        WalkOptions options = {request_.stays_on_file_system, request_.leaves_out};
        if (dealer_.helpers() > 0) {
            options.offer = [&](const FolderRef& folder, const NamesRef& names) {
                return copier.offer_names(folder, names);
            };
        }
        {
            const ProgressReporter teller(request_.progressed, [&] { return progress_of(copier); });
            Walk walk(workers, copier, options);
            walk.start(std::move(root), entry);
            workers.finish([&](Workspace& workspace) { copier.flush(workspace); });
        }
        entries_ = progress_of(copier).entries;
        own_bytes_ = copier.progress().bytes;
        report_.change([&](CopyReport& report) {
            report.threads = static_cast<std::int64_t>(workers.most_threads());
        });
        if (const auto end = report_.end()) {
            return tl::unexpected(*end);
        }
        Workspace own(copier.link_thread());
        DRYDOCK_TRY(copier.make_links(own));
        copier.flush(own);
        if (const auto end = report_.end()) {
            return tl::unexpected(*end);
        }
        if (request_.is_durable) {
            DRYDOCK_TRY(copier.sync());
            DRYDOCK_TRY(journal_.settle_boot());
        }
        return write_manifest();
    }

    [[nodiscard]] Progress progress_of(const Copier& copier) const {
        const Progress own = copier.progress();
        const Progress others = dealer_.progress();
        return {own.entries + others.entries, own.bytes + others.bytes};
    }

    // Nothing for a process that copied alone.
    [[nodiscard]] std::vector<RankReport> ranks() const {
        if (request_.team == nullptr) {
            return {};
        }
        std::vector<RankReport> all = {{request_.team->host(), report_.copy().copied, own_bytes_}};
        for (const RankReport& helper : dealer_.ranks()) {
            all.front().files -= helper.files;
            all.push_back(helper);
        }
        return all;
    }

    Status write_manifest() {
        return request_.manifest.empty() ? Status()
                                         : sort_manifest(Segments::files_in(request_.state_folder),
                                                         {request_.digest, request_.source},
                                                         request_.state_folder,
                                                         request_.manifest);
    }

    Status publish() {
        const std::int64_t failures = report_.copy().failures.count;
        DRYDOCK_TRY(
            staging_.publish(request_.replaces, [&](const std::string& path, const Error& error) {
                report_.add_problem(&CopyReport::failures, path, error);
            }));
        DRYDOCK_TRY(request_.is_durable ? staging_.sync() : Status());
        if (report_.copy().failures.count == failures) {
            DRYDOCK_TRY(journal_.set_phase(Phase::done));
            DRYDOCK_TRY(request_.is_durable ? journal_.barrier() : journal_.end_syncing());
        }
        if (const Status removed = staging_.remove(); !removed) {
            report_.add_problem(&CopyReport::failures, k_staging_name, removed.error());
        }
        DRYDOCK_TRY(set_root_attributes());
        remove_what_is_extra();
        DRYDOCK_TRY(set_flags());
        return request_.is_durable ? staging_.sync() : Status();  // of what came behind the renames
    }

    // What could not be read may be missing here and there in the source for that reason alone. And
    // an empty source is mostly a disk that is not mounted.
    void remove_what_is_extra() {
        if (!request_.removes_extra) {
            return;
        }
        const bool is_empty = entries_ <= 1;  // the root itself
        if (is_empty || report_.copy().failures.count > 0) {
            report_.add_problem(&CopyReport::failures,
                                "",
                                {"tree.not_removed",
                                 is_empty ? "the source has nothing: nothing was removed"
                                          : "not all was copied: nothing was removed",
                                 "",
                                 {}});
            return;
        }
        MirrorRequest mirror = {root_.get(), staging_.target(), true, request_.leaves_out};
        mirror.is_over = request_.is_to_stop;
        mirror.found = [&](const std::string& path, Kind kind) {
            report_.add_problem(
                &CopyReport::removed, path, {"tree.removed", name_of(kind), "", {}});
        };
        mirror.failed = [&](const std::string& path, const Error& error) {
            report_.add_problem(&CopyReport::failures, path, error);
        };
        remove_extra(mirror);
    }

    Status set_root_attributes() {
        DRYDOCK_TRY_ASSIGN(const os::Fd source, open_root(request_.source));
        DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(source.get(), ""));
        DRYDOCK_TRY_ASSIGN(const auto extended, read_extended(source.get()));
        report_.add_refusals("", set_attributes(staging_.target(), entry, extended));
        report_.add_refusals("", remove_extra_attributes(staging_.target(), extended));
        report_.add_refusals("", set_times(staging_.target(), entry, 0));
        return {};
    }

    // The deepest first: nothing can be changed in an immutable folder.
    Status set_flags() {
        return journal_.each_flags([&](const std::string& path, std::uint32_t flags) {
            const auto [parent, name] = split_path(path);
            auto folder = open_folder_below(staging_.target(), parent);
            auto file = folder ? open_entry(folder->get(), path.empty() ? "." : name, O_RDONLY)
                               : std::move(folder);
            if (!file) {
                report_.add_problem(&CopyReport::failures, path, file.error());
                return;
            }
            const auto entry = read_entry(file->get(), "");
            report_.add_refusals(
                path, entry ? set_times(file->get(), *entry, flags) : std::vector<Refusal>());
        });
    }

    const CopyRequest& request_;
    Journal& journal_;
    Staging& staging_;
    Dealer& dealer_;
    SharedReport report_;
    os::Fd root_;  // the source, also if something else is mounted there meanwhile
    std::int64_t entries_ = 0;
    std::int64_t own_bytes_ = 0;
};

}  // namespace

void ProblemList::add(const std::string& path,
                      const std::string& code,
                      const std::string& message) {
    constexpr std::size_t kept_max = 100;
    ++count;
    if (first.size() < kept_max) {
        first.push_back({path, code, message});
    }
}

void CopyReport::add_refusals(const std::string& path, const std::vector<Refusal>& refusals) {
    for (const Refusal& refusal : refusals) {
        const auto error = fail_errno("tree.attribute", refusal.what, refusal.error);
        refused.add(path, error.value().code, error.value().message);
    }
}

Result<CopyReport> copy_tree(const CopyRequest& wanted) {
    CopyRequest request = wanted;
    request.workers = within_descriptors(wanted.workers);
    DRYDOCK_TRY(check_places(request));
    Dealer dealer(request.team);
    DRYDOCK_TRY(dealer.visit_name());
    DRYDOCK_TRY_ASSIGN(auto journal, open_journal(request, dealer.boots()));
    DRYDOCK_TRY_ASSIGN(const std::string known, journal->staging());
    DRYDOCK_TRY_ASSIGN(Staging staging, Staging::open(request.target, known));
    DRYDOCK_TRY_ASSIGN(const std::string identity, staging.identity());
    DRYDOCK_TRY(choose_profile(request, staging.target()));
    if (staging.is_new()) {
        if (const Status space = check_space(request, staging.target()); !space) {
            static_cast<void>(staging.remove());
            return tl::unexpected(space.error());
        }
        DRYDOCK_TRY_ASSIGN(const bool folds_names, staging.folds_names());
        DRYDOCK_TRY(journal->set_folds_names(folds_names));
        DRYDOCK_TRY(journal->set_staging(identity));
    }
    DRYDOCK_TRY_ASSIGN(const std::int64_t start, journal->count_start());
    DRYDOCK_TRY(journal->barrier());  // before the disk has anything that these notes tell of
    return Copy(request, *journal, staging, dealer).run(start);
}

}  // namespace drydock::mover::tree
