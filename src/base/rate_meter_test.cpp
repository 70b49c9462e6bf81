// Tests the recent rate of an amount that grows.
#include "base/rate_meter.h"

#include <gtest/gtest.h>

namespace drydock {
namespace {

TEST(RateMeter, says_nothing_before_it_has_seen_a_second) {
    RateMeter meter(10'000);
    EXPECT_EQ(meter.rate(), std::nullopt);
    meter.add(0, 0);
    meter.add(900, 90);
    EXPECT_EQ(meter.rate(), std::nullopt);
    meter.add(1'000, 100);
    EXPECT_EQ(meter.rate(), 100);
}

// A resumed copy passes over a million objects in a second, and copies ten in each later one.
TEST(RateMeter, forgets_a_quick_beginning) {
    RateMeter meter(10'000);
    meter.add(0, 0);
    meter.add(1'000, 1'000'000);
    for (int second = 2; second <= 30; ++second) {
        meter.add(second * 1'000, 1'000'000 + second * 10);
    }
    EXPECT_EQ(meter.rate(), 10);
}

TEST(RateMeter, is_zero_for_what_stands_still) {
    RateMeter meter(10'000);
    for (int second = 0; second <= 60; ++second) {
        meter.add(second * 1'000, second < 30 ? second : 30);
    }
    EXPECT_EQ(meter.rate(), 0);
}

// A second attempt may begin at the front.
TEST(RateMeter, begins_anew_when_the_amount_falls) {
    RateMeter meter(10'000);
    meter.add(0, 0);
    meter.add(5'000, 500);
    meter.add(6'000, 10);
    EXPECT_EQ(meter.rate(), std::nullopt);
    meter.add(8'000, 30);
    EXPECT_EQ(meter.rate(), 10);
}

// Twice a second for a day: the readings do not pile up, and none is lost between two steps.
TEST(RateMeter, keeps_its_rate_when_it_is_read_often) {
    RateMeter meter(60'000);
    for (std::int64_t now = 0; now <= 3'600'000; now += 50) {
        meter.add(now, static_cast<double>(now) / 100);
    }
    EXPECT_NEAR(meter.rate().value_or(0), 10, 0.01);
}

}  // namespace
}  // namespace drydock
