// RecordHashes holds the head of a run behind each of its records, to compare it with the heads
// that hosts noted.
//
// A host notes the head that stands before a request, so a true journal contains it. Newer records
// may follow it. One thread.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "journal/journal.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace drydock::executor {

class RecordHashes {
public:
    void add(const journal::Head& head) { hashes_[head.records] = head.hash; }

    // Compares `heads`, as an agent's hello reports them, with these. "journal.head_gone" names the
    // first head of this journal and run that is missing here. Heads of other journals are passed
    // over.
    [[nodiscard]] std::optional<Error>
    find_gone(const std::string& journal, const std::string& run, const Json& heads) const;

private:
    std::map<std::uint64_t, Digest> hashes_;  // by sequence
};

}  // namespace drydock::executor
