#include "base/small.h"

#include <array>
#include <new>

namespace drydock {

namespace {

#ifdef __has_feature  // clang's word for it
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t k_bytes_max = 0;  // of what is kept
#else
constexpr std::size_t k_bytes_max = 512;  // of what is kept: an object of ten members
#endif
constexpr std::size_t k_step = 16;       // sizes are kept in classes of so many bytes
constexpr std::size_t k_kept_max = 512;  // of one class, in one thread: together 4 MiB at the most

struct Free {
    Free* next;
};

struct Class {
    Free* first;
    std::size_t count;
};

using Classes = std::array<Class, k_bytes_max / k_step + 1>;

// Without a destructor: what other objects of the thread give back after the Sweeper still works.
thread_local constinit Classes t_classes = {};
thread_local constinit bool t_over = false;  // nothing is kept any more

struct Sweeper {
    ~Sweeper() {
        t_over = true;
        for (Class& one : t_classes) {
            while (one.first != nullptr) {
                Free* const next = one.first->next;
                ::operator delete(one.first);
                one.first = next;
            }
        }
    }

    void wake() { awake = true; }

    bool awake = false;
};

thread_local Sweeper t_sweeper;

std::size_t class_of(std::size_t bytes) {
    return (bytes + k_step - 1) / k_step;
}

}  // namespace

void* take_small(std::size_t bytes) {
    if (bytes > k_bytes_max) {
        return ::operator new(bytes);
    }
    const std::size_t which = class_of(bytes);
    Class& one = t_classes[which];
    if (one.first == nullptr) {
        return ::operator new(which * k_step);
    }
    --one.count;
    Free* const taken = one.first;
    one.first = taken->next;
    return taken;
}

void give_back_small(void* memory, std::size_t bytes) noexcept {
    if (bytes > k_bytes_max || t_over) {
        ::operator delete(memory);
        return;
    }
    Class& one = t_classes[class_of(bytes)];
    if (one.count == k_kept_max) {
        ::operator delete(memory);
        return;
    }
    if (one.first == nullptr) {
        t_sweeper.wake();  // made by that, so that it sweeps when the thread ends
    }
    one.first = new (memory) Free{one.first};
    ++one.count;
}

}  // namespace drydock
