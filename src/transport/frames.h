// The frames of the agent protocol: a 4-byte big-endian length, then that many bytes of JSON.
//
// The agent first writes k_greeting; output of the host before it (a login banner) is skipped.
// Pure: bytes in, values out, no I/O. Input is not trusted: lengths and the banner have limits, and
// after the first error a reader stays broken. Not thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::transport {

inline constexpr std::size_t k_frame_bytes_max =
    8U << 20U;  // a plan's largest probe answer is far less
inline constexpr std::size_t k_banner_bytes_max = 64U << 10U;  // more than any login banner
inline constexpr std::string_view k_greeting = "drydock-agent 1\n";

// "frame.too_large" over k_frame_bytes_max.
[[nodiscard]] Result<std::string> encode_frame(const Json& value);

class FrameReader {
public:
    enum class Side {
        conductor,  // expects the greeting first
        agent,
    };

    explicit FrameReader(Side side) : greeted_(side == Side::agent) {}

    // Takes bytes in any portions and returns the frames that they complete. Errors:
    // "frame.greeting", "frame.version", "frame.too_large", "frame.json". Frames before a broken
    // one are returned first; the error comes with the next call (which may bring no bytes).
    [[nodiscard]] Result<std::vector<Json>> feed(std::string_view bytes);

    // Returns the bytes before the greeting, for messages; at most k_banner_bytes_max.
    [[nodiscard]] const std::string& banner() const { return banner_; }

    [[nodiscard]] bool greeted() const { return greeted_; }

    // True if no half frame waits for its rest.
    [[nodiscard]] bool between_frames() const { return buffer_.empty(); }

private:
    [[nodiscard]] Status take_greeting();
    [[nodiscard]] Result<std::optional<Json>> take_frame();

    bool greeted_;
    std::string buffer_;
    std::size_t used_ = 0;  // bytes of buffer_ already taken
    std::string banner_;
    std::optional<Error> failure_;
};

}  // namespace drydock::transport
