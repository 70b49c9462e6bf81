// RunHeads: the head of a run behind each of its records, to compare with what hosts noted.
//
// A host notes the head that a request stood behind, so a true journal contains it; newer records
// may be behind it. One thread.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "journal/journal.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace drydock::conduct {

class RunHeads {
public:
    void add(const journal::Head& head) { hashes_[head.records] = head.hash; }

    // `heads` as an agent's hello tells them. "journal.head_gone" names the first that this journal
    // and run noted there and that is none of these. Heads of other journals are passed over.
    [[nodiscard]] std::optional<Error>
    find_gone(const std::string& journal, const std::string& run, const Json& heads) const;

private:
    std::map<std::uint64_t, Digest> hashes_;  // by sequence
};

}  // namespace drydock::conduct
