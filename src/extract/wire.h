// The wire format of protobuf: the fields of one encoded message, in their order. Pure.
//
// Only a few fields of an Op matter here, and some are 10 MiB long. So nothing is copied, and
// unknown fields are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace drydock::extract {

struct Field {
    std::uint32_t number = 0;
    std::optional<std::string_view> bytes;  // of strings, bytes and messages; else nothing
    std::uint64_t value = 0;                // of numbers
};

// Walks over the fields of a message.
class FieldReader {
public:
    // Borrows the bytes.
    explicit FieldReader(std::string_view message) : rest_(message) {}

    // Reads the next field. Returns false at the end, and at bytes that are no message.
    [[nodiscard]] bool next();

    [[nodiscard]] const Field& field() const { return field_; }

    // True if the bytes are no message. The fields before the fault were returned.
    [[nodiscard]] bool is_broken() const { return is_broken_; }

private:
    [[nodiscard]] bool read_varint(std::uint64_t& value);
    [[nodiscard]] bool read_fixed(std::size_t size);
    [[nodiscard]] bool read_bytes();
    [[nodiscard]] bool read_value(std::uint32_t wire_type);
    // Passes over the fields of a group up to its end.
    [[nodiscard]] bool skip_group();

    std::string_view rest_;
    Field field_;
    bool is_broken_ = false;
};

// Returns the bytes of the last field of that number, as protobuf does for strings; nothing if
// there is none, or if the message is broken.
[[nodiscard]] std::optional<std::string_view> last_bytes(std::string_view message,
                                                         std::uint32_t number);

}  // namespace drydock::extract
