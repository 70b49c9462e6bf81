// Starts, supervises and ends child processes.
//
// The path between fork and exec is the hard part. In a program with threads the child may call
// only async-signal-safe functions: another thread may have held the lock of malloc at the fork. So
// the parent prepares argument vectors, the program's path and descriptors, and the child only uses
// them.
//
// The order in the child: session, permission of the parent, death signal, signals, descriptors,
// working folder, limits, exec. Two pipes connect both sides. Through the first the parent permits
// the start once it holds the pidfd. Through the second the child reports an errno; exec closes it,
// so an empty report means success.
#include "os/process.h"

#include "base/text.h"
#include "os/descriptors.h"
#include "os/fork.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

extern char** environ;  // NOLINT: POSIX names it so

namespace drydock::os {
namespace {

constexpr std::int64_t k_poll_slice_ms = 50;        // how soon a cancellation is seen
constexpr std::size_t k_chunks_per_drain_max = 64;  // 1 MiB, as much as the largest pipe holds

std::int64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

bool is_program(const std::string& path) {
    return ::access(path.c_str(), X_OK) == 0;
}

// Resolves argv[0]. The child cannot search PATH, because the search allocates memory.
std::string find_program(const std::string& name) {
    const char* search = std::getenv("PATH");
    if (name.find('/') != name.npos || search == nullptr) {
        return name;
    }
    for (const auto& folder : split(search, ':')) {
        const std::string path = folder + "/" + name;
        if (!folder.empty() && is_program(path)) {
            return path;
        }
    }
    return name;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (const auto& text : texts) {
        result.push_back(const_cast<char*>(text.c_str()));  // NOLINT: execve's signature
    }
    result.push_back(nullptr);
    return result;
}

// The child's input, complete before the fork, since the child may not allocate.
struct ChildSetup {
    std::string program;
    std::vector<char*> arguments;
    std::vector<char*> environment;
    const char* folder = nullptr;
    std::vector<int> descriptors;  // become 0, 1, 2, ...
    int report = -1;               // gets errno when exec fails
    int start_pipe = -1;           // a byte from here permits the start; its end forbids it
    int start_pipe_writer = -1;    // the parent's end of it, which this process must not hold
    bool own_session = true;
    bool dies_with_parent = false;
    pid_t parent = 0;
    const std::function<int()>* before_exec = nullptr;
};

// A message through the report pipe: the pid of a daemon first, then the errno of a failure.
struct Report {
    pid_t pid = 0;
    int error = 0;
};

[[noreturn]] void report_errno(const ChildSetup& child) {
    const Report report = {0, errno};
    (void)!::write(child.report, &report, sizeof report);
    ::_exit(127);
}

// Gives the child its descriptors 0, 1, 2 and so on. Each one is moved above all targets first, so
// no target overwrites a descriptor that is still needed.
void place_descriptors(const ChildSetup& child, std::array<int, 16>& moved) {
    const int count = static_cast<int>(child.descriptors.size());
    for (int i = 0; i < count; ++i) {
        const auto index = static_cast<std::size_t>(i);
        moved[index] = ::fcntl(child.descriptors[index], F_DUPFD_CLOEXEC, 32);
        if (moved[index] < 0) {
            report_errno(child);
        }
    }
    for (int i = 0; i < count; ++i) {
        if (::dup2(moved[static_cast<std::size_t>(i)], i) < 0) {
            report_errno(child);
        }
    }
}

// Marks all other descriptors, and does not close them: the report pipe must stay open until exec.
void close_on_exec_from(unsigned first) {
    constexpr unsigned k_close_range_cloexec = 4;
    if (::syscall(SYS_close_range, first, ~0U, k_close_range_cloexec) == 0) {
        return;
    }
    for (int number = static_cast<int>(first); number < 1024; ++number) {  // kernels before 5.11
        ::fcntl(number, F_SETFD, FD_CLOEXEC);
    }
}

// Waits until the parent holds the pidfd of this process. Without its permission the process ends
// before exec.
void await_leave(const ChildSetup& child) {
    if (child.start_pipe < 0) {
        return;
    }
    ::close(child.start_pipe_writer);
    if (!os::wait_for_start(child.start_pipe)) {
        ::_exit(127);
    }
}

// Runs in the forked child and calls only async-signal-safe functions. A parent that died before
// prctl() sends no death signal, so the parent's pid is compared after it.
[[noreturn]] void become_child(ChildSetup& child) {
    std::array<int, 16> moved = {};
    if (child.own_session) {
        ::setsid();
    }
    await_leave(child);
    if (child.dies_with_parent) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != child.parent) {
            ::_exit(127);
        }
    }
    reset_signals();
    child.report = ::fcntl(child.report, F_DUPFD_CLOEXEC, 64);  // out of the targets' way
    place_descriptors(child, moved);
    close_on_exec_from(static_cast<unsigned>(child.descriptors.size()));
    if (child.folder != nullptr && ::chdir(child.folder) != 0) {
        report_errno(child);
    }
    restore_descriptor_limit();  // after the steps above, whose descriptors have numbers beyond the
                                 // limit
    if (child.before_exec != nullptr && (errno = (*child.before_exec)()) != 0) {
        report_errno(child);
    }
    ::execve(child.program.c_str(), child.arguments.data(), child.environment.data());
    report_errno(child);
}

