// Buffer: bytes without initialisation, in memory that is kept. A block has megabytes, and a fresh
// string of that size costs more than its encryption.
//
// Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace drydock::mover::blocks {

class Buffer {
public:
    [[nodiscard]] char* data() { return bytes_.get(); }

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] std::string_view view() const { return {bytes_.get(), size_}; }

    // Allocates room for `size` bytes; the old content is lost.
    void reset(std::size_t size) {
        if (size > capacity_) {
            bytes_ = std::make_unique_for_overwrite<char[]>(size);
            capacity_ = size;
        }
        size_ = size;
    }

    // Keeps the first `size` bytes, or all if there are fewer.
    void shrink(std::size_t size) { size_ = size < size_ ? size : size_; }

private:
    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace drydock::mover::blocks
