// Answers as a hostile or broken server sends them: whatever comes, reading ends, and is honest.
#include "http/answer_reader.h"

#include <gtest/gtest.h>

#include <deque>

namespace drydock::http {
namespace {

// Reads an answer that comes in these parts, and returns "STATUS BODY" or the error.
std::string told(std::deque<std::string> parts, bool has_body = true) {
    AnswerReader reader([&]() -> tl::expected<std::string, std::string> {
        std::string part = parts.empty() ? "" : parts.front();
        if (!parts.empty()) {
            parts.pop_front();
        }
        return part;
    });
    std::string body;
    const auto head = reader.read(has_body, [&](int, std::string_view part) {
        body.append(part);
        return true;
    });
    return head ? std::to_string(head->status) + " " + body + (head->keeps_open ? " open" : "")
                : "error: " + head.error();
}

// Returns what is told of the same bytes when each comes by itself.
std::string told_by_bytes(const std::string& text) {
    std::deque<std::string> parts;
    for (const char byte : text) {
        parts.emplace_back(1, byte);
    }
    return told(parts);
}

TEST(AnswerReader, every_end_of_a_body_is_found_however_it_is_cut) {
    const std::pair<std::string, std::string> cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "200 body open"},
        {"HTTP/1.1 200 OK\nContent-Length:4\n\nbody", "200 body open"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nbod\r\n1\r\ny\r\n0\r\nT: "
         "t\r\n\r\n",
         "200 body open"},
        {"HTTP/1.1 200 OK\r\n\r\nbody", "200 body"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nbody", "200 body"},
        {"HTTP/1.1 200\r\nConnection: Close\r\nContent-Length: 4\r\n\r\nbody", "200 body"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n", "204  open"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(told({text}), expected) << text;
        EXPECT_EQ(told_by_bytes(text), expected) << text;
    }
}

// What follows an answer could be taken for the next one.
TEST(AnswerReader, bytes_behind_the_end_close_the_connection) {
    EXPECT_EQ(told({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nbHTTP/1.1 500 No\r\n\r\n"}),
              "200 b");
}

TEST(AnswerReader, the_answer_to_HEAD_has_no_body) {
    EXPECT_EQ(told({"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"}, false), "200  open");
}

TEST(AnswerReader, what_is_no_answer_is_an_error) {
    const std::string cases[] = {
        "",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nbody",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbody\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n",
    };
    for (const std::string& text : cases) {
        EXPECT_TRUE(told({text}).starts_with("error: ")) << text << told({text});
        EXPECT_TRUE(told_by_bytes(text).starts_with("error: ")) << text;
    }
}

TEST(AnswerReader, what_never_ends_is_ended) {
    const auto endless = [](const std::string& start, const std::string& more) {
        bool is_first = true;
        AnswerReader reader([&]() -> tl::expected<std::string, std::string> {
            return std::exchange(is_first, false) ? start : more;
        });
        return reader.read(true, [](int, std::string_view) { return true; }).has_value();
    };
    const std::string sixteen_kib(16U << 10U, 'x');
    EXPECT_FALSE(endless("", sixteen_kib));
    EXPECT_FALSE(endless("HTTP/1.1 200 OK\r\n", "A: " + sixteen_kib + "\r\n"));
    EXPECT_FALSE(endless("HTTP/1.1 200 OK\r\n\r\n", sixteen_kib));
    EXPECT_FALSE(endless("", "HTTP/1.1 100 Go on\r\n\r\n"));
    EXPECT_FALSE(endless("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"));
}

}  // namespace
}  // namespace drydock::http
