// The action `command`: {argv, env, cwd, timeout_ms, stall_ms?, stop_within_ms?, exit_done: [0],
// stdout_file?, script?}.
//
// The command is done if it exits with a code of exit_done. A time-out, a cancellation or a signal
// may leave half of the work behind, so the outcome is unknown. With stop_within_ms a cancellation
// begins with SIGTERM: a command that then exits with k_exit_paused has stopped at a safe place.
//
// With stall_ms the command has no other limit. It is ended when the amounts in its progress file
// stay the same for stall_ms. With stdout_file, the output goes to a part file whose name belongs
// to this attempt. The part file is renamed only when the command is done: a reader never sees half
// of it.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/command_environment.h"
#include "base/hash.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/output_file.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace drydock::agent {
namespace {

constexpr std::string_view k_own_program = "${drydock}";
constexpr std::size_t k_tail_bytes = 4096;
constexpr std::int64_t k_timeout_ms = 60'000;       // when the request names none
constexpr std::size_t k_part_name_bytes_max = 240;  // file systems take 255
constexpr std::int64_t k_stall_look_ms = 250;       // between two reads of the progress file
// The time limit of a command that only its progress limits: 60 days.
constexpr std::int64_t k_progressing_ms_max = std::int64_t{60} * 24 * 3600 * 1000;

// Decides whether a command still makes progress, by the progress file that the command writes.
// Time runs from the last change of an amount, so a command that never writes stalls as well.
class StallWatch {
public:
    // A `stall_ms` of 0 means that the command never stalls.
    StallWatch(std::string folder, std::int64_t stall_ms)
        : folder_(std::move(folder))
        , stall_ms_(stall_ms) {}

