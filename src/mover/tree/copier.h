// Copier: what a copy does with each entry that the walk meets.
//
// Called by all threads of the walk. Each entry belongs to one of them; the rest has its locks.
#pragma once

#include "mover/tree/copy.h"
#include "mover/tree/file_data.h"
#include "mover/tree/file_state.h"
#include "mover/tree/journal.h"
#include "mover/tree/packet.h"
#include "mover/tree/rate.h"
#include "mover/tree/segments.h"
#include "mover/tree/walk.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace drydock::mover::tree {

class Staging;

// The report that all threads write to.
class SharedReport {
public:
    void add_problem(ProblemList CopyReport::* list, const std::string& path, const Error& error);

    // What a target did not take of an entry.
    void add_refusals(const std::string& path, const std::vector<Refusal>& refusals);

    template <class Change>
    void change(const Change& change) {
        const std::lock_guard lock(mutex_);
        change(report_);
    }

    [[nodiscard]] CopyReport copy() const;
    // Returns the report, which is empty behind it.
    [[nodiscard]] CopyReport take();

    // The first error that ends the whole copy.
    void end_with(const Error& error);
    [[nodiscard]] std::optional<Error> end() const;

private:
    mutable std::mutex mutex_;
    CopyReport report_;
    std::optional<Error> end_;
};

// Tells a chunk of a large file to another process.
[[nodiscard]] std::string
chunk_parcel(const Folder& folder, const std::string& name, const Entry& entry, std::int64_t chunk);

// What a copier works with. All of it outlives the copier.
struct CopierParts {
    const CopyRequest& request;
    const Staging& staging;
    Workers& workers;
    SharedReport& report;
    Notes& notes;
    Journal* journal = nullptr;  // null: this process helps another one
    int source = -1;             // the root, open

    std::int64_t start = 1;    // counts the processes that began this copy
    bool trusts_all = false;   // no host that copied was started anew since
    Time durable_until = {};   // else later changes count for nothing
    bool folds_names = false;  // the target takes some names for the same

    std::size_t helpers = 0;  // other processes, to which work is offered
    // Brings to the disk what helpers have copied.
    std::function<Status()> sync_helpers = {};
    // Of a helper: takes its lines, and the names of files that are too large for it alone.
    Segments::Sink lines = {};
    std::function<void(Workspace&, const std::string& name)> hand_back = {};
};

class Copier final : public Visitor {
public:
    explicit Copier(CopierParts parts);

    [[nodiscard]] bool enter(Workspace& workspace, Folder& folder) override;
    void visit(Workspace& workspace, const FolderRef& folder, const Name& name) override;
    void leave(Workspace& workspace, Folder& folder) override;
    void fail(const std::string& path, const Error& error) override;

    // The number of the thread that makes links: its lines count before all others of a start.
    [[nodiscard]] std::size_t link_thread() const { return removal_thread() + 1; }

    // The number under which removals from the staging folder have their lines.
    [[nodiscard]] std::size_t removal_thread() const {
        return request_.workers.most + parts_.helpers;
    }

    // Writes out what a thread still holds.
    void flush(Workspace& workspace);
    // Makes further names of files, when all files are there.
    [[nodiscard]] Status make_links(Workspace& workspace);
    // Brings everything so far to the disks.
    [[nodiscard]] Status sync();

    // Offers what is in a folder to helpers.
    [[nodiscard]] Offer offer_names(const FolderRef& folder, const NamesRef& names);
    // Does what an offer tells. Returns the answer, which the helper completes with what was handed
    // back.
    [[nodiscard]] Result<std::string> do_parcel(Workspace& workspace, const std::string& parcel);
    // Takes lines of the helper with this rank.
    [[nodiscard]] Status
    add_lines_of(std::size_t helper, bool are_removals, std::string_view lines);

    [[nodiscard]] Progress progress() const { return {entries_.load(), bytes_.load()}; }

private:
    struct LargeFile;

    // The name of a file that further names are linked to.
    struct LinkSource {
        os::Fd folder;
        std::string name;
        Entry entry;
    };

    // A file whose bytes are in place.
    struct Done {
        FolderRef folder;
        std::string name;
        int source = -1;
        os::Fd target;
        Entry entry;
        std::string digest;
        bool has_changed = false;
        PresetAttributes preset = {};
    };

