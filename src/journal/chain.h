// Chain: shared by both backends. The hashes of a run's records, and the checker that walks them.
#pragma once

#include "journal/journal.h"

#include <string_view>

namespace drydock::journal {

// Returns the hash from which a run's chain starts.
[[nodiscard]] Digest chain_start(const NewRun& run);

// Returns the hash of the record after `previous_hash`; `events` is the canonical JSON array of its
// events.
[[nodiscard]] Digest chain_next(const Digest& previous_hash,
                                std::string_view run,
                                std::uint64_t sequence,
                                std::int64_t wall_ms,
                                std::string_view events);

// Returns the canonical text of a record's events. Error journal.record: no event, an event without
// a "type", or more than k_payload_bytes_max.
[[nodiscard]] Result<std::string> canonical_events(const std::vector<Json>& events);

// Returns the events of a canonical text.
[[nodiscard]] Result<std::vector<Json>> parse_events(std::string_view text);

// Error journal.run.id if `id` cannot name a run.
[[nodiscard]] Status check_run_id(std::string_view id);

// Walks stored records in order; returns journal.chain for the first record that was changed.
class ChainChecker {
public:
    // Starts after record `sequence`, whose hash is `hash`.
    ChainChecker(std::string run, std::uint64_t sequence, const Digest& hash);

    // Checks the next stored record; `events` is its canonical text.
    Status next(std::uint64_t sequence,
                std::int64_t wall_ms,
                std::string_view events,
                const Digest& stored);

    // Compares the end of the chain with the head that the run keeps apart.
    [[nodiscard]] Status finish(const Head& head) const;

    // Returns a journal.chain error that names `sequence`.
    [[nodiscard]] tl::unexpected<Error> broken(std::uint64_t sequence,
                                               std::string_view problem) const;

private:
    std::string run_;
    std::uint64_t sequence_;
    Digest hash_;
};

}  // namespace drydock::journal
