// The service type `process`: {argv, env, cwd, pid_file, log, stop: {signal, within_ms,
// kill_after_ms}}, a plain process in a session of its own.
//
// The process writes its own pid file between fork and exec, so no process of ours lacks one. The
// file has "PID START", with START in clock ticks since boot. A pid file is a hint and never
// believed: the process must exist and be no zombie. It must have our arguments and that start
// time, if the file has one. If the hint leads nowhere, /proc is searched for this program with
// these arguments. So no second process is started beside the process of a person.
//
// A program that renames itself (`title`) is known by that name, its folder and its program: its
// arguments and environment are overwritten.
//
// service_match.h says which processes belong to a service. Two processes that fit, or one whose
// arguments nearly fit, are a doubt. Then nothing is started or signalled.
//
// A lock beside the pid file makes start and stop take turns. The new process holds it too until
// exec. So no other agent takes the process for missing if we are killed in that moment.
#include "agent/service.h"
#include "agent/service_match.h"
#include "base/text.h"
#include "os/output_file.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>

namespace drydock::agent {
namespace {

constexpr std::size_t k_pid_file_bytes_max = 4096;
constexpr std::int64_t k_lock_within_ms = 10'000;
constexpr std::int64_t k_killed_within_ms = 10'000;  // SIGKILL takes effect unless the disk hangs
constexpr std::int64_t k_cancel_slice_ms = 50;

struct ProcessService {
    ProcessShape shape;
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
    DRYDOCK_TRY_ASSIGN(service.shape, read_process_shape(value));
    DRYDOCK_TRY_ASSIGN(service.signal, read_signal(value["stop"]["signal"].as_string()));
    service.pid_file = value["pid_file"].as_string();
    service.log = value["log"].as_string();
    service.kill_after_ms = value["stop"]["kill_after_ms"].as_int(-1);
    if (service.shape.argv.empty() || service.pid_file.empty()) {
        return fail("agent.bad_request", "a process service needs `argv` and `pid_file`");
    }
    return service;
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

// The process of a service, or none. With a doubt, "none" means "unknown".
struct Search {
    std::optional<os::ProcessFacts> process = {};
    std::optional<Error> doubt = {};
};

// Follows the pid file. A process that does not fit is ignored, and the search decides.
Search by_pid_file(const ProcessService& service) {
    const PidFile hint = read_pid_file(service.pid_file);
    auto process = os::find_process(hint.pid);
    if (!process) {
        return {.process = {}, .doubt = process.error()};
    }
    const auto& candidate = *process;
    const bool ours = candidate && !candidate->zombie
                      && (hint.start_ticks == 0 || hint.start_ticks == candidate->start_ticks)
                      && is_of_service(service.shape, *candidate);
    return {.process = ours ? candidate : std::nullopt, .doubt = {}};
}

// The processes that fit a service, and the difference of a process that nearly fits.
struct Candidates {
    std::vector<os::ProcessFacts> fitting;
    std::optional<Error> near;
};

void note(os::ProcessFacts process, const ProcessShape& shape, Candidates& candidates) {
    if (is_of_service(shape, process) && same_place(shape, process)) {
        candidates.fitting.push_back(std::move(process));
    } else if (const std::string difference = near_miss(shape, process); !difference.empty()) {
        candidates.near =
            Error{"service.arguments",
                  fmt::format("process {} ({}) has other arguments than the cluster file: {}",
                              process.pid,
                              process.exe,
                              difference),
                  {},
                  {}};
    }
}

// Removes children of candidates: a child has its parent's arguments for a moment, or for good.
void drop_children(std::vector<os::ProcessFacts>& fitting) {
    std::vector<pid_t> pids;
    pids.reserve(fitting.size());
    for (const auto& process : fitting) {
        pids.push_back(process.pid);
    }
    std::erase_if(fitting, [&](const auto& process) {
        return std::find(pids.begin(), pids.end(), process.parent) != pids.end();
    });
}

// Exactly one fitting process is the service's; two are a doubt. A near miss is a doubt only if
// none fits.
Search decide(Candidates candidates, Search search) {
    drop_children(candidates.fitting);
    if (candidates.fitting.size() == 1) {
        search.process = std::move(candidates.fitting.front());
    } else if (candidates.fitting.size() > 1) {
        search.doubt = Error{"service.two_processes",
                             fmt::format("the processes {} and {} both fit it",
                                         candidates.fitting[0].pid,
                                         candidates.fitting[1].pid),
                             {},
                             {}};
    } else if (!search.doubt) {
        search.doubt = std::move(candidates.near);
    }
    return search;
}

// Looks at every process. A process that cannot be read is a doubt, because it could be the
// service's.
Search by_search(const ProcessService& service) {
    Search search;
    Candidates candidates;
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
        } else if (*process && !(*process)->zombie) {
            note(std::move(**process), service.shape, candidates);
        }
    }
    return decide(std::move(candidates), std::move(search));
}

// Follows the pid file first, which is cheap, and searches only if it leads nowhere.
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
    return os::write_output_durable(path, fmt::format("{} {}\n", pid, start_ticks), 0644);
}

