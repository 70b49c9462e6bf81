// HttpLoop: many HTTP requests at the same time in one thread, by libcurl's multi interface.
//
// step() waits for the network and calls back once for each request that ended. A callback may
// start new requests. Redirects are never followed, so a signature never reaches another server.
// Not thread-safe. Needs libcurl.so.4.
#pragma once

#include "mover/s3/url.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

struct WireRequest {
    std::string method = "GET";
    std::string url;     // sent as it is: dots in the path stay
    NameValues headers;  // sent in this order; an empty value is sent, too
    std::string body;
    std::string ca_file;  // PEM; empty: the system's own
    std::size_t answer_bytes_max = 0;
    // Sent once, on a new connection: libcurl sends a request again by itself if an old connection
    // turns out to be dead, although the server may have carried it out.
    bool is_sent_once = false;
};

// Why there is no answer.
enum class WireTrouble : std::uint8_t {
    none,
    not_sent,  // no connection: the server never saw the request
    refused,   // the certificate or the address is wrong: a retry gives the same
    lost,      // sent, and the answer is missing or cut off: it may have been carried out
    too_large  // the answer has more than answer_bytes_max bytes
};

struct WireAnswer {
    WireTrouble trouble = WireTrouble::none;
    long status = 0;     // 0: no answer came
    NameValues headers;  // names in lower case
    std::string body;
    std::string problem;    // the reason for a missing answer
    double latency_ms = 0;  // from the start of the request to its end

    // Returns the value of the header of that name, in lower case; empty if there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

class HttpLoop {
public:
    using Done = std::function<void(WireAnswer)>;

    HttpLoop();
    HttpLoop(const HttpLoop&) = delete;
    HttpLoop& operator=(const HttpLoop&) = delete;
    ~HttpLoop();

    // Sends a request at once. Errors, after which nothing is sent and `done` is not called:
    // "s3.library" without libcurl; "s3.setting" for a value with control characters.
    [[nodiscard]] Status start(WireRequest request, Done done);

    // Waits up to `wait_ms` for the network and calls back for what ended.
    void step(int wait_ms);

    [[nodiscard]] std::size_t in_flight() const;

private:
    struct Transfers;
    std::unique_ptr<Transfers> transfers_;
};

}  // namespace drydock::mover::s3
