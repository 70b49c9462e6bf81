// Folders, links and devices, and what is common to all entries. Files are in copy_file.cpp.
#include "mover/tree/copier.h"

#include "base/check.h"
#include "mover/tree/manifest.h"
#include "mover/tree/special.h"
#include "mover/tree/staging.h"
#include "os/clock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr std::int64_t k_sync_ms = 5'000;  // between two barriers

std::int64_t now_ms() {
    return os::RealClock().monotonic_ms();
}

}  // namespace

void SharedReport::add_problem(ProblemList CopyReport::* list,
                               const std::string& path,
                               const Error& error) {
    change([&](CopyReport& report) { (report.*list).add(path, error.code, error.message); });
}

void SharedReport::add_refusals(const std::string& path, const std::vector<Refusal>& refusals) {
    if (!refusals.empty()) {
        change([&](CopyReport& report) { report.add_refusals(path, refusals); });
    }
}

CopyReport SharedReport::copy() const {
    const std::lock_guard lock(mutex_);
    return report_;
}

CopyReport SharedReport::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(report_, {});
}

void SharedReport::end_with(const Error& error) {
    const std::lock_guard lock(mutex_);
    end_ = end_.value_or(error);
}

std::optional<Error> SharedReport::end() const {
    const std::lock_guard lock(mutex_);
    return end_;
}

Copier::Copier(CopierParts parts)
    : parts_(std::move(parts))
    , request_(parts_.request)
    , notes_(parts_.notes)
    , staging_(parts_.staging)
    , workers_(parts_.workers)
    , report_(parts_.report)
    , segments_(
          request_.state_folder,
          parts_.start,
          request_.workers.most + parts_.helpers + 2,
          [this](const Finished& finished, const std::vector<Refusal>& refusals) {
              report_.add_refusals(finished.folder->path_of(finished.name), refusals);
          },
          parts_.lines,
          !request_.is_durable           ? Durability::none
          : request_.profile.syncs_files ? Durability::synced
                                         : Durability::begun)
    , resumes_(parts_.start > 1)
    , new_files_(parts_.start > 1)
    , rate_(request_.bytes_per_second)
    , clones_(!request_.profile.is_plain && parts_.helpers == 0)
    , synced_ms_(now_ms()) {
    for (const int folder : {staging_.target(), staging_.folder()}) {
        if (const auto entry = read_entry(folder, "")) {
            target_device_ = entry->device;
            own_folders_.push_back(*entry);
        }
    }
}

// Of a helper, which has none, nobody asks for it.
Journal& Copier::journal() const {
    CHECK(parts_.journal != nullptr);
    return *parts_.journal;
}

// A full disk ends the copy: each further file would fail, too.
void Copier::fail(const std::string& path, const Error& error) {
    const bool is_end = error.code == "tree.disk_full" || error.code.starts_with("tree.journal");
    if (is_end) {
        report_.end_with(error.with_context(path));
        workers_.cancel();
    } else {
        report_.add_problem(&CopyReport::failures, path, error);
    }
}

