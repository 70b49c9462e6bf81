// AnswerReader: reads one answer of HTTP/1.1 from a stream of bytes.
//
// The input is not trusted: heads and bodies have limits, and an answer that breaks the rules of
// HTTP is an error. It keeps no bytes behind the end of an answer: a server that sends more is
// asked no further question on that connection.
#pragma once

#include <tl/expected.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace drydock::http {

struct AnswerHead {
    int status = 0;
    bool is_chunked = false;
    bool has_length = false;
    std::size_t length = 0;
    bool keeps_open = false;  // the server takes more requests behind this one
};

class AnswerReader {
public:
    // Returns some bytes, or none at the end of the stream; the error is a text for people.
    using Source = std::function<tl::expected<std::string, std::string>()>;
    // Takes a part of the body; false: no more of it is wanted.
    using Sink = std::function<bool(int status, std::string_view part)>;

    // Errors of `source` are passed on.
    explicit AnswerReader(Source source) : source_(std::move(source)) {}

    // Reads one answer. `has_body` is false for an answer to HEAD.
    [[nodiscard]] tl::expected<AnswerHead, std::string> read(bool has_body, const Sink& sink);

private:
    using Done = tl::expected<void, std::string>;

    [[nodiscard]] tl::expected<AnswerHead, std::string> read_head();
    [[nodiscard]] tl::expected<std::string, std::string> read_line();
    [[nodiscard]] tl::expected<bool, std::string> fill();
    [[nodiscard]] Done read_exactly(std::size_t size, int status, const Sink& sink);
    [[nodiscard]] Done read_to_end(int status, const Sink& sink);
    [[nodiscard]] Done read_chunks(int status, const Sink& sink);
    [[nodiscard]] Done read_body(AnswerHead& head, const Sink& sink);

    Source source_;
    std::string buffer_;
    std::size_t used_ = 0;        // bytes of buffer_ already taken
    std::size_t head_bytes_ = 0;  // of lines so far
    std::size_t received_ = 0;
};

}  // namespace drydock::http
