// The agent's main loop: frames from standard input to the session, its answers to standard
// output.
//
// The loop sleeps in poll() on two descriptors: the input, and the host's wake descriptor. While
// something is pending it also ticks, since some changes wake nothing. Ticks get rarer the longer
// nothing happens, up to 100 ms, so that an action of hours costs little.
//
// The process ends without destructors: probes that hang would hold it until their deadline.
// Actions run in processes of their own and go on.
#include "agent/serve.h"

#include "agent/fork_server.h"
#include "agent/local_host.h"
#include "agent/session.h"
#include "os/process.h"
#include "transport/frames.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_tick_ms = 5;
constexpr std::int64_t k_tick_ms_max = 100;  // after a while of waiting: long actions cost little
constexpr int k_exit_wrong_use = 2;

int print_error(const Error& error) {
    const std::string text = "drydock agent: " + error.text() + "\n";
    (void)os::write_all(STDERR_FILENO, text);
    return 1;
}

// Returns false when the other side is gone. An answer that is too large for a frame becomes an
// error with its number, so that its request does not wait for ever.
bool send(const std::vector<Json>& answers) {
    std::string bytes;
    for (const auto& answer : answers) {
        auto frame = transport::encode_frame(answer);
        if (!frame) {  // such as a result that is too large
            Json refusal;
            refusal.set("n", answer["n"]);
            Json error;
            error.set("code", frame.error().code);
            error.set("message", frame.error().message);
            refusal.set("error", std::move(error));
            frame = transport::encode_frame(refusal);
        }
        bytes += *frame;
    }
    return bytes.empty() || os::write_all(STDOUT_FILENO, bytes).has_value();
}

struct Loop {
    Host& host;
    Session session;
    os::RealClock clock;
    transport::FrameReader reader{transport::FrameReader::Side::agent};
    std::int64_t active_ms = 0;  // when something last came or went

    // Returns the time to sleep: for ever if nothing is pending, else longer the longer nothing
    // happens, and never beyond the deadline of a probe.
    int sleep_ms() {
        const auto now_ms = clock.monotonic_ms();
        if (!session.has_pending()) {
            return -1;
        }
        const auto tick_ms = std::min(k_tick_ms + (now_ms - active_ms) / 10, k_tick_ms_max);
        const auto left_ms = session.next_deadline_ms().value_or(now_ms + tick_ms) - now_ms;
        return static_cast<int>(std::clamp<std::int64_t>(left_ms, 0, tick_ms));
    }

    // Reads and handles input. Returns nothing to go on, otherwise the exit status.
    std::optional<int> take_input() {
        std::array<char, 65536> chunk = {};
        const auto size = ::read(STDIN_FILENO, chunk.data(), chunk.size());
        if (size < 0 && errno == EINTR) {
            return std::nullopt;
        }
        if (size <= 0) {
            return 0;
        }
        const auto frames = reader.feed({chunk.data(), static_cast<std::size_t>(size)});
        if (!frames) {
            return print_error(frames.error());
        }
        active_ms = clock.monotonic_ms();
        for (const auto& frame : *frames) {
            if (!send(session.handle(frame))) {
                return 0;
            }
        }
        const auto broken = reader.feed("");  // an error comes after the frames before it
        return broken ? std::nullopt : std::optional(print_error(broken.error()));
    }

    int run() {
        for (;;) {
            std::array<pollfd, 2> polls = {pollfd{STDIN_FILENO, POLLIN, 0},
                                           pollfd{host.wake_descriptor(), POLLIN, 0}};
            ::poll(polls.data(), polls.size(), sleep_ms());
            if (polls[1].revents != 0) {
                host.on_wake();
                active_ms = clock.monotonic_ms();
            }
            const auto ended = polls[0].revents != 0 ? take_input() : std::nullopt;
            if (ended) {
                return *ended;
            }
            if (session.has_pending() && !send(session.tick())) {
                return 0;
            }
        }
    }
};

// Returns, of "--state FOLDER [--folder FOLDER]...", the folders behind the state folder; nothing
// for other words.
std::optional<std::vector<std::string>> folders_of(const std::vector<std::string>& arguments) {
    std::vector<std::string> folders;
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        const bool first = i == 0;
        if (arguments[i] != (first ? "--state" : "--folder")) {
            return std::nullopt;
        }
        if (!first) {
            folders.push_back(arguments[i + 1]);
        }
    }
    return arguments.empty() || arguments.size() % 2 != 0 ? std::nullopt : std::optional(folders);
}

}  // namespace

int serve(const std::string& state_folder, std::vector<std::string> folders) {
    std::signal(SIGPIPE, SIG_IGN);
    auto host = LocalHost::open(state_folder, "/proc/self/exe", std::move(folders));
    if (!host) {
        return print_error(host.error());
    }
    if (!os::write_all(STDOUT_FILENO, transport::k_greeting)) {
        return 0;
    }
    os::RealClock clock;
    Loop loop{**host, Session(**host, clock), {}};
    // No return here: probes that still run would hold the process until their deadline.
    std::_Exit(loop.run());
}

int agent_main(const std::vector<std::string>& arguments) {
    os::keep_memory_private();
    if (const auto folders = folders_of(arguments)) {
        return serve(arguments[1], *folders);
    }
    if (arguments.size() == 1 && arguments[0] == "--fork-server") {
        return serve_forks();
    }
    (void)os::write_all(STDERR_FILENO, "use: agent --state FOLDER [--folder FOLDER]...\n");
    return k_exit_wrong_use;
}

}  // namespace drydock::agent
