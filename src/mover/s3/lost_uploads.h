// Multipart uploads of which nobody knows the id: created right before a death, or in a request
// whose answer was lost. Found by the key that was noted before the request, and removed.
#pragma once

#include "mover/s3/client.h"
#include "mover/s3/clone.h"
#include "mover/s3/copy_journal.h"

#include <cstdint>
#include <string>

namespace drydock::mover::s3 {

struct LostUploads {
    std::int64_t removed = 0;
    bool is_unsure = false;  // the server does not tell: an upload may be left
};

enum class WhichUploads : std::uint8_t { without_parts, all };

// Removes uploads of this key that were not created before the note. An upload of a clone gets its
// first part only after its id was noted, so one with parts is somebody else's: a clone removes
// those `without_parts`. Error: "s3.answer" for a list that cannot be read.
[[nodiscard]] Result<LostUploads> remove_lost_uploads(HttpLoop& loop,
                                                      Client& client,
                                                      const std::string& bucket,
                                                      const UploadIntent& intent,
                                                      WhichUploads which);

enum class NotedUploads : std::uint8_t { without_source, all };

// Removes the uploads whose ids are in the journal. They belong to a run that is dead: the journal
// is locked by this one. Those with a source may go on until a run has come to its end.
[[nodiscard]] Status remove_noted_uploads(HttpLoop& loop,
                                          Client& client,
                                          const std::string& bucket,
                                          CopyJournal& journal,
                                          CloneReport& report,
                                          NotedUploads which = NotedUploads::all);

// Removes the uploads that were about to be created when a run died, or whose answer was lost in
// this one. Keys for which the server does not tell are in the report and stay in the journal.
[[nodiscard]] Status remove_unknown_uploads(HttpLoop& loop,
                                            Client& client,
                                            const std::string& bucket,
                                            CopyJournal& journal,
                                            CloneReport& report);

}  // namespace drydock::mover::s3