// The folder is made with full access for us. It gets its own mode when all is in it.
bool Copier::enter(Workspace& /*workspace*/, Folder& folder) {
    ++entries_;
    if (folder.parent && !folder.parent->parent && folder.name == k_staging_name) {
        fail(
            folder.path(),
            drydock::fail("tree.unfinished", "it is an unfinished copy, and was left out").value());
        return false;
    }
    if (!folder.parent) {
        folder.is_new = staging_.is_new();
        folder.staged = os::Fd(::fcntl(staging_.folder(), F_DUPFD_CLOEXEC, 0));
        folder.existing = os::Fd(::fcntl(staging_.target(), F_DUPFD_CLOEXEC, 0));
        if (!folder.staged || !folder.existing) {
            fail("", fail_errno("tree.open", "open the target", errno).value());
            return false;
        }
        const Status noted = note_left(folder);
        if (!noted) {
            fail("", noted.error());
        }
        return noted.has_value();
    }
    if (is_ended()) {
        return false;
    }
    if (is_own(folder.entry)) {
        fail(folder.path(),
             drydock::fail("tree.inside", "it is the target itself, and was left out").value());
        return false;
    }
    const int parent = folder.parent->staged.get();
    if (const auto cleared = left_behind(*folder.parent, folder.name, Kind::folder); !cleared) {
        fail(folder.path(), cleared.error());
        return false;
    }
    folder.is_new = ::mkdirat(parent, folder.name.c_str(), S_IRWXU) == 0;
    if (!folder.is_new
        && (errno != EEXIST || !folder.parent->may_have_left(folder.name) || !resumes_)) {
        fail(folder.path(), fail_make("make the folder", errno).value());
        return false;
    }
    auto staged = open_entry(parent, folder.name, O_RDONLY | O_DIRECTORY);
    if (!staged) {
        fail(folder.path(), staged.error());
        return false;
    }
    folder.staged = std::move(*staged);
    if (!folder.is_new) {
        remove_inheritance(folder.staged.get());
        static_cast<void>(::fchmod(folder.staged.get(), S_IRWXU));
    }
    if (const Status noted = note_left(folder); !noted) {
        fail(folder.path(), noted.error());
        return false;
    }
    if (folder.parent->existing) {
        auto existing =
            open_entry(folder.parent->existing.get(), folder.name, O_RDONLY | O_DIRECTORY);
        if (existing && is_other_file_system(existing->get())) {
            existing = drydock::fail("tree.mount", "another file system is mounted there");
        }
        if (existing) {
            folder.existing = std::move(*existing);
        } else if (existing.error().code != "tree.vanished") {
            fail(folder.path(), existing.error().with_context("something else is at the target"));
            folder.staged.close();
            ::unlinkat(parent, folder.name.c_str(), AT_REMOVEDIR);
            return false;
        }
    }
    return true;
}

// True for the target and its staging folder: a mount may lead there from the source.
bool Copier::is_own(const Entry& entry) const {
    return std::any_of(own_folders_.begin(), own_folders_.end(), [&](const Entry& own) {
        return own.device == entry.device && own.inode == entry.inode;
    });
}

bool Copier::is_other_file_system(int file) const {
    const auto found = read_entry(file, "");
    return found && found->device != target_device_;
}

// Copies the attributes of a folder behind everything that is in it.
void Copier::leave(Workspace& workspace, Folder& folder) {
    if (!folder.staged || report_.end()) {
        return;
    }
    if (!folder.is_new && resumes_) {
        remove_staged_extra(folder);
    }
    const auto extended = read_extended(folder.source.get());
    if (!extended) {
        fail(folder.path(), extended.error());
        return;
    }
    ManifestEntry found = {folder.path(), folder.entry, *extended, read_flags(folder.source.get())};
    if (folder.parent) {  // the root gets its own when all is published
        report_.add_refusals(found.path,
                             set_attributes(folder.staged.get(), folder.entry, *extended));
        report_.add_refusals(found.path, set_times(folder.staged.get(), folder.entry, 0));
    }
    const Status noted = found.flags == 0 ? Status() : notes_.add_flags(found.path, found.flags);
    const Status added = segments_.add_line(workspace.number(), line_of(found));
    if (!noted || !added) {
        fail(found.path, noted ? added.error() : noted.error());
    }
    report_.change([](CopyReport& report) { ++report.folders; });
}

bool Copier::is_ended() {
    if (!report_.end() && request_.is_to_stop && request_.is_to_stop()) {
        report_.end_with(drydock::fail("tree.paused",
                                       "the copy was asked to stop",
                                       "type the same command: it goes on")
                             .value());
        workers_.cancel();
    }
    return report_.end().has_value();
}

void Copier::visit(Workspace& workspace, const FolderRef& folder, const Name& name) {
    if (is_ended()) {
        return;
    }
    ++entries_;
    if (const Status copied = copy_entry(workspace, folder, name); !copied) {
        fail(folder->path_of(name.text), copied.error());
    }
    sync_sometimes();
}

