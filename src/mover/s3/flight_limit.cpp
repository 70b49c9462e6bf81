// A round is as many answers as may be in flight: about the time of one request.
#include "mover/s3/flight_limit.h"

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr double k_queue_factor = 2.5;   // mean latency above the quickest round: a queue
constexpr double k_queue_shrink = 0.95;  // a round, while there is a queue
constexpr double k_noise_ms = 5;         // latencies below this differ by chance
constexpr double k_forgetting = 1.001;   // a round: the quickest one grows old
constexpr double k_limit_min = 1;

}  // namespace

FlightLimit::FlightLimit(int limit_max, int first_limit)
    : limit_(std::max(1, std::min(first_limit, limit_max)))
    , limit_max_(std::max(1, limit_max))
    , round_answers_(limit()) {
}

void FlightLimit::on_answer(double latency_ms) {
    ++answers_;
    if (latency_ms >= 0) {
        latency_sum_ms_ += latency_ms;
        ++latencies_;
    }
    if (!was_halved_ && !has_queue_) {
        limit_ = std::min(limit_max_, limit_ + (is_first_growth_ ? 1 : 1 / limit_));
    }
    if (answers_ >= round_answers_) {
        end_round();
    }
}

void FlightLimit::on_slow_down() {
    ++answers_;
    is_first_growth_ = false;
    if (!was_halved_) {
        limit_ = std::max(k_limit_min, limit_ / 2);
        was_halved_ = true;
    }
    if (answers_ >= round_answers_) {
        end_round();
    }
}

// A queue ends the growth of the next round, and the first phase for good.
void FlightLimit::end_round() {
    if (latencies_ > 0) {
        const double mean_ms = latency_sum_ms_ / latencies_;
        // Alone at the server there is no queue of ours: it has become slower, or a network has.
        const bool is_alone = round_answers_ <= 1;
        quickest_round_ms_ = is_alone || quickest_round_ms_ == 0
                                 ? mean_ms
                                 : std::min(mean_ms, quickest_round_ms_ * k_forgetting);
        has_queue_ = mean_ms > quickest_round_ms_ * k_queue_factor + k_noise_ms;
        if (has_queue_) {
            is_first_growth_ = false;
            limit_ = std::max(k_limit_min, limit_ * k_queue_shrink);
        }
    }
    answers_ = 0;
    round_answers_ = limit();
    latencies_ = 0;
    latency_sum_ms_ = 0;
    was_halved_ = false;
}

}  // namespace drydock::mover::s3
