// Requests of a person to the conductor of a run, and the answers to them. They are rows of the
// journal (docs/formats/journal.md), and run.noted keeps them (docs/formats/events.md).
#pragma once

#include "base/enum_names.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::run {

enum class RequestKind : std::uint8_t { approve, pause, abort, note };
inline constexpr EnumNames<RequestKind, RequestKind::note>
    k_request_kinds({"approve", "pause", "abort", "note"});

[[nodiscard]] inline std::string_view name_of(RequestKind kind) {
    return k_request_kinds.of(kind);
}

// True for a kind that ends the run, or ends it for now.
[[nodiscard]] inline bool is_stop(RequestKind kind) {
    return kind == RequestKind::pause || kind == RequestKind::abort;
}

inline constexpr std::string_view k_noted_answer = "noted";

// The form of a refusal in the journal. refusal_of() reads what refusal() makes.
[[nodiscard]] std::string refusal(std::string_view reason);
// Returns the reason of a refusal; nothing if the answer is none.
[[nodiscard]] std::optional<std::string> refusal_of(std::string_view answer);

}  // namespace drydock::run
