// Journal: what a copy of a tree has to know after it was killed, in one SQLite file.
//
// The tree that is built up tells most of it: a file there is complete once it has its time of
// modification, which it gets last. The journal adds which of that has surely reached the disk, the
// chunks of large files, the first name of each file with several, and what is left to be done
// behind the last rename. Every write survives the death of the process; barrier() makes all of
// them survive a power cut. One process at a time. Thread-safe.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "mover/tree/notes.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

struct sqlite3;

namespace drydock::mover::tree {

enum class Phase : std::uint8_t { copying, done };

class Journal final : public Notes {
public:
    // Opens or makes the file. `copy` says what is copied where and how, `boots` names the boots of
    // all hosts that copy. Errors: "tree.journal" for the journal of another copy or a broken file,
    // "tree.journal_busy" if another process has it.
    [[nodiscard]] static Result<std::unique_ptr<Journal>>
    open(const std::string& path, const std::string& copy, const std::set<std::string>& boots);
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    ~Journal() override;

    // Makes all writes so far survive a power cut.
    [[nodiscard]] Status barrier();
    // Waits for no disk any more: what follows need not survive a power cut.
    [[nodiscard]] Status end_syncing();

    [[nodiscard]] Result<Phase> phase();
    [[nodiscard]] Status set_phase(Phase phase);

    // The number of this start of the copy: 1, 2, ...
    [[nodiscard]] Result<std::int64_t> count_start();

    // Names the staging folder that this copy made; empty as long as it has made none.
    [[nodiscard]] Result<std::string> staging();
    [[nodiscard]] Status set_staging(const std::string& identity);

    // True if the target takes some names for the same.
    [[nodiscard]] Result<bool> folds_names();
    [[nodiscard]] Status set_folds_names(bool folds);

    // What was changed at the target before this time of its own clock is on its disk. Notes of
    // another boot of this host count only so far.
    [[nodiscard]] Result<Time> durable_until();
    [[nodiscard]] Status set_durable_until(const Time& time);

    // True if a host that copied was started anew since the last settle_boot(), or the first start.
    // Of a host that does not take part any more nobody knows: it counts as started anew.
    [[nodiscard]] bool was_rebooted() const { return was_rebooted_; }

    // Called when a walk has looked at all that another boot left, and everything was synced.
    [[nodiscard]] Status settle_boot();

    [[nodiscard]] Result<FirstName> first_name(const FileId& file,
                                               const std::string& path) override;
    [[nodiscard]] Status set_digest(const FileId& file, const std::string& digest) override;
    [[nodiscard]] Status add_link(const std::string& path, const FileId& file) override;
    // Forgets the names and flags that an earlier start met: the source may have changed since.
    [[nodiscard]] Status forget_names();
    [[nodiscard]] Status
    each_link(const std::function<void(const std::string& path, const FirstName& first)>& take);

    [[nodiscard]] Status add_flags(const std::string& path, std::uint32_t flags) override;
    [[nodiscard]] Status
    each_flags(const std::function<void(const std::string& path, std::uint32_t flags)>& take);

    // Digests of the chunks of a large file that are written; `version` changes with the source.
    [[nodiscard]] Result<std::map<std::int64_t, std::string>> chunks(const std::string& path,
                                                                     const std::string& version);
    [[nodiscard]] Status add_chunk(const std::string& path,
                                   const std::string& version,
                                   std::int64_t chunk,
                                   const std::string& digest);
    [[nodiscard]] Status remove_chunks(const std::string& path);

private:
    class Statement;

    explicit Journal(sqlite3* database) : database_(database) {}

    [[nodiscard]] Status set_syncing(bool syncs);
    [[nodiscard]] Status prepare(const std::string& copy);
    [[nodiscard]] Status note_boots();
    [[nodiscard]] Status run(const char* sql);
    [[nodiscard]] Result<std::string> note(const char* name);
    [[nodiscard]] Status set_note(const char* name, std::string_view text);
    [[nodiscard]] tl::unexpected<Error> broken() const;

    std::mutex mutex_;
    sqlite3* database_;
    std::string folder_;
    bool syncs_ = true;
    std::set<std::string> boots_;
    bool was_rebooted_ = false;
};

}  // namespace drydock::mover::tree
