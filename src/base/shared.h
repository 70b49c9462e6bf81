// Shared: a value that is copied by counting and written by having it alone: a writer whose value
// others share gets a copy of its own first.
//
// So copies cost next to nothing, and no holder sees what another one writes. Each holder is used
// by one thread at a time; different holders of one value may be used by different threads.
#pragma once

#include <sys/single_threaded.h>

#include <atomic>
#include <cstdint>
#include <utility>

namespace drydock {

template <class T>
class Shared {
public:
    Shared() = default;  // an empty value, which takes no memory

    explicit Shared(T value) : block_(new Block{{1}, std::move(value)}) {}

    Shared(const Shared& other) : block_(other.block_) { hold(); }

    Shared(Shared&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}

    Shared& operator=(Shared other) noexcept {
        std::swap(block_, other.block_);
        return *this;
    }

    ~Shared() { release(); }

    [[nodiscard]] const T& get() const {
        static const T k_empty{};
        return block_ != nullptr ? block_->value : k_empty;
    }

    // To write to; valid until this holder is copied.
    [[nodiscard]] T& own() {
        if (block_ == nullptr || block_->holders.load(std::memory_order_acquire) != 1) {
            *this = Shared(get());
        }
        return block_->value;
    }

    bool operator==(const Shared& other) const {
        return block_ == other.block_ || get() == other.get();
    }

private:
    struct Block {
        std::atomic<std::uint32_t> holders;
        T value;
    };

    // A program without threads counts without locking the bus.
    void hold() {
        if (block_ == nullptr) {
            return;
        }
        if (__libc_single_threaded != 0) {
            const auto holders = block_->holders.load(std::memory_order_relaxed);
            block_->holders.store(holders + 1, std::memory_order_relaxed);
        } else {
            block_->holders.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void release() {
        if (block_ == nullptr) {
            return;
        }
        const bool last = block_->holders.load(std::memory_order_acquire) == 1;
        if (last || block_->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            delete block_;
        }
    }

    Block* block_ = nullptr;  // null: an empty value, also after it was moved from
};

}  // namespace drydock
