// Keys, errors and bytes as JSON: the small translations of the protocol.
//
// A key becomes a folder name, so read_key() rejects names that could lead out of the state
// folder. "/" in an action becomes "+", which no action may hold, so that the way back is exact.
// Errors that a host reports are shown to people and may be long; read_error() cuts them.
#include "agent/action_key.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace drydock::agent {
namespace {

constexpr std::size_t k_error_bytes_max = 4096;  // of each text of a host's error

struct ClassName {
    ErrorClass kind;
    std::string_view name;
};

constexpr std::array k_class_names = {
    ClassName{ErrorClass::permanent, "permanent"},
    ClassName{ErrorClass::transient, "transient"},
    ClassName{ErrorClass::unknown_outcome, "unknown_outcome"},
};

// Returns the length of the UTF-8 character at the front; 0 if the bytes are none. Overlong forms,
// surrogates and values over U+10FFFF count as none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned first = byte(0);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xc2 && first < 0xe0  ? 2
                               : first >= 0xe0 && first < 0xf0  ? 3
                               : first >= 0xf0 && first <= 0xf4 ? 4
                                                                : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) {
            return 0;
        }
    }
    const bool bad = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f)
                     || (first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) > 0x8f);
    return bad ? 0 : length;
}

}  // namespace

Result<ActionKey> read_key(const Json& frame) {
    ActionKey key{frame["run"].as_string(), frame["action"].as_string(), frame["attempt"].as_int()};
    if (!is_plain_name(key.run, "-_.") || !is_plain_name(key.action, "-_./") || key.attempt < 0
        || !frame["attempt"].is_integer()) {
        return fail("agent.bad_request",
                    "a request names no run, action and attempt that could be a folder",
                    "use letters, digits, `-`, `_`, `.` and in actions `/`");
    }
    return key;
}

Json to_json(const ActionKey& key) {
    Json value;
    value.set("run", key.run);
    value.set("action", key.action);
    value.set("attempt", key.attempt);
    return value;
}

std::string folder_name(const ActionKey& key) {
    std::string name = key.action;
    std::replace(name.begin(), name.end(), '/', '+');
    return fmt::format("{}.{}", name, key.attempt);
}

// Takes the part behind the last dot as the attempt: an action's name may have dots.
std::optional<ActionKey> key_of(const std::string& run, const std::string& folder) {
    const auto dot = folder.rfind('.');
    ActionKey key{run, folder.substr(0, dot), 0};
    if (dot == folder.npos || dot == 0) {
        return std::nullopt;
    }
    const char* end = folder.data() + folder.size();
    const auto [stop, error] = std::from_chars(folder.data() + dot + 1, end, key.attempt);
    if (error != std::errc() || stop != end) {
        return std::nullopt;
    }
    std::replace(key.action.begin(), key.action.end(), '+', '/');
    return key;
}

tl::unexpected<Error> attempt_running(const ActionKey& running) {
    return fail("agent.attempt_running",
                fmt::format("attempt {} of {} of run {} still runs on this host",
                            running.attempt,
                            running.action,
                            running.run),
                "wait until it has ended, or end it on that host",
                ErrorClass::transient);
}

Json to_json(const Error& error) {
    Json value;
    value.set("code", error.code);
    value.set("message", to_utf8(error.message));
    value.set("remedy", error.remedy);
    for (const auto& [kind, name] : k_class_names) {
        if (kind == error.kind) {
            value.set("class", name);
        }
    }
    return value;
}

namespace {

// Cuts a text for people; the cut may split a character, which then becomes "?".
std::string cap_text(const std::string& text) {
    return text.size() <= k_error_bytes_max ? text : to_utf8(text.substr(0, k_error_bytes_max));
}

}  // namespace

Error read_error(const Json& value) {
    Error error{
        cap_text(value["code"].as_string()), cap_text(value["message"].as_string()), {}, {}};
    error.remedy = cap_text(value["remedy"].as_string());
    for (const auto& [kind, name] : k_class_names) {
        if (value["class"].as_string() == name) {
            error.kind = kind;
        }
    }
    return error;
}

std::string to_utf8(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const auto length = utf8_length(bytes);
        if (length == 0) {
            text += '?';
        } else {
            text += bytes.substr(0, length);
        }
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return text;
}

}  // namespace drydock::agent
