// Small: memory for many small things that come and go, such as the parts of JSON values.
//
// What is given back is kept by the thread that gives it back, for its next things of that size, up
// to a limit; a thread that ends returns it all. Any thread may give back what another one took.
// Under the address sanitizer nothing is kept, so that it sees every use of what was given back.
#pragma once

#include <cstddef>

namespace drydock {

// As operator new and delete; `bytes` is the same in both.
[[nodiscard]] void* take_small(std::size_t bytes);
void give_back_small(void* memory, std::size_t bytes) noexcept;

// For containers.
template <class T>
struct SmallAllocator {
    using value_type = T;

    SmallAllocator() = default;

    template <class Other>
    SmallAllocator(const SmallAllocator<Other>&) noexcept {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) {
        return static_cast<T*>(take_small(count * sizeof(T)));
    }

    void deallocate(T* memory, std::size_t count) noexcept {
        give_back_small(memory, count * sizeof(T));
    }

    bool operator==(const SmallAllocator&) const = default;
};

}  // namespace drydock
