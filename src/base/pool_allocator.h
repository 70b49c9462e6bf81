// A pool allocator for many small blocks, such as the parts of JSON values.
//
// A freed block stays with the thread that frees it, for its next blocks of that size, up to a
// limit. A thread that ends returns all of them. Any thread may free a block of another thread.
// Under the address sanitizer no block is kept, so that the sanitizer sees every use after free.
#pragma once

#include <cstddef>

namespace drydock {

// Work as operator new and delete do; `bytes` is the same in both calls.
[[nodiscard]] void* pool_allocate(std::size_t bytes);
void pool_free(void* memory, std::size_t bytes) noexcept;

// An allocator for containers of std.
template <class T>
struct PoolAllocator {
    using value_type = T;

    PoolAllocator() = default;

    template <class Other>
    PoolAllocator(const PoolAllocator<Other>&) noexcept {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(pool_allocate(count * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t count) noexcept { pool_free(memory, count * sizeof(T)); }

    bool operator==(const PoolAllocator&) const = default;
};

}  // namespace drydock
