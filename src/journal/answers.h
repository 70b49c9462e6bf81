// Answers: the errors that every backend words the same way.
#pragma once

#include "journal/journal.h"

#include <string_view>

namespace drydock::journal {

// journal.run.unknown, with the nearest of the known ids
[[nodiscard]] tl::unexpected<Error> unknown_run(std::string_view run,
                                                const std::vector<std::string>& run_ids);
// journal.run.exists
[[nodiscard]] tl::unexpected<Error> run_exists(std::string_view run);
// journal.lease.none: the writer did not take the lease
[[nodiscard]] tl::unexpected<Error> no_lease(std::string_view run);
// journal.lease.held: names the conductor of the run
[[nodiscard]] tl::unexpected<Error> lease_held(std::string_view run, const Holder& holder);
// journal.lease.lost: a later conductor has taken over
[[nodiscard]] tl::unexpected<Error> lease_lost(std::string_view run, const Holder& holder);
// journal.run.open: names the open run and its conductor
[[nodiscard]] tl::unexpected<Error> run_open(const RunInfo& open);
// journal.run.newer: another run began since the start was prepared
[[nodiscard]] tl::unexpected<Error> run_newer(const RunInfo& newest);
// journal.run.over
[[nodiscard]] tl::unexpected<Error> run_over(const RunInfo& info);
// journal.head: another record stands in the writer's place
[[nodiscard]] tl::unexpected<Error> head_moved(std::string_view run, const Head& head);
// journal.request.unknown
[[nodiscard]] tl::unexpected<Error> unknown_request(std::uint64_t number);
// Returns a new journal's id.
[[nodiscard]] std::string draw_journal_id();
// Returns a new lease's nonce.
[[nodiscard]] std::string draw_nonce();

}  // namespace drydock::journal
