// Client: calls of S3 to one server with one key, many at the same time, with retries.
//
// call() queues; drive() sends and calls back. A call is signed when it is sent, so a long queue
// makes no signature old. Temporary failures are repeated with growing pauses; a call that must not
// be repeated comes back as `unknown_outcome` if its answer is lost, and the caller reads back.
// FlightLimit decides how many calls are in flight. Not thread-safe.
#pragma once

#include "base/result.h"
#include "mover/s3/flight_limit.h"
#include "mover/s3/http_loop.h"
#include "mover/s3/signature.h"
#include "os/clock.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct ServerAddress {
    std::string endpoint;  // "https://s3.example.org:9000", without a path
    std::string region = "us-east-1";
    Credentials credentials;
    bool has_bucket_in_host = false;  // BUCKET.s3.example.org instead of a path
    std::string ca_file;              // PEM; empty: the system's own
};

struct ClientLimits {
    int in_flight_max = 256;
    int attempts_max = 12;            // about a minute, with these pauses: a server's restart
    int throttled_attempts_max = 60;  // "slow down" is no failure of the server
    std::int64_t first_pause_ms = 100;
    std::int64_t pause_max_ms = 10'000;
};

struct Call {
    std::string method = "GET";
    std::string bucket;
    std::string key;  // empty: the bucket itself
    NameValues query = {};
    NameValues headers = {};
    std::string body = {};
    std::size_t answer_bytes_max = 16U << 20U;  // of a page, of an error
    bool is_repeatable = true;                  // false: a lost answer is an unknown outcome
    bool has_xml_answer = false;                // its 200 may have an error in the body
    bool is_timed = false;                      // its latency tells how busy the server is
};

enum class AnswerKind : std::uint8_t {
    done,
    missing,              // 404
    precondition_failed,  // 412
    denied,               // 401, 403
    refused,              // any other answer that a retry does not change
    unreachable,          // not carried out: no connection, or "slow down" to the end
    unknown_outcome,      // it may have been carried out
};

struct Answer {
    AnswerKind kind = AnswerKind::done;
    WireAnswer wire;
    std::string error_code;  // the server's own: "NoSuchKey"
    Error error;             // for all kinds but `done`

    [[nodiscard]] bool is_done() const { return kind == AnswerKind::done; }

    [[nodiscard]] std::string_view header(std::string_view name) const { return wire.header(name); }
};

struct CallCounters {
    std::int64_t calls = 0;     // those that were asked for
    std::int64_t requests = 0;  // those that were sent, with retries
    std::int64_t heads = 0;     // of these, HEAD
    std::int64_t lists = 0;     // of these, pages of a listing
    std::int64_t slow_downs = 0;
    std::int64_t retries = 0;
    int in_flight_most = 0;
    std::int64_t in_flight_ms = 0;  // of all requests, from the send to the answer
    std::int64_t limit_ms = 0;      // that time, had as many been in flight as the limit allowed
};

class Client {
public:
    using Done = std::function<void(const Answer&)>;

    Client(HttpLoop& loop, ServerAddress address, ClientLimits limits, os::Clock& clock);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // Queues a call. `done` is called once, from drive(), and may queue more. The error's code is
    // "s3.denied", "s3.missing", "s3.changed" (412), "s3.redirect", "s3.unreachable", "s3.unknown",
    // "s3.certificate", "s3.setting", "s3.library", or "s3.answer" for all else.
    void call(Call call, Done done);

    // Sends queued calls, up to the limit.
    void pump();

    // True if no call is queued or in flight.
    [[nodiscard]] bool is_idle() const;

    [[nodiscard]] std::size_t waiting() const { return ready_.size() + delayed_.size(); }

    [[nodiscard]] int limit() const { return flight_.limit(); }

    [[nodiscard]] const CallCounters& counters() const { return counters_; }

    // Milliseconds since 1970 by the server's clock, as far as it is known.
    [[nodiscard]] std::int64_t server_time_ms() const { return clock_.wall_ms() + time_offset_ms_; }

    [[nodiscard]] const ServerAddress& address() const { return address_; }

private:
    struct Job;
    // Shared by the queue, the timer and the callback of libcurl; std::function must be copyable.
    using JobPointer = std::shared_ptr<Job>;

    void count_time();
    void send(const JobPointer& job);
    void on_wire(const JobPointer& job, WireAnswer wire);
    [[nodiscard]] WireRequest signed_request(const Call& call) const;
    [[nodiscard]] bool correct_time(Job& job, const Answer& answer);
    [[nodiscard]] bool can_repeat(const Job& job, const Answer& answer, bool is_throttled) const;
    void repeat_later(const JobPointer& job, bool is_throttled);
    [[nodiscard]] std::int64_t pause_ms(int attempts);

    HttpLoop& loop_;
    ServerAddress address_;
    ClientLimits limits_;
    os::Clock& clock_;
    FlightLimit flight_;
    CallCounters counters_;
    std::deque<JobPointer> ready_;
    std::multimap<std::int64_t, JobPointer> delayed_;  // by the time of the retry
    int in_flight_ = 0;
    std::int64_t counted_until_ms_ = 0;  // of the times in `counters_`
    std::int64_t time_offset_ms_ = 0;    // the server's clock minus this one
    bool has_answered_ = false;
    std::minstd_rand random_;
};

// Runs the clients until `is_done` says so. Both may be the same one.
void drive(HttpLoop& loop,
           const std::vector<Client*>& clients,
           const std::function<bool()>& is_done);

// Sends one call and waits for its answer. For the few calls before and after the bulk.
[[nodiscard]] Answer ask(HttpLoop& loop, Client& client, Call call);

}  // namespace drydock::mover::s3
