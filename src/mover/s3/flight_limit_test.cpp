#include "mover/s3/flight_limit.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

// A server that answers `width` requests at a time in 40 ms each, and queues the rest.
double latency_ms(int in_flight, int width) {
    return 40.0 * std::max(1.0, static_cast<double>(in_flight) / width);
}

int settled(int width, int answers) {
    FlightLimit limit(512);
    for (int i = 0; i < answers; ++i) {
        limit.on_answer(latency_ms(limit.limit(), width));
    }
    return limit.limit();
}

// Too few in flight waste the server; far too many only wait in its queue.
TEST(FlightLimit, FindsTheWidthOfTheServer) {
    for (const int width : {16, 64, 200}) {
        EXPECT_GE(settled(width, 4000), width) << width;
        EXPECT_LE(settled(width, 4000), 4 * width) << width;
    }
}

TEST(FlightLimit, GrowsQuicklyInTheFirstRounds) {
    EXPECT_GE(settled(400, 200), 150);
}

TEST(FlightLimit, HalvesOnceForARoundOfSlowDowns) {
    FlightLimit limit(512, 64);
    for (int i = 0; i < 20; ++i) {
        limit.on_slow_down();
    }
    EXPECT_EQ(limit.limit(), 32);
}

TEST(FlightLimit, NeverFallsBelowOneAndComesBack) {
    FlightLimit limit(512, 64);
    for (int i = 0; i < 1000; ++i) {
        limit.on_slow_down();
    }
    EXPECT_EQ(limit.limit(), 1);
    for (int i = 0; i < 200; ++i) {
        limit.on_answer(40);
    }
    EXPECT_GE(limit.limit(), 10);
}

// Whoever is alone at the server waits in no queue of its own: the server is slower than it was.
TEST(FlightLimit, ComesBackAtAServerThatBecameSlowerForGood) {
    FlightLimit limit(512, 64);
    for (int i = 0; i < 200; ++i) {
        limit.on_answer(5);
    }
    for (int i = 0; i < 1000; ++i) {
        limit.on_slow_down();
    }
    for (int i = 0; i < 200; ++i) {
        limit.on_answer(latency_ms(limit.limit(), 16));
    }
    EXPECT_GE(limit.limit(), 10);
}

TEST(FlightLimit, KeepsTheOperatorsMaximum) {
    FlightLimit limit(4);
    for (int i = 0; i < 1000; ++i) {
        limit.on_answer(-1);
    }
    EXPECT_EQ(limit.limit(), 4);
}

}  // namespace
}  // namespace drydock::mover::s3
