// The process that runs one action, and outlives whoever asked for it.
//
// It holds the lock of the action's folder (descriptor 3) from before its start to its end. Its
// request comes whole, with the secrets, in the memory file on standard input: no disk sees them.
// The result is the last thing it writes; a folder with neither lock nor result is torn.
#include "agent/action.h"
#include "agent/crash.h"
#include "agent/key.h"
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

volatile std::sig_atomic_t cancelled = 0;

// What the action prints, without secrets, up to a limit.
class OutputFile {
public:
    OutputFile(const std::string& path, const Json& secrets)
        : file_(os::open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0600).value_or(os::Fd()))
        , redactor_(secrets) {}

    void feed(std::string_view bytes) { write(redactor_.feed(bytes)); }

    void finish() { write(redactor_.finish()); }

private:
    void write(std::string_view text) {
        text = text.substr(0, k_output_bytes_max - size_);
        size_ += text.size();
        (void)os::write_all(file_.get(), text);  // a full disk must not change the outcome
    }

    os::Fd file_;
    Redactor redactor_;
    std::size_t size_ = 0;
};

// Who holds the lock, for cancel(): "PID START".
void sign_lock() {
    const auto self = os::read_process(::getpid());
    const std::string line = fmt::format("{} {}\n", ::getpid(), self ? self->start_ticks : 0);
    (void)!::ftruncate(k_lock_descriptor, 0);
    (void)!::pwrite(k_lock_descriptor, line.data(), line.size(), 0);
}

void listen_for_cancel() {
    struct sigaction action = {};
    action.sa_handler = [](int) { cancelled = 1; };
    ::sigaction(SIGTERM, &action, nullptr);
}

ActionResult perform(const Json& order, const std::string& folder) {
    auto request = fill_secrets(order["request"], order["secrets"]);
    if (!request) {
        return failed(request.error());
    }
    OutputFile output(folder + "/output", order["secrets"]);
    const ActionContext context = {folder,
                                   [&output](std::string_view bytes) { output.feed(bytes); },
                                   [] { return cancelled != 0; }};
    auto result = run_typed(*request, context);
    output.finish();
    return result;
}

// Only what came from outside is redacted: a secret such as "done" must not change the outcome.
Json to_json(const ActionResult& result, const Redactor& redactor) {
    Json value;
    value.set("outcome", name(result.outcome));
    value.set("evidence", redactor.redact(result.evidence));
    if (result.error) {
        Error error = *result.error;
        error.message = redactor.redact(std::string_view(error.message));
        value.set("error", agent::to_json(error));
    }
    return value;
}

}  // namespace

int run_action(const std::string& action_folder) {
    listen_for_cancel();
    std::signal(SIGPIPE, SIG_IGN);
    ::fcntl(k_lock_descriptor, F_SETFD, FD_CLOEXEC);
    sign_lock();
    const auto text = os::read_file("/proc/self/fd/0", k_request_bytes_max);
    const auto order = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (!order) {
        return 1;  // leaves the folder torn, which is the truth
    }
    os::RealClock clock;
    const auto started_ms = clock.wall_ms();
    crash_here("before_effect");
    const auto result = perform(*order, action_folder);
    crash_here("after_effect");
    Json value = to_json(result, Redactor((*order)["secrets"]));
    value.set("started_ms", started_ms);
    value.set("ended_ms", clock.wall_ms());
    crash_here("before_result");
    return os::write_file_durable(action_folder + "/result.json", value.dump()) ? 0 : 1;
}

}  // namespace drydock::agent
