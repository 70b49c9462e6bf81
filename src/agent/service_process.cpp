// The service type `process`: {argv, env, cwd, pid_file, log, stop: {signal, within_ms,
// kill_after_ms}}, a plain process in a session of its own.
//
// The process writes its own pid file ("PID START", START in clock ticks since boot) between fork
// and exec, so there is no process of ours without one. A pid file is a hint and never believed:
// the process must be there, be no zombie, have that start time (if the file has one) and our
// arguments. If the hint leads nowhere, /proc is searched for a process that is this program with
// these arguments, so that a second one is never started beside one that somebody else started.
//
// A lock beside the pid file makes start and stop take turns. The new process holds it too until
// exec, so that nobody takes it for missing if we are killed in that moment.
#include "agent/service.h"
#include "base/text.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace drydock::agent {
namespace {

constexpr std::size_t k_pid_file_bytes_max = 4096;
constexpr std::int64_t k_lock_within_ms = 10'000;
constexpr std::int64_t k_killed_within_ms = 10'000;  // SIGKILL takes effect unless the disk hangs
constexpr std::int64_t k_cancel_slice_ms = 50;
constexpr std::size_t k_start_arguments_max = 2;  // "--upgrade", which only one start had
constexpr std::size_t k_interpreters_max = 2;     // "/usr/bin/env python3 script ..."

struct ProcessService {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> env;
    std::string cwd;
    std::string pid_file;
    std::string log;
    int signal = SIGTERM;
    std::int64_t kill_after_ms = -1;
};

struct SignalName {
    std::string_view name;
    int number;
};

constexpr std::array k_signals = {
    SignalName{"TERM", SIGTERM},
    SignalName{"INT", SIGINT},
    SignalName{"QUIT", SIGQUIT},
    SignalName{"HUP", SIGHUP},
    SignalName{"USR1", SIGUSR1},
    SignalName{"USR2", SIGUSR2},
    SignalName{"KILL", SIGKILL},
};

Result<int> read_signal(const std::string& name) {
    for (const auto& signal : k_signals) {
        if (name.empty() || signal.name == name) {
            return signal.number;
        }
    }
    return fail("service.signal", fmt::format("there is no signal `{}`", name), "use TERM or INT");
}

Result<ProcessService> read_service(const Json& value) {
    ProcessService service;
    DRYDOCK_TRY_ASSIGN(service.argv, read_texts(value["argv"], "service.argv"));
    DRYDOCK_TRY_ASSIGN(service.signal, read_signal(value["stop"]["signal"].as_string()));
    service.env = read_pairs(value["env"]);
    service.cwd = value["cwd"].as_string();
    service.pid_file = value["pid_file"].as_string();
    service.log = value["log"].as_string();
    service.kill_after_ms = value["stop"]["kill_after_ms"].as_int(-1);
    if (service.argv.empty() || service.pid_file.empty()) {
        return fail("agent.bad_request", "a process service needs `argv` and `pid_file`");
    }
    return service;
}

// Equal, or equal up to a secret that only a start knows.
bool same_argument(const std::string& wanted, const std::string& found) {
    const auto secret = wanted.find("${secret:");
    return secret == wanted.npos ? wanted == found
                                 : std::string_view(found).starts_with(wanted.substr(0, secret));
}

// `before` arguments are an interpreter's; those that are too many at the end are its start's own.
bool same_arguments_behind(std::size_t before,
                           const ProcessService& service,
                           const os::ProcessFacts& process) {
    const auto& found = process.arguments;
    const auto& wanted = service.argv;
    if (found.size() < wanted.size() + before
        || found.size() > wanted.size() + before + k_start_arguments_max) {
        return false;
    }
    const auto first = found.begin() + static_cast<std::ptrdiff_t>(before);
    const bool same_name = before == 0 ? os::name_of(*first) == os::name_of(wanted[0])
                                             || os::name_of(process.exe) == os::name_of(wanted[0])
                                       : *first == wanted[0];  // a script behind its interpreter
    return same_name && std::equal(wanted.begin() + 1, wanted.end(), first + 1, same_argument);
}

bool same_arguments(const ProcessService& service, const os::ProcessFacts& process) {
    for (std::size_t before = 0; before <= k_interpreters_max; ++before) {
        if (same_arguments_behind(before, service, process)) {
            return true;
        }
    }
    return false;
}

struct PidFile {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0;  // 0: not in the file
};

PidFile read_pid_file(const std::string& path) {
    PidFile hint;
    const std::string text = trim(os::read_file(path, k_pid_file_bytes_max).value_or(""));
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, hint.pid);
    if (first.ptr != end && *first.ptr == ' ') {
        std::from_chars(first.ptr + 1, end, hint.start_ticks);
    }
    return hint;
}

// The process of a service, or nothing. With a doubt, "nothing" means: nobody can tell.
struct Search {
    std::optional<os::ProcessFacts> process = {};
    std::optional<Error> doubt = {};
};

