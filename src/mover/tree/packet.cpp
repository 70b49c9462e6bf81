#include "mover/tree/packet.h"

#include <algorithm>
#include <cstring>

namespace drydock::mover::tree {

PacketWriter& PacketWriter::number(std::int64_t value) {
    char bytes[sizeof(value)];
    std::memcpy(bytes, &value, sizeof(value));
    bytes_.append(bytes, sizeof(value));
    return *this;
}

PacketWriter& PacketWriter::text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    bytes_ += value;
    return *this;
}

PacketWriter& PacketWriter::error(const Error& value) {
    return text(value.code).text(value.message).text(value.remedy);
}

std::int64_t PacketReader::number() {
    std::int64_t value = 0;
    if (bytes_.size() - at_ >= sizeof(value)) {
        std::memcpy(&value, bytes_.data() + at_, sizeof(value));
        at_ += sizeof(value);
    }
    return value;
}

std::string PacketReader::text() {
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, number()));
    const std::string value = bytes_.substr(at_, wanted);
    at_ += value.size();
    return value;
}

Error PacketReader::error() {
    Error value;
    value.code = text();
    value.message = text();
    value.remedy = text();
    return value;
}

std::string packet_of(const Result<std::string>& outcome) {
    PacketWriter packet;
    packet.number(outcome ? 1 : 0);
    return outcome ? packet.text(*outcome).take() : packet.error(outcome.error()).take();
}

Result<std::string> outcome_of(PacketReader& reader) {
    if (reader.number() == 0) {
        return tl::unexpected(reader.error());
    }
    return reader.text();
}

}  // namespace drydock::mover::tree
