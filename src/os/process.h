// Child processes: started with an argument vector (never a shell), ended and waited for by pidfd.
//
// spawn() is safe in a program with threads. A child gets only the descriptors it is given, default
// signal handling, and by default a session of its own, so that a signal to our process group does
// not reach it. Objects are not thread-safe.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::os {

struct SpawnOptions {
    std::vector<std::string> argv;  // argv[0] is looked up in PATH when it has no slash
    std::optional<std::vector<std::string>> environment;  // "NAME=value"; none: the caller's own
    std::string folder;                                   // working folder; empty: the caller's
    int input = -1;                                       // -1 is /dev/null for all three
    int output = -1;
    int errors = -1;
    std::vector<int> keep = {};  // further descriptors; the child has them as 3, 4, ...
    bool own_session = true;
    bool dies_with_parent = false;  // SIGKILL when the thread that spawned it ends
    // The folder of the group to be born in (cgroup.h), open for reading; -1: the caller's own. If
    // the kernel refuses, the child is born in the caller's.
    int cgroup = -1;
    // Called in the parent while the child, which has this pid, waits to be executed.
    std::function<void(pid_t)> before_start = {};
};

struct Exit {
    int code = 0;                            // exit status; 128 + signal when a signal ended it
    int signal = 0;                          // 0 when it ended by itself
    [[nodiscard]] std::string text() const;  // "exit 1", "ended by signal 9"
};

// A running child. Destroying it neither ends nor reaps the process.
class Child {
public:
    Child(pid_t pid, Fd descriptor) : pid_(pid), descriptor_(std::move(descriptor)) {}

    [[nodiscard]] pid_t pid() const { return pid_; }

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }  // pidfd; readable = ended

    // How it ended, once; nothing while it runs or when the time-out passed first. Reaps it.
    [[nodiscard]] std::optional<Exit> wait(std::int64_t timeout_ms);
    void signal(int number) const;
    void signal_group(int number) const;  // its whole process group; needs own_session

private:
    pid_t pid_;
    Fd descriptor_;
    std::optional<Exit> exit_;
};

// Starts a program. Every error means that it never ran: the child executes nothing before the
// parent holds its descriptor, and is ended and reaped if that fails. "os.exec" when there is no
// such program.
[[nodiscard]] Result<Child> spawn(const SpawnOptions& options);

// Starts a process that is nobody's child and not waited for: a daemon. `before_exec` runs in it
// just before exec, with its pid in getpid(), and answers 0 or an errno that makes the start fail;
// it may use anything, but only because the caller must be a program with a single thread.
// Returns the pid once exec has happened.
[[nodiscard]] Result<pid_t> spawn_detached(const SpawnOptions& options,
                                           const std::function<int()>& before_exec);

// From now on no other process of the same user can read the memory and the open files of this one,
// and it leaves no core file. Programs that it starts are not concerned.
void keep_memory_private();

// PATH of the caller and what is given; nothing else crosses over.
[[nodiscard]] std::vector<std::string>
clean_environment(const std::vector<std::pair<std::string, std::string>>& variables);

struct RunOptions {
    SpawnOptions spawn =
        {};  // output and errors are captured together; errors only if it has output
    std::size_t output_max = 64U << 10U;
    std::int64_t timeout_ms = 10'000;
    std::function<void(std::string_view)> sink = {};  // gets output as it comes, if set
    std::function<bool()> cancelled = {};             // asked about 20 times a second, if set
};

struct RunResult {
    Exit exit;
    bool timed_out = false;  // its process group was killed; the same for cancelled
    bool cancelled = false;
    std::string output;  // the first output_max bytes
    bool output_cut = false;
    std::int64_t duration_ms = 0;
};

// Runs a command to its end, or kills its process group at the deadline. What the command left
// behind (a daemon that holds its output open) is not waited for.
[[nodiscard]] Result<RunResult> run_to_end(const RunOptions& options);

// A process as /proc shows it.
struct ProcessFacts {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  // since boot: with the pid it names one process, not its heirs
    bool zombie = false;
    pid_t parent = 0;
    uid_t user = 0;  // who owns its files in /proc: root, if it keeps its memory private
    std::vector<std::string> arguments;
    std::string exe;     // without " (deleted)"
    std::string folder;  // working folder
};

// The process, or nothing when there surely is no such process. Any error means that nobody can
// tell, such as "os.proc" when its files may not be read.
[[nodiscard]] Result<std::optional<ProcessFacts>> find_process(pid_t pid);

// Its effective user, whoever may read its files; nothing if it is gone.
[[nodiscard]] std::optional<uid_t> effective_user_of(pid_t pid);

// "NAME=value" of a process at its start; empty for a kernel thread, and nothing when the process
// is gone.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> read_environment(pid_t pid);

struct ProcessList {
    std::vector<pid_t> pids;
    bool complete = true;  // false if /proc hides processes of other users (hidepid)
};

// "os.proc" when /proc cannot be read.
[[nodiscard]] Result<ProcessList> list_processes();
[[nodiscard]] std::string boot_id();
// Wall time at which a process with these ticks was started.
[[nodiscard]] std::int64_t ticks_to_wall_ms(std::uint64_t start_ticks);

// A descriptor for a process that is not our child. "os.no_process" when it is gone.
[[nodiscard]] Result<Fd> open_process(pid_t pid);
[[nodiscard]] Status signal_process(const Fd& process, int number);
// True when it is gone (a zombie is gone), false when the time-out passed first.
[[nodiscard]] bool wait_gone(const Fd& process, std::int64_t timeout_ms);

}  // namespace drydock::os
