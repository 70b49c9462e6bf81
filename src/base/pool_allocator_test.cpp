#include "base/json.h"
#include "base/pool_allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace drydock {
namespace {

constexpr std::size_t k_bytes = 48;

// Nobody gets what somebody else still has, whoever gave it back.
TEST(Small, gives_each_a_place_of_its_own) {
    std::vector<void*> first(3);
    std::generate(first.begin(), first.end(), [] { return pool_allocate(k_bytes); });
    std::thread([&] {
        pool_free(first.back(), k_bytes);
        first.back() = pool_allocate(k_bytes);
    }).join();
    pool_free(first.front(), k_bytes);
    first.front() = pool_allocate(k_bytes);
    EXPECT_EQ(std::set<void*>(first.begin(), first.end()).size(), first.size());
    for (void* one : first) {
        pool_free(one, k_bytes);
    }
}

// More than is kept, and larger than what is kept, goes back to where it came from.
TEST(Small, takes_any_number_of_any_size) {
    std::vector<Json> values;
    for (int i = 0; i < 5000; ++i) {
        values.emplace_back(
            Json::Object{{"name", Json(std::string(20, 'x'))}, {"number", Json(i)}});
    }
    Json large{Json::Object{}};
    for (int i = 0; i < 100; ++i) {
        large.set("key " + std::to_string(i), i);
    }
    std::thread([taken = std::move(values)]() mutable { taken.clear(); }).join();
    EXPECT_EQ(large.members().size(), 100U);
    EXPECT_EQ(large["key 99"].as_int(), 99);
}

}  // namespace
}  // namespace drydock
