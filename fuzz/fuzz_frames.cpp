// Hostile bytes from an agent, in one portion and byte by byte: both must give the same frames.
#include "base/check.h"
#include "transport/frames.h"

#include <cstdint>

using namespace drydock;

namespace {

// Frames as text, until the reader breaks.
std::string frames_of(std::string_view bytes, std::size_t portion) {
    transport::FrameReader reader(transport::FrameReader::Side::conductor);
    std::string out;
    for (std::size_t at = 0; at < bytes.size(); at += portion) {
        const auto frames = reader.feed(bytes.substr(at, portion));
        if (!frames) {
            return out;
        }
        for (const Json& frame : *frames) {
            out += frame.dump() + "\n";
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    CHECK(frames_of(bytes, bytes.size() + 1) == frames_of(bytes, 1));
    return 0;
}
