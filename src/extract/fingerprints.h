// FingerprintTable: which names were seen, in 10 to 13 bytes each.
//
// Of a name it keeps 62 bits of a hash and two marks. Two of 100 million names have the same 62
// bits in one of 900 files; then a missing name can be overlooked. A large table does not fit into
// the caches of a processor, so most of a mark is a wait for memory: mark_later() does not wait.
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace drydock::extract {

// Returns the hash of a name, and of two names together.
[[nodiscard]] std::uint64_t fingerprint(std::string_view name);
[[nodiscard]] std::uint64_t fingerprint(std::string_view scope, std::string_view name);

class FingerprintTable {
public:
    enum Mark : std::uint64_t { k_defined = 1, k_referenced = 2 };

    static constexpr std::size_t k_names_max = 64'000'000;  // 0.8 GB of memory

    // Marks the name. Returns its marks of before; 0 if it is new. A full table takes no new name.
    std::uint64_t mark(std::uint64_t fingerprint, Mark mark);

    // Marks the name for all later questions, and returns before its memory has come.
    void mark_later(std::uint64_t fingerprint, Mark mark);

    [[nodiscard]] bool has(std::uint64_t fingerprint, Mark mark) const;
    // Asks for the memory that has() will look at.
    void fetch(std::uint64_t fingerprint) const;

    // Returns how many names have exactly these marks.
    [[nodiscard]] std::int64_t count_exactly(std::uint64_t marks);
    // Returns how many names have this mark.
    [[nodiscard]] std::int64_t count(Mark mark);
    // Returns how often mark_later() defined a name that was defined already.
    [[nodiscard]] std::int64_t repeats();

    // True once a name was left out.
    [[nodiscard]] bool is_full() const { return is_full_; }

private:
    // The names whose hashes begin with the same bits. Parts grow one at a time, so that no growth
    // doubles the memory of all.
    struct Part {
        std::vector<std::uint64_t> slots;  // 0 is an empty one
        std::size_t size = 0;              // slots in use

        // Returns the position of the name, or of the empty slot where it belongs.
        [[nodiscard]] std::size_t find(std::uint64_t key) const;
        void grow();
    };

    static constexpr std::size_t k_parts = 64;
    static constexpr std::size_t k_waiting_max = 16;  // memory comes sooner, and has() reads all

    std::uint64_t put(std::uint64_t key, Mark mark);
    void settle(std::uint64_t& waiting);
    void settle_all();

    std::array<Part, k_parts> parts_;
    std::array<std::uint64_t, k_waiting_max> waiting_{};  // a name with one mark each; 0: none
    std::size_t next_ = 0;                                // the oldest of `waiting_`
    std::int64_t repeats_ = 0;
    std::size_t size_ = 0;
    bool is_full_ = false;
};

}  // namespace drydock::extract