Search by_pid_file(const ProcessService& service) {
    const PidFile hint = read_pid_file(service.pid_file);
    auto process = os::find_process(hint.pid);
    if (!process) {
        return {.process = {}, .doubt = process.error()};
    }
    const auto& found = *process;
    const bool ours = found && !found->zombie
                      && (hint.start_ticks == 0 || hint.start_ticks == found->start_ticks)
                      && same_arguments(service, *found);
    return {.process = ours ? found : std::nullopt, .doubt = {}};
}

// Arguments alone may fit a process of another member: what else the service says must fit too.
bool same_place(const ProcessService& service, const os::ProcessFacts& process) {
    if (!service.cwd.empty() && !process.folder.empty() && process.folder != service.cwd) {
        return false;
    }
    const auto text = os::read_file(fmt::format("/proc/{}/environ", process.pid), 4U << 20U);
    const auto found = split(text.value_or(""), '\0');
    return !text || std::all_of(service.env.begin(), service.env.end(), [&](const auto& entry) {
        const auto wanted = entry.first + "=" + entry.second;
        return std::any_of(found.begin(), found.end(), [&](const auto& each) {
            return same_argument(wanted, each);
        });
    });
}

bool is_older(const os::ProcessFacts& process, const std::optional<os::ProcessFacts>& other) {
    return !other || process.start_ticks < other->start_ticks;
}

// The oldest that fits: its children may have the same arguments for a moment.
Search by_search(const ProcessService& service) {
    Search search;
    const auto list = os::list_processes();
    if (!list) {
        return {.process = {}, .doubt = list.error()};
    }
    if (!list->complete) {
        search.doubt = Error{"os.proc", "/proc hides the processes of other users", {}, {}};
    }
    for (const pid_t pid : list->pids) {
        auto process = os::find_process(pid);
        if (!process) {
            search.doubt = process.error();
        } else if (*process && !(*process)->zombie && same_arguments(service, **process)
                   && same_place(service, **process) && is_older(**process, search.process)) {
            search.process = std::move(*process);
        }
    }
    return search;
}

// The pid file is a hint: what it leads to is checked, and where it leads to nothing a search
// decides.
Search find_service(const ProcessService& service) {
    Search hinted = by_pid_file(service);
    if (hinted.process) {
        return hinted;
    }
    Search searched = by_search(service);
    if (!searched.process && !searched.doubt) {
        searched.doubt = std::move(hinted.doubt);
    }
    return searched;
}

Error cannot_search(const Error& doubt) {
    return {"service.cannot_tell",
            "nobody can tell whether the service runs: " + doubt.message,
            "let the agent read /proc, say as root"};
}

Json evidence_of(const os::ProcessFacts& process) {
    Json evidence;
    evidence.set("pid", process.pid);
    evidence.set("exe", process.exe);
    evidence.set("program", process.arguments.empty() ? "" : process.arguments.front());
    evidence.set("started_ms", os::ticks_to_wall_ms(process.start_ticks));
    evidence.set("start_ticks", process.start_ticks);
    return evidence;
}

Status write_pid_file(const std::string& path, pid_t pid, std::uint64_t start_ticks) {
    return os::write_file_durable(path, fmt::format("{} {}\n", pid, start_ticks), 0644);
}

std::string resolved(const std::string& path) {
    char* real = ::realpath(path.c_str(), nullptr);
    std::string answer = real == nullptr ? "" : real;
    std::free(real);  // NOLINT: realpath allocates with malloc
    return answer;
}

Error already_running(const os::ProcessFacts& process) {
    return {"service.already_running",
            fmt::format("it runs already, as process {} ({})", process.pid, process.exe),
            "stop it first"};
}

// It runs already: somebody else started it, say a person after a start that failed. If it is the
// very program that was to be started, that is what was wanted; any other release is not.
ActionResult adopt(const ProcessService& service, const os::ProcessFacts& process) {
    Json evidence = evidence_of(process);
    evidence.set("adopted", true);
    if (auto written = write_pid_file(service.pid_file, process.pid, process.start_ticks);
        !written) {
        return failed(written.error(), std::move(evidence));
    }
    if (process.exe != resolved(service.argv[0])) {
        return failed(already_running(process), std::move(evidence));
    }
    return {Outcome::done, std::move(evidence)};
}

Result<pid_t> launch(const ProcessService& service, const ActionContext& context) {
    os::Fd log;
    if (!service.log.empty()) {
        DRYDOCK_TRY_ASSIGN(log, os::open_file(service.log, O_WRONLY | O_CREAT | O_APPEND, 0640));
    }
    os::SpawnOptions options;
    options.argv = service.argv;
    options.environment = os::clean_environment(service.env);
    options.folder = service.cwd;
    options.output = log.get();
    options.errors = log.get();
    options.cgroup = context.outer_group;
    return os::spawn_detached(options, [&] {
        if (context.release) {
            context.release(0);
        }
        const auto self = os::find_process(::getpid());
        const bool written =
            self && *self
            && write_pid_file(service.pid_file, (*self)->pid, (*self)->start_ticks).has_value();
        return written ? 0 : EIO;
    });
}

