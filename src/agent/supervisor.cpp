// The supervisor: the process that runs one action, and outlives the agent that started it.
//
// It holds the lock of the action's folder (descriptor 3) from before its start to its end. Its
// request comes whole, with the secrets, in the memory file on standard input: no disk sees them.
// It contains all processes that it starts (containment.h). The result is its last write. A folder
// without lock, result and contained processes is interrupted.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/attempt.h"
#include "agent/containment.h"
#include "agent/crash.h"
#include "agent/secrets.h"
#include "agent/serve.h"
#include "os/clock.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

namespace drydock::agent {
namespace {

constexpr int k_lock_descriptor = 3;
constexpr std::size_t k_output_bytes_max = 1U << 20U;
constexpr std::size_t k_request_bytes_max = 16U << 20U;
constexpr std::int64_t k_killed_within_ms = 10'000;  // SIGKILL takes effect unless the disk hangs

volatile std::sig_atomic_t cancelled = 0;

// Writes the action's output without secrets, up to a limit.
class OutputFile {
public:
    OutputFile(const std::string& path, const Json& secrets)
        : file_(os::open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0600).value_or(os::Fd()))
        , redactor_(secrets) {}

    std::string feed(std::string_view bytes) { return written(redactor_.feed(bytes)); }

    std::string finish() { return written(redactor_.finish()); }

private:
    std::string written(std::string text) {
        write(text);
        return text;
    }

    void write(std::string_view text) {
        text = text.substr(0, k_output_bytes_max - size_);
        size_ += text.size();
        (void)os::write_all(file_.get(), text);  // a full disk must not change the outcome
    }

    os::Fd file_;
    Redactor redactor_;
    std::size_t size_ = 0;
};

// Writes the holder of the lock into it, for cancel(): "PID START".
void write_lock_owner() {
    const auto self = os::find_process(::getpid());
    const auto ticks = self && *self ? (*self)->start_ticks : 0;
    const std::string line = fmt::format("{} {}\n", ::getpid(), ticks);
    (void)!::ftruncate(k_lock_descriptor, 0);
    (void)!::pwrite(k_lock_descriptor, line.data(), line.size(), 0);
}

void listen_for_cancel() {
    struct sigaction action = {};
    action.sa_handler = [](int) { cancelled = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
}

ActionContext context_of(const Containment& containment, const std::string& folder) {
    ActionContext context;
    context.folder = folder;
    context.cancelled = [] { return cancelled != 0; };
    context.environment = {containment.cookie(),
                           "DRYDOCK_CURSOR=" + cursor_path(folder),
                           "DRYDOCK_PROGRESS=" + progress_path(folder)};
    context.contain = [&](pid_t pid) { containment.record_session(pid); };
    context.outer_group = containment.outer_group();
    context.release = [&](pid_t pid) { containment.release(pid); };
    context.end_contained = [&] { return containment.kill_others(k_killed_within_ms); };
    return context;
}

ActionResult perform(const Json& order, const std::string& folder) {
    auto request = fill_secrets(order["request"], order["secrets"]);
    if (!request) {
        return failed(request.error());
    }
    const auto containment = Containment::enter(folder);
    if (!containment) {
        return failed(containment.error());
    }
    const Redactor hidden(order["secrets"]);
    OutputFile output(folder + "/output", order["secrets"]);
    auto context = context_of(*containment, folder);
    context.output = [&output](std::string_view bytes) { return output.feed(bytes); };
    context.output_end = [&output] { return output.finish(); };
    context.hide = [&hidden](std::string_view text) { return hidden.redact(text); };
    auto result = run_typed(*request, context);
    (void)output.finish();
    containment->leave();
    return result;
}

// Adds the progress of a cancelled action, and whether it left a cursor to go on from.
void mark_cancelled(ActionResult& result, const std::string& folder) {
    if (::access(cursor_path(folder).c_str(), F_OK) == 0) {
        result.evidence.set("cursor", true);
    }
    Json progress = read_reported_progress(folder);
    if (!progress.members().empty()) {
        result.evidence.set("progress", std::move(progress));
    }
}

// Redacts only text from outside: a secret such as "done" must not change the outcome.
Json to_json(const ActionResult& result, const Redactor& redactor) {
    Json value;
    value.set("outcome", k_outcomes.of(result.outcome));
    value.set("evidence", redactor.redact(result.evidence));
    if (result.error) {
        Error error = *result.error;
        error.message = redactor.redact(std::string_view(error.message));
        value.set("error", agent::to_json(error));
    }
    return value;
}

// Reads the order, which holds secrets, and replaces standard input, so that no child can read it.
Result<std::string> take_order() {
    std::string text;
    std::array<char, 65536> chunk = {};
    ssize_t size = 0;
    while ((size = ::read(STDIN_FILENO, chunk.data(), chunk.size())) > 0
           && text.size() <= k_request_bytes_max) {
        text.append(chunk.data(), static_cast<std::size_t>(size));
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd nothing, os::open_file("/dev/null", O_RDONLY));
    ::dup2(nothing.get(), STDIN_FILENO);
    return size == 0 ? Result<std::string>(std::move(text))
                     : fail("agent.order", "the order cannot be read");
}

}  // namespace

int run_action(const std::string& action_folder) {
    listen_for_cancel();
    std::signal(SIGPIPE, SIG_IGN);
    ::fcntl(k_lock_descriptor, F_SETFD, FD_CLOEXEC);
    write_lock_owner();
    const auto text = take_order();
    const auto order = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (!order) {
        return 1;  // leaves the folder interrupted, which is the truth
    }
    os::RealClock clock;
    // The check comes right before the effect: the disk may have been slow until here.
    const Json& begin_by = (*order)["begin_by_ms"];
    if (begin_by.is_integer() && clock.monotonic_ms() > begin_by.as_int()) {
        return write_tombstone(action_folder, "its supervisor came too late") ? 0 : 1;
    }
    const auto started_ms = clock.wall_ms();
    crash_here("before_effect");
    auto result = perform(*order, action_folder);
    crash_here("after_effect");
    const bool cut_short = cancelled != 0 && result.outcome != Outcome::done;
    if (cut_short) {
        mark_cancelled(result, action_folder);
    }
    Json value = to_json(result, Redactor((*order)["secrets"]));
    if (cut_short) {
        value.set("cancelled", true);
    }
    value.set("started_ms", started_ms);
    value.set("ended_ms", clock.wall_ms());
    crash_here("before_result");
    return os::write_file_durable(action_folder + "/result.json", value.dump()) ? 0 : 1;
}

}  // namespace drydock::agent