// The middle process of a double fork. It ends at once, so that init inherits the daemon.
[[noreturn]] void run_intermediate(ChildSetup& child) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        report_errno(child);
    }
    if (pid > 0) {
        ::_exit(0);
    }
    const Report report = {::getpid(), 0};
    (void)!::write(child.report, &report, sizeof report);
    become_child(child);
}

ChildSetup prepare(const SpawnOptions& options, const Fd& null_device, int report) {
    ChildSetup child;
    child.program = find_program(options.argv[0]);
    child.arguments = pointers(options.argv);
    if (options.environment) {
        child.environment = pointers(*options.environment);
    } else {
        for (char** entry = environ; *entry != nullptr; ++entry) {
            child.environment.push_back(*entry);
        }
        child.environment.push_back(nullptr);
    }
    child.folder = options.folder.empty() ? nullptr : options.folder.c_str();
    for (const int descriptor : {options.input, options.output, options.errors}) {
        child.descriptors.push_back(descriptor < 0 ? null_device.get() : descriptor);
    }
    child.descriptors.insert(
        child.descriptors.end(), options.descriptors.begin(), options.descriptors.end());
    child.report = report;
    child.own_session = options.own_session;
    child.dies_with_parent = options.dies_with_parent;
    child.parent = ::getpid();
    return child;
}

// Waits until exec has closed the pipe, or an error arrives. A daemon sends its pid before that.
Report read_report(const Fd& pipe) {
    Report report;
    Report message;
    for (;;) {
        const auto size = ::read(pipe.get(), &message, sizeof message);
        if (size == static_cast<ssize_t>(sizeof message)) {
            report.pid = message.pid != 0 ? message.pid : report.pid;
            report.error = message.error;
        } else if (size >= 0 || errno != EINTR) {
            return report;
        }
    }
}

Exit to_exit(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) {
        return {info.si_status, 0};
    }
    return {128 + info.si_status, info.si_status};
}

// Reads the available output, up to a limit: a program that never pauses must not keep the caller
// from its deadline. Returns false if the other side has closed the pipe.
bool drain(int descriptor, const RunOptions& options, RunResult& result) {
    std::array<char, 16384> chunk = {};
    for (std::size_t i = 0; i < k_chunks_per_drain_max; ++i) {
        const auto size = ::read(descriptor, chunk.data(), chunk.size());
        if (size <= 0) {
            return size < 0 && (errno == EAGAIN || errno == EINTR);
        }
        const std::string_view bytes(chunk.data(), static_cast<std::size_t>(size));
        if (options.sink) {
            options.sink(bytes);
        }
        const auto room = options.output_max - result.output.size();
        result.output += bytes.substr(0, room);
        result.output_cut = result.output_cut || bytes.size() > room;
    }
    return true;
}

// The request to a command to stop by itself, and the end of the time that it has for that.
class StopRequest {
public:
    // Sends the request once the caller wants it. True if the command has not stopped in time.
    bool is_overdue(const Child& child, const RunOptions& options) {
        if (!deadline_ms_ && options.is_to_stop && options.is_to_stop()) {
            child.signal(SIGTERM);
            deadline_ms_ = now_ms() + options.stop_within_ms;
        }
        return deadline_ms_ && now_ms() >= *deadline_ms_;
    }

    [[nodiscard]] bool was_sent() const { return deadline_ms_.has_value(); }

private:
    std::optional<std::int64_t> deadline_ms_;
};

// Waits for output or the end, until the deadline or a cancellation. The pidfd tells the end, and
// not the pipe: a daemon of the command may hold the pipe open for ever.
void follow(Child& child, const Fd& output, const RunOptions& options, RunResult& result) {
    const auto deadline_ms = now_ms() + options.timeout_ms;
    bool open = true;
    StopRequest stop;
    for (;;) {
        const auto remaining_ms = std::max<std::int64_t>(deadline_ms - now_ms(), 0);
        std::array<pollfd, 2> poll_entries = {pollfd{child.descriptor(), POLLIN, 0},
                                              pollfd{open ? output.get() : -1, POLLIN, 0}};
        ::poll(poll_entries.data(),
               poll_entries.size(),
               static_cast<int>(std::min(remaining_ms, k_poll_slice_ms)));
        open = open && (poll_entries[1].revents == 0 || drain(output.get(), options, result));
        if (const auto exit = child.wait(0)) {
            result.exit = *exit;
            return;
        }
        const bool is_overdue = stop.is_overdue(child, options);
        result.was_asked_to_stop = stop.was_sent();
        result.timed_out = now_ms() >= deadline_ms;
        result.cancelled =
            !result.timed_out && (is_overdue || (options.cancelled && options.cancelled()));
        if (result.timed_out || result.cancelled) {
            child.signal_group(SIGKILL);
            result.exit = child.wait(-1).value_or(Exit{137, SIGKILL});
            return;
        }
    }
}

}  // namespace