Error already_running(const os::ProcessFacts& process) {
    return {"service.already_running",
            fmt::format("it runs already, as process {} ({})", process.pid, process.exe),
            "stop it first"};
}

// Takes over a process that runs already, say because a person started it after a failed start.
// That is a success only if it runs the very program that was to be started; another release is an
// error.
ActionResult adopt(const ProcessService& service, const os::ProcessFacts& process) {
    Json evidence = evidence_of(process);
    evidence.set("adopted", true);
    if (auto written = write_pid_file(service.pid_file, process.pid, process.start_ticks);
        !written) {
        return failed(written.error(), std::move(evidence));
    }
    const bool is_wanted = service.shape.title.empty() || uses_release_of(service.shape, process);
    if (!is_wanted || process.exe != os::real_path_of(service.shape.argv[0])) {
        return failed(already_running(process), std::move(evidence));
    }
    return {Outcome::done, std::move(evidence)};
}

// Starts the process detached. Between fork and exec it leaves the attempt's group and writes its
// pid file; if that fails, it never executes the program.
Result<pid_t> launch(const ProcessService& service, const ActionContext& context) {
    os::Fd log;
    if (!service.log.empty()) {
        DRYDOCK_TRY_ASSIGN(const auto folder, os::OutputFolder::of(service.log));
        DRYDOCK_TRY_ASSIGN(log, folder.open(os::name_of(service.log), O_WRONLY | O_APPEND, 0640));
    }
    os::SpawnOptions options;
    options.argv = service.shape.argv;
    options.environment = os::clean_environment(service.shape.env);
    options.folder = service.shape.cwd;
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
        return failed(cannot_search(*search.doubt));  // a second process could result
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

// Takes the lock under which one agent at a time starts or stops this service.
Result<os::FileLock> lock_pid_file(const ProcessService& service) {
    return os::lock_output_within(
        service.pid_file + ".lock", fmt::format("drydock {}", ::getpid()), k_lock_within_ms);
}

ActionResult start(const Json& value, const ActionContext& context) {
    const auto service = read_service(value);
    if (!service) {
        return failed(service.error());
    }
    const auto lock = lock_pid_file(*service);
    return lock ? start_locked(*service, context) : failed(lock.error());
}

// Waits in slices, so that a cancellation is noticed. Returns true if the process has ended.
bool wait_gone(const os::Fd& process, std::int64_t within_ms, const ActionContext& context) {
    for (std::int64_t left_ms = within_ms; left_ms > 0; left_ms -= k_cancel_slice_ms) {
        if (os::wait_gone(process, std::min(left_ms, k_cancel_slice_ms))) {
            return true;
        }
        if (context.cancelled()) {
            return false;
        }
    }
    return os::wait_gone(process, 0);
}

// Sends the signal and waits. Sends SIGKILL only if the service has kill_after_ms. Returns true if
// the process has ended.
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

// Opens a process descriptor before it compares the start time again: from then on the signal can
// only reach that process.
ActionResult stop_process(const ProcessService& service,
                          const os::ProcessFacts& facts,
                          std::int64_t within_ms,
                          const ActionContext& context) {
    Json evidence = evidence_of(facts);
    const auto process = os::open_process(facts.pid);
    const auto now = os::find_process(facts.pid);
    const bool cannot_tell = (!process && process.error().code != "os.no_process") || !now;
    if (cannot_tell) {
        const Error& cause = !process ? process.error() : now.error();
        return unknown(cannot_search(cause), std::move(evidence));
    }
    // It ended in between, or another process has its number: that process gets no signal.
    if (!process || !*now || (*now)->start_ticks != facts.start_ticks) {
        os::remove_output(service.pid_file);
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
    os::remove_output(service.pid_file);
    return {Outcome::done, std::move(evidence)};
}

ActionResult stop(const Json& value, std::int64_t within_ms, const ActionContext& context) {
    const auto service = read_service(value);
    const auto lock = service ? lock_pid_file(*service) : tl::unexpected(service.error());
    if (!lock) {
        return failed(lock.error());
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

ServiceState query(const Json& value, std::int64_t) {
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

const ServiceType k_process_service = {"process", "argv", start, stop, query};

}  // namespace drydock::agent
