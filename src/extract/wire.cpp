// Decodes tags and values. Every length is compared with the bytes that are left.
#include "extract/wire.h"

namespace drydock::extract {

namespace {

enum WireType : std::uint32_t {
    k_varint = 0,
    k_fixed64 = 1,
    k_length_delimited = 2,
    k_group_start = 3,
    k_group_end = 4,
    k_fixed32 = 5,
};

constexpr int k_varint_bits = 64;
constexpr int k_group_depth_max = 64;  // protobuf's own limit is 100 messages
constexpr std::uint64_t k_tag_max = 0xffffffffU;

}  // namespace

// The tenth byte of a varint has one bit that counts; decoders drop the others.
bool FieldReader::read_varint(std::uint64_t& value) {
    value = 0;
    for (int shift = 0; shift < k_varint_bits && !rest_.empty(); shift += 7) {
        const auto byte = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        value |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

bool FieldReader::read_fixed(std::size_t size) {
    if (rest_.size() < size) {
        return false;
    }
    for (std::size_t i = 0; i < size; ++i) {
        field_.value |= std::uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
    }
    rest_.remove_prefix(size);
    return true;
}

bool FieldReader::read_bytes() {
    std::uint64_t size = 0;
    if (!read_varint(size) || size > rest_.size()) {
        return false;
    }
    field_.bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
}

bool FieldReader::read_value(std::uint32_t wire_type) {
    switch (wire_type) {
    case k_varint:
        return read_varint(field_.value);
    case k_fixed64:
        return read_fixed(8);
    case k_length_delimited:
        return read_bytes();
    case k_group_start:
        return skip_group();
    case k_fixed32:
        return read_fixed(4);
    default:
        return false;
    }
}

// Counts the depth in the place of a recursion, which hostile input could drive deep.
bool FieldReader::skip_group() {
    for (int depth = 1; depth > 0;) {
        std::uint64_t tag = 0;
        if (depth > k_group_depth_max || !read_varint(tag)) {
            return false;
        }
        const auto wire_type = static_cast<std::uint32_t>(tag & 7U);
        if (wire_type == k_group_start) {
            ++depth;
        } else if (wire_type == k_group_end) {
            --depth;
        } else if (!read_value(wire_type)) {
            return false;
        }
    }
    field_.bytes.reset();
    return true;
}

bool FieldReader::next() {
    if (rest_.empty() || is_broken_) {
        return false;
    }
    field_ = {};
    std::uint64_t tag = 0;
    is_broken_ = !read_varint(tag) || tag > k_tag_max || (tag >> 3) == 0
                 || !read_value(static_cast<std::uint32_t>(tag & 7U));
    field_.number = static_cast<std::uint32_t>(tag >> 3);
    return !is_broken_;
}

std::optional<std::string_view> last_bytes(std::string_view message, std::uint32_t number) {
    std::optional<std::string_view> found;
    FieldReader fields(message);
    while (fields.next()) {
        if (fields.field().number == number && fields.field().bytes) {
            found = fields.field().bytes;
        }
    }
    return fields.is_broken() ? std::nullopt : found;
}

}  // namespace drydock::extract