std::string Exit::text() const {
    return signal != 0 ? fmt::format("ended by signal {}", signal) : fmt::format("exit {}", code);
}

// poll() on the pidfd has a time-out, which waitpid() lacks. waitid() then reaps exactly this
// child.
std::optional<Exit> Child::wait(std::int64_t timeout_ms) {
    if (exit_) {
        return exit_;
    }
    pollfd poll_entry = {descriptor_.get(), POLLIN, 0};
    while (::poll(&poll_entry, 1, static_cast<int>(timeout_ms)) < 0 && errno == EINTR) {
    }
    siginfo_t info = {};
    if (poll_entry.revents != 0
        && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0
        && info.si_pid == pid_) {
        exit_ = to_exit(info);
    }
    return exit_;
}

void Child::signal(int number) const {
    ::syscall(SYS_pidfd_send_signal, descriptor_.get(), number, nullptr, 0);
}

void Child::signal_group(int number) const {
    if (!exit_) {  // a reaped pid may belong to another process
        ::kill(-pid_, number);
    }
}

// The pidfd is opened while the child waits, so its pid cannot have been reused. The parent's
// copies of the child's pipe ends are closed before read_report(), which would wait for ever
// otherwise.
Result<Child> spawn(const SpawnOptions& options) {
    if (options.argv.empty()) {
        return fail("os.exec", "there is no program to start: the argument vector is empty");
    }
    DRYDOCK_TRY_ASSIGN(const Fd null_device, open_file("/dev/null", O_RDWR));
    DRYDOCK_TRY_ASSIGN(auto report, make_pipe());
    DRYDOCK_TRY_ASSIGN(auto leave, make_pipe());
    ChildSetup child = prepare(options, null_device, report.second.get());
    child.start_pipe = leave.first.get();
    child.start_pipe_writer = leave.second.get();
    const pid_t pid = fork_into(options.cgroup);
    if (pid < 0) {
        return fail_errno("os.fork", "fork", errno);
    }
    if (pid == 0) {
        become_child(child);
    }
    auto descriptor = open_process(pid);
    if (!descriptor) {
        kill_child(pid);
        return tl::unexpected(descriptor.error());
    }
    report.second.close();
    leave.first.close();
    if (options.before_start) {
        options.before_start(pid);
    }
    (void)!::write(leave.second.get(), "", 1);  // a dead child shows in the report
    if (const int number = read_report(report.first).error; number != 0) {
        ::waitpid(pid, nullptr, 0);
        return fail_errno("os.exec", fmt::format("starting {}", child.program), number);
    }
    return Child(pid, std::move(*descriptor));
}

Result<pid_t> spawn_detached(const SpawnOptions& options, const std::function<int()>& before_exec) {
    if (options.argv.empty()) {
        return fail("os.exec", "there is no program to start: the argument vector is empty");
    }
    DRYDOCK_TRY_ASSIGN(const Fd null_device, open_file("/dev/null", O_RDWR));
    DRYDOCK_TRY_ASSIGN(auto pipe, make_pipe());
    ChildSetup child = prepare(options, null_device, pipe.second.get());
    child.before_exec = &before_exec;
    const pid_t intermediate = fork_into(options.cgroup);
    if (intermediate < 0) {
        return fail_errno("os.fork", "fork", errno);
    }
    if (intermediate == 0) {
        run_intermediate(child);
    }
    pipe.second.close();
    const Report report = read_report(pipe.first);
    ::waitpid(intermediate, nullptr, 0);
    if (report.error != 0 || report.pid == 0) {
        return fail_errno("os.exec", fmt::format("starting {}", child.program), report.error);
    }
    return report.pid;
}

void keep_memory_private() {
    ::prctl(PR_SET_DUMPABLE, 0);
}

std::vector<std::string>
clean_environment(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::vector<std::string> environment;
    const char* path = std::getenv("PATH");
    const auto is_path = [](const auto& entry) { return entry.first == "PATH"; };
    if (path != nullptr && std::none_of(variables.begin(), variables.end(), is_path)) {
        environment.push_back(std::string("PATH=") + path);
    }
    for (const auto& [name, value] : variables) {
        environment.push_back(name + "=" + value);
    }
    return environment;
}

Result<RunResult> run_to_end(const RunOptions& options) {
    DRYDOCK_TRY_ASSIGN(auto pipe, make_pipe());
    SpawnOptions child_options = options.spawn;
    if (child_options.output < 0) {
        child_options.output = pipe.second.get();
    }
    child_options.errors = pipe.second.get();
    child_options.own_session = true;
    const auto start_ms = now_ms();
    DRYDOCK_TRY_ASSIGN(Child child, spawn(child_options));
    pipe.second.close();
    ::fcntl(pipe.first.get(), F_SETFL, O_NONBLOCK);
    RunResult result;
    follow(child, pipe.first, options, result);
    drain(pipe.first.get(), options, result);
    result.duration_ms = now_ms() - start_ms;
    return result;
}

}  // namespace drydock::os
