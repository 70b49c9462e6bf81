// Compares the heads that a host noted with the records of the journal.
//
// The check finds a journal that was rewritten, or put back from an older copy. A host then
// remembers a record that this journal lacks, or that has another hash here. Going on from such a
// journal would repeat actions that the lost records describe, so the conductor stops and a person
// decides.
#include "executor/noted_heads_check.h"

#include <fmt/format.h>

namespace drydock::executor {

std::optional<Error> RecordHashes::find_gone(const std::string& journal,
                                             const std::string& run,
                                             const Json& heads) const {
    for (const Json& head : heads.items()) {
        if (head["journal"].as_string() != journal || head["run"].as_string() != run) {
            continue;
        }
        const auto record = hashes_.find(head["sequence"].as_uint().value_or(0));
        if (record == hashes_.end() || to_hex(record->second) != head["hash"].as_string()) {
            return Error{
                "journal.head_gone",
                fmt::format("this host obeyed record {} of run {} ({:.16}...), and the journal has "
                            "no such record: it was written anew, or it is an older copy",
                            head["sequence"].show(),
                            run,
                            head["hash"].as_string()),
                "keep the journal as evidence and put the true one back; if that is gone for good: "
                "the same command with --take-over",
                ErrorClass::permanent};
        }
    }
    return std::nullopt;
}

}  // namespace drydock::executor