    // True once no progress came for stall_ms; the caller asks often, and the file is read seldom.
    bool has_stalled() {
        const std::int64_t now = clock_.monotonic_ms();
        if (stall_ms_ <= 0 || now < look_ms_) {
            return stalled_;
        }
        look_ms_ = now + k_stall_look_ms;
        const Json progress = read_reported_progress(folder_);
        if (has_moved(progress, latest_)) {
            latest_ = progress;
            moved_ms_ = now;
        }
        stalled_ = stalled_ || now - moved_ms_ >= stall_ms_;
        return stalled_;
    }

private:
    os::RealClock clock_;
    std::string folder_;
    std::int64_t stall_ms_;
    Json latest_;
    std::int64_t moved_ms_ = clock_.monotonic_ms();
    std::int64_t look_ms_ = 0;
    bool stalled_ = false;
};

// Writes the script into the attempt's folder; returns its path. The digest is compared with the
// plan's, since a person approved the plan with this script.
Result<std::string> write_script(const Json& script, const std::string& folder) {
    const std::string& content = script["content"].as_string();
    if (sha256_hex(content) != script["sha256"].as_string()) {
        return fail("agent.script_digest",
                    fmt::format("the script {} is not the one that was planned",
                                script["name"].as_string()));
    }
    std::string path = folder + "/script." + os::name_of(script["name"].as_string());
    DRYDOCK_TRY(os::write_file_durable(path, content, 0700));
    return path;
}

void put_in(std::vector<std::string>& argv, std::string_view place, const std::string& value) {
    for (auto& argument : argv) {
        if (const auto position = argument.find(place); position != std::string::npos) {
            argument.replace(position, place.size(), value);
        }
    }
}

// `${drydock}` is this program, as which the agent runs: it is on the host, and of the release that
// the conductor speaks with.
Result<std::vector<std::string>> read_argv(const Json& request, const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(auto argv, read_texts(request["argv"], "argv"));
    put_in(argv, k_own_program, os::own_program());
    if (request["script"].is_object()) {
        DRYDOCK_TRY_ASSIGN(const std::string path, write_script(request["script"], folder));
        put_in(argv, "${script}", path);
    }
    return argv;
}

// Returns a file name of this attempt alone: a process that an earlier attempt left behind may
// still write to the earlier part file. A name that would be too long gets a digest instead.
std::string part_path(const Json& request, const std::string& folder) {
    const std::string& path = request["stdout_file"].as_string();
    const std::string attempt =
        os::name_of(os::folder_of(folder)) + "." + os::name_of(folder);  // <run>.<action>.<attempt>
    const bool fits = os::name_of(path).size() + attempt.size() <= k_part_name_bytes_max;
    return fmt::format("{}.{}.part", path, fits ? attempt : sha256_hex(attempt).substr(0, 16));
}

// The file that takes standard output if output is not captured. It is a part file in a folder
// that is held open, so that no symlink can lead it elsewhere.
struct Output {
    std::optional<os::OutputFolder> folder = {};
    os::Fd file = {};
};

Result<Output> open_output(const Json& request, const std::string& folder) {
    if (!request["stdout_file"].is_string()) {
        return Output();
    }
    const std::string part = part_path(request, folder);
    DRYDOCK_TRY_ASSIGN(auto output_folder, os::OutputFolder::of(part));
    DRYDOCK_TRY_ASSIGN(auto file, output_folder.open(os::name_of(part), O_WRONLY | O_TRUNC));
    return Output{std::move(output_folder), std::move(file)};
}

// Gives the part file its final name. The content is durable first: a name must never stand for
// bytes that a power cut may take.
Status keep_output(const Json& request, const std::string& folder, const Output& output) {
    const std::string& path = request["stdout_file"].as_string();
    if (!output.folder) {
        return {};
    }
    if (::fsync(output.file.get()) != 0) {
        return fail_errno("os.fsync", "keeping " + path, errno);
    }
    return output.folder->rename(os::name_of(part_path(request, folder)), os::name_of(path));
}

bool is_done(const Json& request, const os::Exit& exit) {
    const auto& codes = request["exit_done"].items();
    return exit.signal == 0
           && (codes.empty()
                   ? exit.code == 0
                   : std::find(codes.begin(), codes.end(), Json(exit.code)) != codes.end());
}

Json evidence_of(const os::RunResult& run, const std::string& tail) {
    Json evidence;
    evidence.set("exit", run.exit.code);
    evidence.set("output_tail", to_utf8(tail));
    evidence.set("duration_ms", run.duration_ms);
    return evidence;
}

// Returns the name that people know: for a script, its name in the pack.
std::string program_of(const Json& request) {
    const std::string& first = request["argv"].items().front().as_string();
    return first == "${script}"     ? request["script"]["name"].as_string()
           : first == k_own_program ? "drydock"
                                    : first;
}

// Returns the last line of output, which nearly always says why a program failed.
std::string last_line_of(const Json& evidence) {
    const auto lines = split(trim(evidence["output_tail"].as_string()), '\n');
    return lines.back().empty() ? std::string() : fmt::format(": {}", trim(lines.back()));
}

ActionResult stalled(const Json& request, const std::string& folder, Json evidence) {
    const std::string limit = show_duration(request["stall_ms"].as_int());
    evidence.set("progress", read_reported_progress(folder));
    return unknown({"command.stalled",
                    fmt::format("{} made no progress for {} and was ended: how far it came is not "
                                "known",
                                program_of(request),
                                limit),
                    "look at what it waits for, on the host"},
                   std::move(evidence));
}

// True if the command has stopped at a safe place, as it was asked to. Without the request this
// exit code is a failure like others.
bool is_paused(const os::RunResult& run) {
    return run.was_asked_to_stop && run.exit.signal == 0 && run.exit.code == k_exit_paused;
}

// Maps the end of a process to an outcome. An early end is unknown, since the command may have
// done half of its work; so is a wrong exit code behind a request to stop. Else a wrong exit code
// is the command's own word, and therefore failed.
ActionResult result_of(const Json& request, const os::RunResult& run, Json evidence) {
    const std::string program = program_of(request);
    if (run.timed_out || run.cancelled || run.exit.signal != 0) {
        const auto ending = run.timed_out   ? fmt::format("was ended after {} ms", run.duration_ms)
                            : run.cancelled ? std::string("was cancelled")
                                            : run.exit.text();
        return unknown({run.timed_out ? "command.timeout" : "command.ended_early",
                        fmt::format("{} {}: how far it came is not known", program, ending),
                        "look at what it should have done, on the host"},
                       std::move(evidence));
    }
    if (!is_done(request, run.exit)) {
        const std::string message =
            fmt::format("{} ended with {}{}", program, run.exit.text(), last_line_of(evidence));
        if (is_paused(run)) {
            return {Outcome::paused, std::move(evidence)};
        }
        if (run.was_asked_to_stop) {
            return unknown({"command.ended_early",
                            "asked to stop, " + message + ": how far it came is not known",
                            "look at what it should have done, on the host"},
                           std::move(evidence));
        }
        return failed({"command.failed", message, "`drydock log --json` has its output"},
                      std::move(evidence));
    }
    return {Outcome::done, std::move(evidence)};
}

// Keeps the output of a command that is done, and removes the part file of every other one. If the
// output cannot be kept, the action has failed.
ActionResult finish_output(ActionResult result,
                           const Json& request,
                           const std::string& folder,
                           const Output& output) {
    if (result.outcome == Outcome::done) {
        const auto status = keep_output(request, folder, output);
        return status ? result : failed(status.error(), std::move(result.evidence));
    }
    if (output.folder) {
        output.folder->remove(os::name_of(part_path(request, folder)));
    }
    return result;
}

os::SpawnOptions
spawn_options(const Json& request, const ActionContext& context, Lifetime lifetime) {
    os::SpawnOptions spawn;
    spawn.environment = command_environment(request["env"]);
    spawn.folder = request["cwd"].as_string();
    spawn.dies_with_parent = true;  // without its supervisor a command would run unseen
    spawn.before_start = lifetime == Lifetime::attempt ? context.contain : context.release;
    if (lifetime == Lifetime::service) {
        spawn.cgroup = context.outer_group;
    } else {
        spawn.environment->insert(
            spawn.environment->end(), context.environment.begin(), context.environment.end());
    }
    return spawn;
}

// Ends the processes of other sessions that a command left when it was ended early. Without this
// they would work on beside the next attempt.
void end_left_behind(const os::RunResult& run, const ActionContext& context, Json& evidence) {
    const bool early =
        run.timed_out || run.cancelled || run.exit.signal != 0 || run.was_asked_to_stop;
    if (early && context.end_contained && !context.end_contained()) {
        evidence.set("left_behind", true);
    }
}

// Appends to the tail and keeps its last bytes. The bytes hold no secret any more: redaction must
// come before the cut.
void keep_tail(std::string& tail, std::string_view bytes) {
    tail += bytes;
    tail.erase(0, tail.size() - std::min(tail.size(), k_tail_bytes));
}

}  // namespace

