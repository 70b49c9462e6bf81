// HTTP/1.1 answers (RFC 9112): a status line, headers, and a body whose end is told by chunks, by a
// length, or by the end of the stream. An answer with both chunks and a length is refused, since
// two readers could see different ends.
#include "http/answer_reader.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace drydock::http {
namespace {

constexpr std::size_t k_head_bytes_max = 256U << 10U;  // of all lines; servers send some KiB
constexpr std::size_t k_received_bytes_max = 5U
                                             << 20U;  // of an answer: 4 MiB of body, and its head
constexpr int k_informational_answers_max = 16;

tl::unexpected<std::string> broken(const char* what) {
    return tl::unexpected(std::string("the answer is no HTTP: ") + what);
}

// Returns the number; nothing if other signs stand beside the digits.
template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return !text.empty() && result.ec == std::errc() && result.ptr == text.data() + text.size();
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

bool read_status(const std::string& line, AnswerHead& head) {
    head.keeps_open = line.starts_with("HTTP/1.1 ");
    const bool is_known = head.keeps_open || line.starts_with("HTTP/1.0 ");
    constexpr std::size_t k_start = 9;
    return is_known && read_number(std::string_view(line).substr(k_start, 3), head.status)
           && head.status >= 100 && (line.size() == k_start + 3 || line[k_start + 3] == ' ');
}

// Takes a header that tells where the body ends; false if it cannot be so.
bool take_header(const std::string& name, const std::string& value, AnswerHead& head) {
    if (name == "content-length") {
        std::size_t length = 0;
        const bool is_sound =
            read_number(value, length) && (!head.has_length || head.length == length);
        head.has_length = true;
        head.length = length;
        return is_sound;
    }
    if (name == "transfer-encoding") {
        head.is_chunked = lower(value) == "chunked";
        return head.is_chunked;
    }
    if (name == "connection") {
        const std::string options = lower(value);
        head.keeps_open = (head.keeps_open || options.find("keep-alive") != options.npos)
                          && options.find("close") == options.npos;
    }
    return true;
}

bool is_informational(int status) {
    return status >= 100 && status < 200 && status != 101;
}

bool may_have_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

}  // namespace

// Returns false at the end of the stream.
tl::expected<bool, std::string> AnswerReader::fill() {
    auto bytes = source_();
    if (!bytes) {
        return tl::unexpected(std::move(bytes.error()));
    }
    received_ += bytes->size();
    if (received_ > k_received_bytes_max) {
        return tl::unexpected(std::string("the answer is too large"));
    }
    buffer_.erase(0, used_);
    used_ = 0;
    buffer_ += *bytes;
    return !bytes->empty();
}

// Returns a line without its end.
tl::expected<std::string, std::string> AnswerReader::read_line() {
    for (;;) {
        const auto end = buffer_.find('\n', used_);
        if (end != buffer_.npos) {
            std::string line = buffer_.substr(used_, end - used_);
            head_bytes_ += line.size() + 1;
            used_ = end + 1;
            if (line.ends_with('\r')) {
                line.pop_back();
            }
            return head_bytes_ > k_head_bytes_max ? broken("its head is too large")
                                                  : tl::expected<std::string, std::string>(line);
        }
        if (buffer_.size() - used_ > k_head_bytes_max) {
            return broken("a line is too long");
        }
        const auto more = fill();
        if (!more) {
            return tl::unexpected(more.error());
        }
        if (!*more) {
            return tl::unexpected(std::string("closed by the other side"));
        }
    }
}

tl::expected<AnswerHead, std::string> AnswerReader::read_head() {
    auto line = read_line();
    AnswerHead head;
    if (line && !read_status(*line, head)) {
        return broken("its first line");
    }
    while (line) {
        line = read_line();
        if (line && line->empty()) {
            return head.is_chunked && head.has_length ? broken("it has chunks and a length")
                                                      : tl::expected<AnswerHead, std::string>(head);
        }
        const auto colon = line ? line->find(':') : 0;
        if (line && (colon == 0 || colon == line->npos)) {
            return broken("a header");
        }
        if (line
            && !take_header(lower(line->substr(0, colon)), trim(line->substr(colon + 1)), head)) {
            return broken("the headers that tell its length");
        }
    }
    return tl::unexpected(std::move(line.error()));
}

AnswerReader::Done AnswerReader::read_exactly(std::size_t size, int status, const Sink& sink) {
    while (size > 0) {
        if (used_ == buffer_.size()) {
            const auto more = fill();
            if (!more) {
                return tl::unexpected(more.error());
            }
            if (!*more) {
                return tl::unexpected(std::string("closed by the other side"));
            }
        }
        const auto part = std::string_view(buffer_).substr(used_, size);
        used_ += part.size();
        size -= part.size();
        if (!sink(status, part)) {
            return tl::unexpected(std::string("no more of it was wanted"));
        }
    }
    return {};
}

AnswerReader::Done AnswerReader::read_to_end(int status, const Sink& sink) {
    for (;;) {
        const auto part = std::string_view(buffer_).substr(used_);
        used_ = buffer_.size();
        if (!part.empty() && !sink(status, part)) {
            return tl::unexpected(std::string("no more of it was wanted"));
        }
        const auto more = fill();
        if (!more) {
            return tl::unexpected(more.error());
        }
        if (!*more) {
            return {};
        }
    }
}

// Each chunk has a line with its size, which may carry extensions. The last one is empty, and
// trailers follow it.
AnswerReader::Done AnswerReader::read_chunks(int status, const Sink& sink) {
    for (;;) {
        auto line = read_line();
        if (!line) {
            return tl::unexpected(std::move(line.error()));
        }
        std::size_t size = 0;
        if (!read_number(trim(line->substr(0, line->find(';'))), size, 16)) {
            return broken("the size of a chunk");
        }
        if (auto done = read_exactly(size, status, sink); !done) {
            return done;
        }
        do {
            line = read_line();
            if (!line) {
                return tl::unexpected(std::move(line.error()));
            }
        } while (size == 0 && !line->empty());
        if (size == 0) {
            return {};
        }
        if (!line->empty()) {
            return broken("the end of a chunk");
        }
    }
}

AnswerReader::Done AnswerReader::read_body(AnswerHead& head, const Sink& sink) {
    if (head.is_chunked) {
        return read_chunks(head.status, sink);
    }
    if (head.has_length) {
        return read_exactly(head.length, head.status, sink);
    }
    head.keeps_open = false;
    return read_to_end(head.status, sink);
}

tl::expected<AnswerHead, std::string> AnswerReader::read(bool has_body, const Sink& sink) {
    auto head = read_head();
    for (int skipped = 0; head && is_informational(head->status); ++skipped) {
        if (skipped == k_informational_answers_max) {
            return broken("it never comes to its status");
        }
        head = read_head();
    }
    if (head && has_body && may_have_body(head->status)) {
        if (auto done = read_body(*head, sink); !done) {
            return tl::unexpected(std::move(done.error()));
        }
    }
    if (head) {
        head->keeps_open = head->keeps_open && used_ == buffer_.size();
    }
    return head;
}

}  // namespace drydock::http
