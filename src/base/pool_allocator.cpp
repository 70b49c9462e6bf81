// Free lists of small blocks, one for each size class and thread.
//
// Sizes are rounded up to classes of k_step bytes. A block on a free list holds the pointer to the
// next one in its own memory, so the lists cost nothing. No lock is needed: a thread touches only
// its own lists, and a block may change threads while it is in use.
//
// Thread-local objects are destroyed in an order that this file cannot choose. Another destructor
// may free blocks after the lists are emptied. So the lists have no destructor; `t_is_over` sends
// late blocks to operator delete.
#include "base/pool_allocator.h"

#include <array>
#include <new>

namespace drydock {

namespace {

#ifdef __has_feature  // clang announces the sanitizer this way
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t k_bytes_max = 0;  // larger blocks are not kept
#else
constexpr std::size_t k_bytes_max = 512;  // of a kept block: an object of ten members
#endif
constexpr std::size_t k_step = 16;       // sizes are kept in classes of so many bytes
constexpr std::size_t k_kept_max = 512;  // of one class, in one thread: together 4 MiB at the most

struct FreeBlock {
    FreeBlock* next;
};

struct SizeClass {
    FreeBlock* first;
    std::size_t count;
};

using Classes = std::array<SizeClass, k_bytes_max / k_step + 1>;

// The lists have no destructor, so a late destructor of the thread can still use them.
thread_local constinit Classes t_classes = {};
thread_local constinit bool t_is_over = false;  // true: no block is kept any more

// Empties the lists when the thread ends. Its destructor is registered at the first use in a
// thread, so wake() must be called once.
struct ThreadCacheCleaner {
    ~ThreadCacheCleaner() {
        t_is_over = true;
        for (SizeClass& size_class : t_classes) {
            while (size_class.first != nullptr) {
                FreeBlock* const next = size_class.first->next;
                ::operator delete(size_class.first);
                size_class.first = next;
            }
        }
    }

    void wake() { awake = true; }

    bool awake = false;
};

thread_local ThreadCacheCleaner t_sweeper;

std::size_t class_of(std::size_t bytes) {
    return (bytes + k_step - 1) / k_step;
}

}  // namespace

// Returns the first block of the class's list, or a new one of the class's full size. A block of
// the exact size would be too small for the next user of that class.
void* pool_allocate(std::size_t bytes) {
    if (bytes > k_bytes_max) {
        return ::operator new(bytes);
    }
    const std::size_t index = class_of(bytes);
    SizeClass& size_class = t_classes[index];
    if (size_class.first == nullptr) {
        return ::operator new(index * k_step);
    }
    --size_class.count;
    FreeBlock* const block = size_class.first;
    size_class.first = block->next;
    return block;
}

void pool_free(void* memory, std::size_t bytes) noexcept {
    if (bytes > k_bytes_max || t_is_over) {
        ::operator delete(memory);
        return;
    }
    SizeClass& size_class = t_classes[class_of(bytes)];
    if (size_class.count == k_kept_max) {
        ::operator delete(memory);
        return;
    }
    if (size_class.first == nullptr) {
        t_sweeper.wake();  // registers its destructor for the thread's end
    }
    size_class.first = new (memory) FreeBlock{size_class.first};
    ++size_class.count;
}

}  // namespace drydock
