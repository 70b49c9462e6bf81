// Random: the random numbers that a plan is made of, and the number of plans that a test draws.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <random>

namespace drydock::reference {

// From the environment.
inline std::uint64_t number_from(const char* name, std::uint64_t fallback) {
    const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no other thread yet
    return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

class Random {
public:
    explicit Random(std::uint64_t seed) : random_(seed) {}

protected:
    // 0 to n - 1.
    std::size_t any(std::size_t n) { return random_() % n; }

    bool one_in(std::size_t n) { return any(n) == 0; }

    template <class T>
    T one_of(std::initializer_list<T> values) {
        return *(values.begin() + any(values.size()));
    }

    std::mt19937_64 random_;
};

}  // namespace drydock::reference