ActionResult run_command(const Json& request, const ActionContext& context, Lifetime lifetime) {
    auto argv = read_argv(request, context.folder);
    auto output = open_output(request, context.folder);
    if (!argv || argv->empty() || !output) {
        return failed(!argv     ? argv.error()
                      : !output ? output.error()
                                : Error{"agent.bad_request", "a command needs `argv`", {}, {}});
    }
    std::string tail;
    os::RunOptions options;
    options.spawn = spawn_options(request, context, lifetime);
    options.spawn.argv = std::move(*argv);
    options.spawn.output = output->file.get();
    const std::int64_t stall_ms = request["stall_ms"].as_int();
    StallWatch watch(context.folder, stall_ms);
    options.timeout_ms =
        stall_ms > 0 ? k_progressing_ms_max : request["timeout_ms"].as_int(k_timeout_ms);
    options.output_max = 0;
    options.stop_within_ms = request["stop_within_ms"].as_int();
    const bool may_stop = options.stop_within_ms > 0;
    options.cancelled = [&] { return watch.has_stalled() || (!may_stop && context.cancelled()); };
    if (may_stop) {
        options.is_to_stop = context.cancelled;
    }
    options.sink = [&](std::string_view bytes) { keep_tail(tail, context.output(bytes)); };
    const auto run = os::run_to_end(options);
    keep_tail(tail, context.output_end());
    if (!run) {
        return finish_output(failed(run.error()), request, context.folder, *output);
    }
    Json evidence = evidence_of(*run, tail);
    if (lifetime == Lifetime::attempt) {
        end_left_behind(*run, context, evidence);
    }
    const bool is_stall = run->cancelled && !context.cancelled();
    auto result = is_stall ? stalled(request, context.folder, std::move(evidence))
                           : result_of(request, *run, std::move(evidence));
    return finish_output(std::move(result), request, context.folder, *output);
}

ActionResult run_command_action(const Json& request, const ActionContext& context) {
    return run_command(request, context, Lifetime::attempt);
}

}  // namespace drydock::agent
