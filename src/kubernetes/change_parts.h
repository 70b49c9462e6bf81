// What all changes share: their ends, and the query of every write.
#pragma once

#include "kubernetes/change.h"

namespace drydock::kubernetes {

inline constexpr std::int64_t k_change_pause_ms = 200;  // between two requests of one change

[[nodiscard]] Change end_of(ChangeEnd end, Json evidence);
[[nodiscard]] Change refused(Error error, Json evidence);
[[nodiscard]] Change unknown_end(Error error, Json evidence);

// Returns the end of a change whose `last` answer is no success. It is unknown if an earlier
// request may still take effect, since its answer was lost; else it is refused.
[[nodiscard]] Change
gave_up(const Answer& last, const std::string& subject, bool was_lost, Json evidence);

// True if the same request has to be sent again to learn anything.
[[nodiscard]] bool is_unsettled(AnswerKind kind);

// The last answer to a request that may be sent as often as is needed.
struct SettledAnswer {
    Answer answer;
    bool was_lost = false;  // an answer was lost: an earlier request may have taken effect
};

// Sends the request, and sends it again while its answer tells nothing and there is time. The
// request must be one that takes effect once.
[[nodiscard]] SettledAnswer
send_until_settled(Client& client, const Request& request, const Effort& effort);

// Unknown fields are errors, since the server would drop them and answer 200.
[[nodiscard]] std::string query_of(const ChangeOptions& options);

}  // namespace drydock::kubernetes
