// Keys and outcomes as JSON, and an action's folder name.
#pragma once

#include "agent/host.h"

namespace drydock::agent {

// From {"run", "action", "attempt"}. "agent.bad_request" when a part is missing or could lead out
// of the state folder.
[[nodiscard]] Result<ActionKey> read_key(const Json& frame);
[[nodiscard]] Json to_json(const ActionKey& key);

// "<action>.<attempt>" with "/" as "+"; and back ("" action when the name is no such folder's).
[[nodiscard]] std::string folder_name(const ActionKey& key);
[[nodiscard]] std::optional<ActionKey> key_of(const std::string& run, const std::string& folder);

// "agent.attempt_running": a host carries out one attempt of an action at a time.
[[nodiscard]] tl::unexpected<Error> attempt_running(const ActionKey& running);

// {"code", "message", "remedy", "class"}
[[nodiscard]] Json to_json(const Error& error);
// Its inverse, for the other side of the conversation.
[[nodiscard]] Error read_error(const Json& value);

// Bytes that are no UTF-8 become "?", so that captured output fits into JSON.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

}  // namespace drydock::agent
