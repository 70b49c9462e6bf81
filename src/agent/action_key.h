// Keys and outcomes as JSON, and an action's folder name.
#pragma once

#include "agent/host.h"

namespace drydock::agent {

// Reads {"run", "action", "attempt"}. "agent.bad_request" if a part is missing or could lead out
// of the state folder.
[[nodiscard]] Result<ActionKey> read_key(const Json& frame);
[[nodiscard]] Json to_json(const ActionKey& key);

// Returns "<action>.<attempt>" with "/" as "+". key_of() is its inverse; it returns nothing for
// the name of another folder.
[[nodiscard]] std::string folder_name(const ActionKey& key);
[[nodiscard]] std::optional<ActionKey> key_of(const std::string& run, const std::string& folder);

// "agent.attempt_running": a host carries out one attempt of an action at a time.
[[nodiscard]] tl::unexpected<Error> attempt_running(const ActionKey& running);

// {"code", "message", "remedy", "class"}
[[nodiscard]] Json to_json(const Error& error);
// The inverse of to_json(), for the other side of the conversation.
[[nodiscard]] Error read_error(const Json& value);

// Replaces bytes that are no UTF-8 by "?", so that captured output fits into JSON.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

}  // namespace drydock::agent