    [[nodiscard]] Status
    copy_entry(Workspace& workspace, const FolderRef& folder, const Name& name);
    [[nodiscard]] Status copy_file(Workspace& workspace,
                                   const FolderRef& folder,
                                   const std::string& name,
                                   os::Fd source,
                                   const Entry& entry);
    [[nodiscard]] Status copy_whole(Workspace& workspace,
                                    const FolderRef& folder,
                                    const std::string& name,
                                    const os::Fd& source,
                                    Entry entry);
    [[nodiscard]] Status finish_file(Workspace& workspace, Done done);
    [[nodiscard]] Status start_large(const FolderRef& folder,
                                     const std::string& name,
                                     os::Fd source,
                                     const Entry& entry);
    [[nodiscard]] Journal& journal() const;
    void push_chunk(const std::shared_ptr<LargeFile>& file);
    void copy_next_chunk(Workspace& workspace, const std::shared_ptr<LargeFile>& file);
    void fail_chunk(LargeFile& file, const Error& error);
    [[nodiscard]] Status copy_one_chunk(Workspace& workspace, LargeFile& file, std::int64_t chunk);
    // Returns the next chunk that no earlier run has copied; -1 behind the last one.
    [[nodiscard]] std::int64_t next_chunk(LargeFile& file);
    [[nodiscard]] Status take_chunk(LargeFile& file, std::int64_t chunk, const FileData& data);
    void end_chunk(Workspace& workspace, const std::shared_ptr<LargeFile>& file);
    [[nodiscard]] Offer offer_chunk(const std::shared_ptr<LargeFile>& file);
    [[nodiscard]] Result<std::string> do_names(Workspace& workspace, PacketReader& reader);
    [[nodiscard]] Result<std::string> do_chunk(Workspace& workspace, PacketReader& reader);
    // Opens a folder that the other process has open, too.
    [[nodiscard]] Result<FolderRef> folder_at(const std::string& path, bool is_new, bool exists);
    void count_copied(const Entry& entry);
    [[nodiscard]] Status finish_large(Workspace& workspace, LargeFile& file);
    [[nodiscard]] Status copy_special(Workspace& workspace,
                                      const FolderRef& folder,
                                      const std::string& name,
                                      const Entry& entry);
    [[nodiscard]] Result<bool> is_at_target(Workspace& workspace,
                                            const FolderRef& folder,
                                            const std::string& name,
                                            const os::Fd& source,
                                            const Entry& entry);
    [[nodiscard]] Result<bool> is_completed(const Folder& folder,
                                            const std::string& name,
                                            const os::Fd& source,
                                            const Entry& entry,
                                            const Entry& staged) const;
    [[nodiscard]] Status keep_file(Workspace& workspace,
                                   const Folder& folder,
                                   const std::string& name,
                                   const os::Fd& source,
                                   const Entry& entry);
    [[nodiscard]] Result<std::string> same_content(Workspace& workspace,
                                                   const os::Fd& source,
                                                   const Entry& entry,
                                                   const os::Fd& there);
    // Notes that the target has something else at a path; true if that stays.
    [[nodiscard]] bool leaves_other(const std::string& path);
    // True if the copy has come to an end, or is asked to.
    [[nodiscard]] bool is_ended();
    void end_large(Workspace& workspace, LargeFile& file);
    [[nodiscard]] Result<LinkSource> find_first(const std::string& path);
    [[nodiscard]] Result<std::optional<Entry>> entry_at_target(const std::string& path) const;
    [[nodiscard]] Status
    link_into_place(Workspace& workspace, const LinkSource& source, const std::string& path);
    [[nodiscard]] Status copy_instead(Workspace& workspace,
                                      const LinkSource& source,
                                      int folder,
                                      const std::string& name);
    [[nodiscard]] Result<bool>
    is_further_name(const FolderRef& folder, const std::string& name, const Entry& entry);
    [[nodiscard]] Status
    make_link(Workspace& workspace, const std::string& path, const FirstName& first);
    [[nodiscard]] bool is_other_file_system(int file) const;
    [[nodiscard]] bool is_own(const Entry& entry) const;
    void remove_staged_extra(Folder& folder);
    // Lists what an earlier run left in a folder, where a name may lead to something of another
    // name.
    [[nodiscard]] Status note_left(Folder& folder) const;
    // Removes what an earlier run staged under a name, with all that is in it, and notes that.
    [[nodiscard]] Status
    remove_staged(int folder, const std::string& name, const std::string& path);
    // Returns what an earlier run staged under a name. If that is a folder and shall be something
    // else, or the other way round, it is removed, and nothing is returned.
    [[nodiscard]] Result<std::optional<Entry>>
    left_behind(const Folder& folder, const std::string& name, Kind kind);
    void sync_sometimes();
    // Waits as the limit of the rate tells.
    void wait_for_rate(std::int64_t bytes);
    // True if the new file shares the blocks of the source now. The first refusal is the last
    // attempt.
    [[nodiscard]] bool clone(const os::Fd& source, const os::Fd& target, const Entry& entry);

    CopierParts parts_;
    const CopyRequest& request_;
    Notes& notes_;
    const Staging& staging_;
    Workers& workers_;
    SharedReport& report_;
    Segments segments_;
    bool resumes_;
    NewFiles new_files_;
    RateLimit rate_;
    std::atomic<bool> clones_;
    std::uint64_t target_device_ = 0;
    std::vector<Entry> own_folders_;  // at the target
    std::atomic<std::int64_t> entries_ = 0;
    std::atomic<std::int64_t> bytes_ = 0;
    std::mutex sync_mutex_;
    std::mutex removals_mutex_;
    std::atomic<std::int64_t> synced_ms_;
};

}  // namespace drydock::mover::tree
