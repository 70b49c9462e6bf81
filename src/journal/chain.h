// Chain: what both backends share. How a run's records hash, and the checker that walks them.
#pragma once

#include "journal/journal.h"

#include <string_view>

namespace drydock::journal {

// The hash that a run's chain starts from.
[[nodiscard]] Digest chain_start(const NewRun& run);

// The hash of the record after `before`; `events` is the canonical JSON array of its events.
[[nodiscard]] Digest chain_next(const Digest& previous_hash,
                                std::string_view run,
                                std::uint64_t sequence,
                                std::int64_t wall_ms,
                                std::string_view events);

// The canonical text of a record's events. Error journal.record: none, one without a "type", or
// more than k_payload_bytes_max.
[[nodiscard]] Result<std::string> canonical_events(const std::vector<Json>& events);

// The events of a canonical text.
[[nodiscard]] Result<std::vector<Json>> parse_events(std::string_view text);

// Error journal.run.id if `id` cannot name a run.
[[nodiscard]] Status check_run_id(std::string_view id);

// Walks stored records in order and answers journal.chain for the first that cannot be as written.
class ChainChecker {
public:
    // Starts after record `sequence`, whose hash is `hash`.
    ChainChecker(std::string run, std::uint64_t sequence, const Digest& hash);

    // The next stored record; `events` is its canonical text.
    Status next(std::uint64_t sequence,
                std::int64_t wall_ms,
                std::string_view events,
                const Digest& stored);

    // At the end: compares with the head that the run keeps apart.
    [[nodiscard]] Status finish(const Head& head) const;

    // A journal.chain error that names `sequence`.
    [[nodiscard]] tl::unexpected<Error> broken(std::uint64_t sequence,
                                               std::string_view problem) const;

private:
    std::string run_;
    std::uint64_t sequence_;
    Digest hash_;
};

}  // namespace drydock::journal
