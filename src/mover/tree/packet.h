// Packets: what the processes of one copy tell each other, as fields in a fixed order.
//
//     team.send(0, PacketWriter().number(7).text(path).take());
//     PacketReader reader(bytes); reader.number(); reader.text();
//
// Both ends are the same release of drydock. A reader of a packet that is too short gets zeros and
// empty texts. Not thread-safe.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::mover::tree {

class PacketWriter {
public:
    PacketWriter& number(std::int64_t value);
    PacketWriter& text(std::string_view value);
    PacketWriter& error(const Error& value);

    [[nodiscard]] std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

class PacketReader {
public:
    explicit PacketReader(std::string bytes) : bytes_(std::move(bytes)) {}

    [[nodiscard]] std::int64_t number();
    [[nodiscard]] std::string text();
    [[nodiscard]] Error error();

private:
    std::string bytes_;
    std::size_t at_ = 0;
};

// A packet with an outcome, and the outcome of a packet.
[[nodiscard]] std::string packet_of(const Result<std::string>& outcome);
[[nodiscard]] Result<std::string> outcome_of(PacketReader& reader);

}  // namespace drydock::mover::tree
