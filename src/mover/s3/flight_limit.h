// FlightLimit: how many requests may be in flight. Pure, and not thread-safe.
//
// The limit grows by one for each answer until the server pushes back, and then by one a round
// (additive increase). "Slow down" halves it (multiplicative decrease), at most once a round, since
// the answers of one round tell of the same moment. Latency well above the quickest round means a
// queue at the server: the limit then shrinks a little. One request in flight waits in no queue, so
// its latency counts as the quickest, however slow it is.
#pragma once

#include <cstdint>

namespace drydock::mover::s3 {

class FlightLimit {
public:
    explicit FlightLimit(int limit_max, int first_limit = 16);

    [[nodiscard]] int limit() const { return static_cast<int>(limit_); }

    // Takes a good answer. `latency_ms` is negative for requests whose time depends on their size.
    void on_answer(double latency_ms);
    // Takes a 503, a 429, or a connection that was refused.
    void on_slow_down();

private:
    void end_round();

    double limit_;
    double limit_max_;
    bool is_first_growth_ = true;  // doubles each round, until the first sign of a queue
    bool was_halved_ = false;      // in this round
    bool has_queue_ = false;       // in the round before
    int round_answers_;            // the limit when this round began
    int answers_ = 0;              // of this round
    double latency_sum_ms_ = 0;
    int latencies_ = 0;
    double quickest_round_ms_ = 0;  // mean latency; 0: none yet
};

}  // namespace drydock::mover::s3
