// Foreign URIs, and servers that are silent or never end.
#include "mover/blocks/postgres_dump.h"
#include "mover/blocks/postgres_sql.h"
#include "os/clock.h"
#include "os/files.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>

namespace drydock::mover::blocks {
namespace {

using testing::HasSubstr;

constexpr std::int64_t k_soon_ms = 300;

std::string message_of(const std::string& options) {
    const std::string uri = "postgresql://u:secret@127.0.0.1:1/db?" + options;
    const auto environment = postgres_environment(uri);
    const auto connected = connect_postgres(uri, SqlAccess::read, {});
    EXPECT_FALSE(connected);  // no server listens on that port
    EXPECT_EQ(environment.has_value(), connected.error().code != "blocks.config");
    EXPECT_THAT(connected.error().text(), testing::Not(HasSubstr("secret")));
    return environment ? "" : environment.error().text();
}

TEST(PostgresUri, RefusesOptionsThatDoMoreThanNameAServer) {
    for (const char* keyword : {"sslkey",
                                "sslcert",
                                "sslcrl",
                                "sslcrldir",
                                "sslpassword",
                                "passfile",
                                "service",
                                "options",
                                "krbsrvname",
                                "requirepeer",
                                "gssencmode",
                                "replication",
                                "target_session_attrs"}) {
        EXPECT_THAT(message_of(std::string(keyword) + "=x"), HasSubstr(keyword));
    }
    for (const char* seconds : {"0", "-1", "121", "", "1x", "99999999999"}) {
        EXPECT_THAT(message_of(std::string("connect_timeout=") + seconds),
                    HasSubstr("connect_timeout"));
    }
    EXPECT_THAT(message_of("sslrootcert=/dev/zero"), HasSubstr("sslrootcert"));
    EXPECT_THAT(message_of("dbname=service%3Dx"), HasSubstr("dbname"));
    EXPECT_THAT(message_of("host=a,b,c,d,e,f,g,h,i"), HasSubstr("servers"));
    EXPECT_EQ(message_of("sslmode=disable&connect_timeout=3&application_name=x&user=me"), "");
}

// Speaks a minimum of the protocol: greets, obeys `obeys` statements, then calls `then` with the
// line.
class FakeServer {
public:
    FakeServer(int obeys, std::function<bool(int)> then)
        : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_.get(), plain, size), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        ::getsockname(listener_.get(), plain, &size);
        uri_ =
            fmt::format("postgresql://u@127.0.0.1:{}/db?sslmode=disable", ntohs(address.sin_port));
        thread_ = std::jthread([this, obeys, then] { serve(obeys, then); });
    }

    [[nodiscard]] Result<std::unique_ptr<Sql>> connect(std::int64_t bytes_max) const {
        return connect_postgres(uri_, SqlAccess::read, {k_soon_ms, bytes_max});
    }

private:
    static std::string message(char kind, const std::string& body) {
        const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size() + 4));
        std::string bytes(1, kind);
        bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
        return bytes + body;
    }

    static bool say(int line, const std::string& bytes) {
        return ::send(line, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0;
    }

    void serve(int obeys, const std::function<bool(int)>& then) const {
        const os::Fd line(::accept(listener_.get(), nullptr, nullptr));
        std::array<char, 4096> heard = {};
        const std::string ready = message('Z', "I");
        bool is_there = ::read(line.get(), heard.data(), heard.size()) > 0
                        && say(line.get(), message('R', std::string(4, '\0')) + ready);
        for (int i = 0; is_there && ::read(line.get(), heard.data(), heard.size()) > 0; ++i) {
            while (i >= obeys && then(line.get())) {
            }
            is_there = i < obeys && say(line.get(), message('C', std::string("SET\0", 4)) + ready);
        }
    }

    os::Fd listener_;
    std::string uri_;
    std::jthread thread_;
};

// Until the other side closes the line.
bool is_silent(int line) {
    std::array<char, 64> heard = {};
    return ::read(line, heard.data(), heard.size()) > 0;
}

bool floods(int line) {
    static const std::string row("D\0\0\0\x06\0\0", 7);
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many += row;
    }
    return ::send(line, many.data(), many.size(), MSG_NOSIGNAL) > 0;
}

TEST(PostgresServer, ThatIsSilentIsGivenUp) {
    os::RealClock clock;
    const std::int64_t begun_ms = clock.monotonic_ms();
    const FakeServer at_once(0, is_silent);
    EXPECT_THAT(at_once.connect(1 << 20).error().message, HasSubstr("no answer"));
    const FakeServer later(2, is_silent);
    const auto sql = later.connect(1 << 20);
    ASSERT_TRUE(sql) << sql.error().text();
    EXPECT_THAT((*sql)->query("SELECT 1").error().message, HasSubstr("no answer"));
    EXPECT_FALSE((*sql)->query("SELECT 1")) << "the connection is gone";
    EXPECT_LT(clock.monotonic_ms() - begun_ms, 50 * k_soon_ms);
}

TEST(PostgresServer, ThatNeverEndsIsGivenUp) {
    const FakeServer server(2, [is_begun = false](int line) mutable {
        // Columns come first, or rows mean nothing.
        static const std::string columns("T\0\0\0\x06\0\0", 7);
        is_begun = is_begun || ::send(line, columns.data(), columns.size(), MSG_NOSIGNAL) > 0;
        return floods(line);
    });
    const auto sql = server.connect(1 << 20);
    ASSERT_TRUE(sql) << sql.error().text();
    EXPECT_THAT((*sql)->query("SELECT 1").error().message, HasSubstr("over 1.0 MB"));
}

// A pipe in the place of a copy has no end to wait for.
TEST(PostgresDump, IsNotWaitedForWhereItIsAPipe) {
    const std::string path = fmt::format("{}drydock-dump-{}", testing::TempDir(), ::getpid());
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    const PostgresDump dump = read_postgres_dump(path);
    EXPECT_FALSE(dump.is_complete);
    EXPECT_TRUE(dump.rows.empty());
    ::unlink(path.c_str());
}

}  // namespace
}  // namespace drydock::mover::blocks
