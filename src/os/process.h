// Child processes: started with an argument vector, never by a shell, ended and awaited by pidfd.
//
// spawn() is safe in a program with threads. A child gets only the descriptors in its options,
// default signal handling, and by default a session of its own. So a signal to the parent's process
// group does not reach it. Objects are not thread-safe.
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
    std::vector<int> descriptors = {};  // further descriptors; the child has them as 3, 4, ...
    bool own_session = true;
    bool dies_with_parent = false;  // SIGKILL when the thread that spawned it ends
    // The folder of the group for the birth (cgroup.h), open for reading; -1: the caller's group.
    // If the kernel refuses, the child is born in the caller's group.
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

    // Returns the exit once the child has ended, and reaps it. Returns nothing if the time-out
    // passes first.
    [[nodiscard]] std::optional<Exit> wait(std::int64_t timeout_ms);
    void signal(int number) const;
    void signal_group(int number) const;  // its whole process group; needs own_session

private:
    pid_t pid_;
    Fd descriptor_;
    std::optional<Exit> exit_;
};

// Starts a program. Every error means that the program never ran: the child executes nothing before
// the parent holds its descriptor. If that fails, the child is killed and reaped. Error: "os.exec"
// if there is no such program.
[[nodiscard]] Result<Child> spawn(const SpawnOptions& options);

// Starts a daemon, which is no child of this process and is not awaited. Returns its pid once exec
// has happened. `before_exec` runs in the daemon just before exec and returns 0, or an errno that
// makes the start fail. The caller must be a program with a single thread, so that `before_exec`
// may use anything.
[[nodiscard]] Result<pid_t> spawn_detached(const SpawnOptions& options,
                                           const std::function<int()>& before_exec);

// Protects the memory and the open files of this process from other processes of the same user, and
// disables core files. Programs that it starts are not affected.
void keep_memory_private();

// Returns PATH of the caller and the given variables, and nothing else.
[[nodiscard]] std::vector<std::string>
clean_environment(const std::vector<std::pair<std::string, std::string>>& variables);

struct RunOptions {
    // Output and errors are captured together; errors alone if `spawn` has an output.
    SpawnOptions spawn = {};
    std::size_t output_max = 64U << 10U;
    std::int64_t timeout_ms = 10'000;
    std::function<void(std::string_view)> sink = {};  // gets output as it comes, if set
    std::function<bool()> cancelled = {};             // asked about 20 times a second, if set
    // Asked as often: true if the command is to stop by itself. It gets SIGTERM once, and counts as
    // cancelled if it has not ended `stop_within_ms` later.
    std::function<bool()> is_to_stop = {};
    std::int64_t stop_within_ms = 0;
};

struct RunResult {
    Exit exit;
    bool timed_out = false;  // its process group was killed; the same for cancelled
    bool cancelled = false;
    bool was_asked_to_stop = false;  // it got SIGTERM
    std::string output;              // the first output_max bytes
    bool output_cut = false;
    std::int64_t duration_ms = 0;
};

// Runs a command to its end, or kills its process group at the deadline. Does not wait for daemons
// of the command that hold its output open.
[[nodiscard]] Result<RunResult> run_to_end(const RunOptions& options);

// A process as /proc shows it.
struct ProcessFacts {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  // since boot: with the pid it names one process, not its heirs
    bool zombie = false;
    pid_t parent = 0;
    uid_t user = 0;  // owner of its files in /proc: root, if its memory is private
    std::vector<std::string> arguments;
    std::string exe;     // without " (deleted)"
    std::string folder;  // working folder
};

// Returns the process, or nothing if it certainly does not exist. An error means that its existence
// is unknown, such as "os.proc" for files that may not be read.
[[nodiscard]] Result<std::optional<ProcessFacts>> find_process(pid_t pid);

// Returns the effective user of a process, also of one with private memory; nothing if it is gone.
[[nodiscard]] std::optional<uid_t> effective_user_of(pid_t pid);

// Returns "NAME=value" entries of a process at its start; nothing if the process is gone, an empty
// list for a kernel thread.
[[nodiscard]] Result<std::optional<std::vector<std::string>>> read_environment(pid_t pid);

struct ProcessList {
    std::vector<pid_t> pids;
    bool complete = true;  // false if /proc hides processes of other users (hidepid)
};

// Lists the processes of this host. Error: "os.proc" if /proc cannot be read.
[[nodiscard]] Result<ProcessList> list_processes();
[[nodiscard]] std::string boot_id();
// Returns the wall time at which a process with these ticks was started.
[[nodiscard]] std::int64_t ticks_to_wall_ms(std::uint64_t start_ticks);

// Opens a descriptor of any process. Error: "os.no_process" if it is gone.
[[nodiscard]] Result<Fd> open_process(pid_t pid);
// Returns the path from which this program was started; "" if the system does not tell. Another
// program may lie there by now.
[[nodiscard]] std::string own_program();
[[nodiscard]] Status signal_process(const Fd& process, int number);
// True if the process is gone or a zombie; false if the time-out passed first.
[[nodiscard]] bool wait_gone(const Fd& process, std::int64_t timeout_ms);

}  // namespace drydock::os
