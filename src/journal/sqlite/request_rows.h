// Request rows: the statements over the table `requests`, in the caller's transaction.
#pragma once

#include "journal/journal.h"
#include "journal/sqlite/database.h"

namespace drydock::journal {

// Returns the new request's number.
[[nodiscard]] Result<std::uint64_t>
insert_request(Database& database, const std::string& run, const Request& request);
[[nodiscard]] Status answer_requests(Database& database, const std::vector<RequestAnswer>& answers);
// Gives every open request of a run that is over the same answer.
[[nodiscard]] Status close_requests(Database& database, const std::string& run);
[[nodiscard]] Result<std::vector<Request>> list_open_requests(Database& database,
                                                              const std::string& run);
[[nodiscard]] Result<Request> find_request_row(Database& database, std::uint64_t number);

}  // namespace drydock::journal