ActionResult start_locked(const ProcessService& service, const ActionContext& context) {
    const Search search = find_service(service);
    if (search.process) {
        return adopt(service, *search.process);
    }
    if (search.doubt) {
        return failed(cannot_search(*search.doubt));  // it could be the second one
    }
    const auto pid = launch(service, context);
    if (!pid) {
        return failed(pid.error());
    }
    const auto process = os::find_process(*pid);
    Json evidence;
    evidence.set("pid", *pid);
    return {Outcome::done, process && *process ? evidence_of(**process) : evidence};
}

Result<os::FileLock> take_turn(const ProcessService& service) {
    return os::FileLock::take_within(
        service.pid_file + ".lock", fmt::format("drydock {}", ::getpid()), k_lock_within_ms);
}

ActionResult start(const Json& value, const ActionContext& context) {
    const auto service = read_service(value);
    if (!service) {
        return failed(service.error());
    }
    const auto turn = take_turn(*service);
    return turn ? start_locked(*service, context) : failed(turn.error());
}

bool wait_gone(const os::Fd& process, std::int64_t within_ms, const ActionContext& context) {
    for (std::int64_t left = within_ms; left > 0; left -= k_cancel_slice_ms) {
        if (os::wait_gone(process, std::min(left, k_cancel_slice_ms))) {
            return true;
        }
        if (context.cancelled()) {
            return false;
        }
    }
    return os::wait_gone(process, 0);
}

// Signals, waits, and kills only if the service says after how long.
Result<bool> end_process(const ProcessService& service,
                         const os::Fd& process,
                         std::int64_t within_ms,
                         const ActionContext& context) {
    if (auto sent = os::signal_process(process, service.signal); !sent) {
        return sent.error().code == "os.no_process" ? Result<bool>(true)
                                                    : tl::unexpected(sent.error());
    }
    const bool may_kill = service.kill_after_ms >= 0;
    if (wait_gone(process, may_kill ? service.kill_after_ms : within_ms, context)) {
        return true;
    }
    if (!may_kill || context.cancelled()) {
        return false;
    }
    (void)os::signal_process(process, SIGKILL);
    return wait_gone(process, k_killed_within_ms, context);
}

ActionResult stop_process(const ProcessService& service,
                          const os::ProcessFacts& facts,
                          std::int64_t within_ms,
                          const ActionContext& context) {
    Json evidence = evidence_of(facts);
    const auto process = os::open_process(facts.pid);
    const auto now = os::find_process(facts.pid);
    const bool cannot_tell = (!process && process.error().code != "os.no_process") || !now;
    if (cannot_tell) {
        const Error& why = !process ? process.error() : now.error();
        return unknown(cannot_search(why), std::move(evidence));
    }
    // Gone in between, or its number is somebody else's by now: never signal that one.
    if (!process || !*now || (*now)->start_ticks != facts.start_ticks) {
        ::unlink(service.pid_file.c_str());
        return {Outcome::done, std::move(evidence)};
    }
    const auto ended = end_process(service, *process, within_ms, context);
    if (!ended) {
        return failed(ended.error(), std::move(evidence));
    }
    if (!*ended) {
        return failed({"service.still_running",
                       fmt::format("process {} was still there after {} ms", facts.pid, within_ms),
                       "see why it does not end; it may still do so"},
                      std::move(evidence));
    }
    ::unlink(service.pid_file.c_str());
    return {Outcome::done, std::move(evidence)};
}

ActionResult stop(const Json& value, std::int64_t within_ms, const ActionContext& context) {
    const auto service = read_service(value);
    const auto turn = service ? take_turn(*service) : tl::unexpected(service.error());
    if (!turn) {
        return failed(turn.error());
    }
    const Search search = find_service(*service);
    if (search.process) {
        return stop_process(*service, *search.process, within_ms, context);
    }
    if (search.doubt) {
        return unknown(cannot_search(*search.doubt));
    }
    Json evidence;
    evidence.set("note", "was not running");
    return {Outcome::done, std::move(evidence)};
}

ServiceState look(const Json& value, std::int64_t) {
    ServiceState state;
    const auto service = read_service(value);
    if (!service) {
        state.evidence.set("problem", service.error().message);
        return state;
    }
    const Search search = find_service(*service);
    state.evidence.set("pid_file", service->pid_file);
    if (search.process) {
        state.phase = ServiceState::Phase::running;
        state.pid = search.process->pid;
        state.exe = search.process->exe;
        state.evidence = evidence_of(*search.process);
    } else if (search.doubt) {
        state.evidence.set("problem", search.doubt->message);
    } else {
        state.phase = ServiceState::Phase::stopped;
    }
    return state;
}

}  // namespace

const ServiceType k_process_service = {"process", "argv", start, stop, look};

}  // namespace drydock::agent
