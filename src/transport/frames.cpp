// Encoding and decoding of frames, and the skipping of a login banner.
//
// The reader keeps bytes in one buffer and takes whole frames from its front. The length is
// checked against the limit before the body is awaited, so that a hostile length never makes the
// buffer grow. After the first error the reader stays broken: the position of the next frame is
// unknown then.
#include "transport/frames.h"

#include <fmt/format.h>

namespace drydock::transport {
namespace {

constexpr std::size_t k_length_bytes = 4;
constexpr std::string_view k_greeting_start = "drydock-agent ";

std::size_t read_length(std::string_view bytes) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < k_length_bytes; ++i) {
        length = length << 8U | static_cast<unsigned char>(bytes[i]);
    }
    return length;
}

tl::unexpected<Error> too_large(std::size_t size) {
    return fail(
        "frame.too_large",
        fmt::format("a frame of {} bytes is over the limit of {}", size, k_frame_bytes_max));
}

}  // namespace

Result<std::string> encode_frame(const Json& value) {
    const std::string body = value.dump();
    if (body.size() > k_frame_bytes_max) {
        return too_large(body.size());
    }
    std::string frame;
    frame.reserve(k_length_bytes + body.size());
    for (int shift = 24; shift >= 0; shift -= 8) {
        frame.push_back(static_cast<char>(body.size() >> static_cast<unsigned>(shift) & 0xffU));
    }
    return frame + body;
}

// Looks for the greeting at the start of a line; complete lines before it go to the banner. A
// greeting of another version is an error at once, and a banner without end is one at its limit.
Status FrameReader::take_greeting() {
    for (auto end = buffer_.find('\n'); end != buffer_.npos; end = buffer_.find('\n')) {
        const std::string line = buffer_.substr(0, end + 1);
        buffer_.erase(0, end + 1);
        if (line == k_greeting) {
            greeted_ = true;
            return {};
        }
        if (line.starts_with(k_greeting_start)) {
            return fail("frame.version",
                        fmt::format("the agent speaks `{}`, not `{}`",
                                    line.substr(0, line.size() - 1),
                                    k_greeting.substr(0, k_greeting.size() - 1)),
                        "use the same drydock on both sides");
        }
        banner_ += line;
    }
    if (banner_.size() + buffer_.size() > k_banner_bytes_max) {
        return fail("frame.greeting",
                    fmt::format("{} bytes came, but no agent's greeting", k_banner_bytes_max),
                    "check what the connect command prints");
    }
    return {};
}

// Returns the next frame; nothing if its bytes are not complete. Consumed bytes stay in the buffer
// until feed() returns, so that many small frames do not move it each time.
Result<std::optional<Json>> FrameReader::take_frame() {
    const auto rest = std::string_view(buffer_).substr(used_);
    if (rest.size() < k_length_bytes) {
        return std::nullopt;
    }
    const auto length = read_length(rest);
    if (length > k_frame_bytes_max) {
        return too_large(length);
    }
    if (rest.size() < k_length_bytes + length) {
        return std::nullopt;
    }
    auto value = Json::parse(rest.substr(k_length_bytes, length));
    if (!value || !value->is_object()) {
        return fail("frame.json",
                    fmt::format("a frame is no JSON object: {}",
                                value ? "it is another value" : value.error().message));
    }
    used_ += k_length_bytes + length;
    return std::optional<Json>(std::move(*value));
}

// Returns complete frames before an error: the error is kept and comes with the next call, since
// these frames are sound.
Result<std::vector<Json>> FrameReader::feed(std::string_view bytes) {
    std::vector<Json> frames;
    if (!failure_) {
        buffer_ += bytes;
        if (auto greeting = greeted_ ? Status() : take_greeting(); !greeting) {
            failure_ = greeting.error();
        }
    }
    while (!failure_ && greeted_) {
        auto frame = take_frame();
        if (!frame) {
            failure_ = frame.error();
        } else if (*frame) {
            frames.push_back(std::move(**frame));
        } else {
            break;
        }
    }
    buffer_.erase(0, used_);
    used_ = 0;
    if (failure_ && frames.empty()) {
        return tl::unexpected(*failure_);
    }
    return frames;
}

}  // namespace drydock::transport
