// CopyJournal: what a clone has to know after it was killed, in a file of SQLite.
//
// The target itself tells which objects are there. The journal adds what a listing does not tell:
// the ranges of keys that are left, objects whose ETag is another one at the target, multipart
// uploads that are open, and keys for which one may be open whose id nobody knows. Writes are
// collected until commit(), which is durable. One process at a time: the file is locked. Not
// thread-safe.
#pragma once

#include "base/result.h"
#include "mover/s3/key_range.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

struct OpenUpload {
    std::string key;  // with the prefix of the target
    std::string id;
    std::string source = {};  // what its parts are copied from; empty: it cannot go on
};

// A multipart upload that is about to be created.
struct UploadIntent {
    std::string key;            // with the prefix of the target
    std::int64_t noted_ms = 0;  // since 1970, by the server's clock
};

class CopyJournal {
public:
    // Opens or makes the file. `clone` names source, target and kind of the clone. Errors:
    // "s3.journal" for the journal of another clone or a broken file, "s3.journal_busy" if another
    // process has it.
    [[nodiscard]] static Result<CopyJournal> open(const std::string& path,
                                                  const std::string& clone);
    CopyJournal(CopyJournal&&) noexcept;
    CopyJournal& operator=(CopyJournal&&) noexcept;
    ~CopyJournal();

    // Returns the ranges that an unfinished run left; nothing after a run that came to its end.
    [[nodiscard]] Result<std::vector<KeyRange>> left() const;
    [[nodiscard]] Status save_left(const std::vector<KeyRange>& ranges);

    // Returns the target's ETag for an object of the source; "" if a copy was begun and not
    // recorded; nothing if the journal does not know it.
    [[nodiscard]] Result<std::optional<std::string>> pair(const std::string& key,
                                                          const std::string& source_etag) const;
    // Notes the ETag; "" notes that a copy is about to begin.
    [[nodiscard]] Status note_pair(const std::string& key,
                                   const std::string& source_etag,
                                   const std::string& target_etag);

    // Returns a note by its name; "" if there is none. Notes outlive the runs.
    [[nodiscard]] Result<std::string> note(const std::string& name) const;
    [[nodiscard]] Status set_note(const std::string& name, const std::string& text);

    // Notes that an upload for this key is about to be created; an older note of the key stays.
    [[nodiscard]] Status add_intent(const UploadIntent& intent);
    [[nodiscard]] Status remove_intent(const std::string& key);
    [[nodiscard]] Result<std::vector<UploadIntent>> intents() const;

    // With a source, a later run may go on with the parts of the upload.
    [[nodiscard]] Status add_upload(const OpenUpload& upload);
    [[nodiscard]] Status remove_upload(const std::string& id);
    [[nodiscard]] Result<std::vector<OpenUpload>> uploads() const;

    // Makes all writes since the last call durable, at once or not at all.
    [[nodiscard]] Status commit();

private:
    struct Database;

    explicit CopyJournal(std::unique_ptr<Database> database);

    std::unique_ptr<Database> database_;
};

}  // namespace drydock::mover::s3
