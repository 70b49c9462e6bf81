// HTTP by libcurl, which is opened when a store needs it. A linked libcurl would bring thirty
// libraries into every start of the program and of each agent.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    std::vector<std::string> headers;  // "Name: value"
    std::string_view body;             // of a PUT; the caller keeps it alive
    std::string signing;               // "aws:amz:REGION:s3"
    std::string user;                  // "ACCESS_KEY:SECRET_KEY"
    std::size_t answer_bytes_max = 0;
};

struct HttpAnswer {
    long status = 0;  // 0: no answer came
    std::string body;
    std::int64_t content_length = -1;  // from the server; -1: not given
    bool is_too_large = false;
    std::string problem;  // the reason for a missing answer
};

// A pool of connections. Thread-safe.
class Connections {
public:
    Connections() = default;
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;
    ~Connections();

    // Sends one request. Errors: "s3.library" if libcurl is missing or too old to sign;
    // "s3.setting" for a value that would form a header of its own. Nothing is sent after these
    // errors.
    [[nodiscard]] Result<HttpAnswer> send(const HttpRequest& request);

private:
    [[nodiscard]] void* take();
    void put_back(void* handle);

    std::mutex mutex_;
    std::vector<void*> idle_;  // handles of libcurl, under mutex_
};

}  // namespace drydock::mover::s3