Status Copier::copy_entry(Workspace& workspace, const FolderRef& folder, const Name& name) {
    if (name.listed == Listed::file) {
        DRYDOCK_TRY_ASSIGN(os::Fd source, open_entry(folder->source.get(), name.text, O_RDONLY));
        DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(source.get(), ""));
        return entry.kind == Kind::file
                   ? copy_file(workspace, folder, name.text, std::move(source), entry)
                   : drydock::fail("tree.changed", "it became something else while it was copied");
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder->source.get(), name.text));
    if (entry.kind == Kind::file) {
        return copy_entry(workspace, folder, {name.text, Listed::file, name.inode});
    }
    return entry.kind == Kind::folder
               ? drydock::fail("tree.changed", "it became a folder while it was copied")
               : copy_special(workspace, folder, name.text, entry);
}

Status Copier::copy_special(Workspace& workspace,
                            const FolderRef& folder,
                            const std::string& name,
                            const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(const bool is_further, is_further_name(folder, name, entry));
    if (is_further) {
        return {};
    }
    ManifestEntry found = {folder->path_of(name), entry};
    if (entry.kind == Kind::link) {
        DRYDOCK_TRY_ASSIGN(found.link_target, read_link(folder->source.get(), name));
    }
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(folder->source.get(), name));
    const bool is_occupied =
        folder->existing && read_entry(folder->existing.get(), name).has_value();
    if (is_occupied && is_special_there(folder->existing.get(), name, found)) {
        report_.add_refusals(found.path,
                             set_attributes(folder->existing.get(), name, entry, found.extended));
        report_.add_refusals(found.path, set_times(folder->existing.get(), name, entry));
        report_.change([](CopyReport& report) { ++report.equal; });
        return segments_.add_line(workspace.number(), line_of(found));
    }
    if (is_occupied && leaves_other(found.path)) {
        return {};
    }
    const int staged = folder->staged.get();
    bool is_made = make_special(staged, name, entry, found.link_target);
    if (!is_made && errno == EEXIST && resumes_ && folder->may_have_left(name)) {
        DRYDOCK_TRY(left_behind(*folder, name, entry.kind));
        DRYDOCK_TRY(remove_entry(staged, name));
        is_made = make_special(staged, name, entry, found.link_target);
    }
    if (!is_made && is_unknown_to_target(errno)) {  // the manifest has it, and can bring it back
        report_.add_refusals(found.path, {{name_of(entry.kind), errno}});
        return segments_.add_line(workspace.number(), line_of(found));
    }
    if (!is_made) {
        return fail_make(name_of(entry.kind), errno);
    }
    report_.add_refusals(found.path, set_attributes(staged, name, entry, found.extended));
    report_.change(
        [&](CopyReport& report) { ++(entry.kind == Kind::link ? report.links : report.specials); });
    return segments_.add(
        workspace.number(), line_of(found), Finished{folder, name, os::Fd(), entry, 0});
}

void Copier::flush(Workspace& workspace) {
    if (const Status flushed = segments_.flush(workspace.number()); !flushed) {
        fail("", flushed.error());
    }
}

// What was complete before the target's clock showed this time is on the disk afterwards.
Status Copier::sync() {
    DRYDOCK_TRY_ASSIGN(const Time now, staging_.target_time());
    DRYDOCK_TRY(segments_.sync());
    DRYDOCK_TRY(parts_.sync_helpers ? parts_.sync_helpers() : Status());
    DRYDOCK_TRY(staging_.sync());
    if (parts_.trusts_all) {  // else older entries that nobody has looked at would count, too
        DRYDOCK_TRY(journal().set_durable_until(now));
    }
    return journal().barrier();
}

void Copier::wait_for_rate(std::int64_t bytes) {
    rate_.wait_for(bytes, [this] { return is_ended(); });
}

void Copier::sync_sometimes() {
    if (!request_.is_durable || now_ms() - synced_ms_ < k_sync_ms) {
        return;
    }
    const std::unique_lock lock(sync_mutex_, std::try_to_lock);
    if (!lock) {
        return;
    }
    if (const Status synced = sync(); !synced) {
        fail("", synced.error());
    }
    synced_ms_ = now_ms();
}

}  // namespace drydock::mover::tree
