// The fork server and the agent's end of its socket.
//
// An order is one message on a SOCK_SEQPACKET socket: the folder as text, and descriptors beside
// it. The answer carries the process descriptor of the child. The child first waits on a pipe for
// the agent's leave. So the agent holds the descriptor of every supervisor that begins, even if an
// answer is lost or late.
//
// The server ignores SIGCHLD and waits for no child: a supervisor's folder has its end. It ends
// when its socket closes.
#include "agent/fork_server.h"

#include "agent/crash.h"
#include "agent/serve.h"
#include "os/fork.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

namespace drydock::agent {
namespace {

constexpr std::size_t k_folder_bytes_max = 4096;
constexpr std::size_t k_descriptors_max = 4;
constexpr std::int64_t k_end_ms_max = 500;  // SIGKILL takes effect unless the disk hangs
constexpr int k_above_targets = 16;         // out of the way of descriptors 0 to 3

struct Message {
    std::string text;
    std::vector<os::Fd> descriptors;
};

// Room for the descriptors beside a message.
union Control {
    std::array<char, CMSG_SPACE(sizeof(int) * k_descriptors_max)> bytes;
    cmsghdr aligned;
};

Status send_message(int socket, std::string text, const std::vector<int>& descriptors) {
    iovec part = {text.data(), text.size()};
    Control control = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        const std::size_t size = sizeof(int) * descriptors.size();
        message.msg_control = control.bytes.data();
        message.msg_controllen = CMSG_SPACE(size);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), descriptors.data(), size);
    }
    while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) {
            return fail_errno("os.sendmsg", "asking the fork server", errno);
        }
    }
    return {};
}

// Takes ownership of every descriptor in the message, also of surplus ones: they would stay open
// for ever.
std::vector<os::Fd> descriptors_of(msghdr& message) {
    std::vector<os::Fd> descriptors;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; header->cmsg_type == SCM_RIGHTS && i < count; ++i) {
            int number = -1;
            std::memcpy(&number, CMSG_DATA(header) + i * sizeof(int), sizeof number);
            descriptors.emplace_back(number);
        }
    }
    return descriptors;
}

Result<Message> receive_message(int socket) {
    std::string text(k_folder_bytes_max, '\0');
    iovec part = {text.data(), text.size()};
    Control control = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    ssize_t size = 0;
    while ((size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
    }
    if (size <= 0) {
        return fail_errno("os.recvmsg", "waiting for the fork server", size < 0 ? errno : EPIPE);
    }
    text.resize(static_cast<std::size_t>(size));
    return Message{std::move(text), descriptors_of(message)};
}

// The descriptors of an order, in this sequence.
constexpr std::size_t k_leave = 0;  // a pipe from the agent: a byte lets the supervisor begin
constexpr std::size_t k_input = 1;
constexpr std::size_t k_lock = 2;
constexpr std::size_t k_cgroup = 3;

// Runs in the child. Its descriptor 0 is the order, 1 and 2 lead nowhere, 3 is the lock. The
// sources are moved above the targets first, so that dup2() overwrites none of them.
int supervise(const std::string& folder, const std::vector<os::Fd>& parts) {
    ::close(STDIN_FILENO);  // the server's end: the agent must see at once when the server dies
    // A supervisor may begin only when the agent holds its descriptor.
    if (!os::wait_for_start(parts[k_leave].get())) {
        return 1;
    }
    const int order = ::fcntl(parts[k_input].get(), F_DUPFD, k_above_targets);
    const int lock = ::fcntl(parts[k_lock].get(), F_DUPFD, k_above_targets);
    if (order < 0 || lock < 0 || ::dup2(order, 0) < 0 || ::dup2(lock, 3) < 0) {
        return 1;
    }
    ::syscall(SYS_close_range, 4, ~0U, 0);
    ::prctl(PR_SET_NAME, "drydock action");  // the name in lists of processes
    return run_action(folder);
}

void answer(const Message& order) {
    if (order.descriptors.size() <= k_lock) {
        return;  // the agent ran out of descriptors: it gets no answer in time and gives no leave
    }
    const bool has_group = order.descriptors.size() > k_cgroup;
    const int group = has_group ? order.descriptors[k_cgroup].get() : -1;
    const auto child =
        os::fork_process(group, [&] { return supervise(order.text, order.descriptors); });
    crash_here("after_fork");
    const std::string text = child ? "forked" : child.error().message;
    (void)send_message(
        STDIN_FILENO, text, child ? std::vector<int>{child->descriptor()} : std::vector<int>());
}

}  // namespace

int serve_forks() {
    struct sigaction action = {};
    action.sa_handler = SIG_IGN;  // no one waits for supervisors: their folders tell how they ended
    ::sigaction(SIGCHLD, &action, nullptr);
    for (;;) {
        const auto order = receive_message(STDIN_FILENO);
        if (!order) {
            return 0;
        }
        answer(*order);
    }
}

// Sets a receive time-out on the socket: an agent must not wait for ever for a server that hangs.
Result<ForkServer> ForkServer::start(const std::string& program, std::int64_t answer_ms_max) {
    std::array<int, 2> ends = {};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return fail_errno("os.socketpair", "making a socket pair", errno);
    }
    os::Fd ours(ends[0]);
    const os::Fd theirs(ends[1]);
    const timeval patience = {answer_ms_max / 1000, answer_ms_max % 1000 * 1000};
    ::setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    os::SpawnOptions options;
    options.argv = {program, "agent", "--fork-server"};
    options.input = theirs.get();
    DRYDOCK_TRY_ASSIGN(os::Child server, os::spawn(options));
    return ForkServer(std::move(ours), std::move(server));
}

ForkServer::~ForkServer() {
    if (socket_) {
        process_.signal(SIGKILL);
        (void)process_.wait(k_end_ms_max);
    }
}

// Writes the leave only after the answer has come. If anything fails before that, the pipe closes
// without a byte and the child exits.
Result<os::Fd> ForkServer::fork(const Order& order) {
    DRYDOCK_TRY_ASSIGN(auto pipe, os::make_pipe());
    std::vector<int> parts = {pipe.first.get(), order.input, order.lock};
    if (order.cgroup >= 0) {
        parts.push_back(order.cgroup);
    }
    DRYDOCK_TRY(send_message(socket_.get(), order.folder, parts));
    DRYDOCK_TRY_ASSIGN(Message reply, receive_message(socket_.get()));
    if (reply.descriptors.size() != 1) {
        return fail("os.fork", fmt::format("no supervisor could be started: {}", reply.text));
    }
    pipe.first.close();
    DRYDOCK_TRY(os::write_all(pipe.second.get(), "y"));
    return std::move(reply.descriptors.front());
}

}  // namespace drydock::agent
