#include "agent/local_host.h"

#include "agent/crash.h"
#include "agent/key.h"
#include "base/text.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <filesystem>

namespace drydock::agent {
namespace {

constexpr std::size_t k_result_bytes_max = 8U << 20U;
constexpr std::int64_t k_enter_within_ms = 10'000;  // others hold it for some disk writes
constexpr std::int64_t k_lock_within_ms = 1'000;    // others hold it for the blink of a look
constexpr std::size_t k_progress_tail_bytes = 300;
constexpr std::string_view k_version = DRYDOCK_VERSION;

// A file in memory with these bytes, at its start. No disk ever sees them.
Result<os::Fd> memory_file(std::string_view bytes) {
    os::Fd file(::memfd_create("drydock-order", MFD_CLOEXEC));
    if (!file) {
        return fail_errno("os.memfd_create", "making a file in memory", errno);
    }
    DRYDOCK_TRY(os::write_all(file.get(), bytes));
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

bool exists(const std::string& path) {
    struct stat facts = {};
    return ::lstat(path.c_str(), &facts) == 0;
}

std::optional<Json> read_result(const std::string& folder) {
    const auto text = os::read_file(folder + "/result.json", k_result_bytes_max);
    auto value = text ? Json::parse(*text) : tl::unexpected(text.error());
    return value ? std::optional(std::move(*value)) : std::nullopt;
}

bool holds_lock(const std::string& folder) {
    return os::is_locked(folder + "/lock").value_or(false);
}

// What is there to see of a running action: how much it printed, and its last words.
Json progress_of(const std::string& folder) {
    struct stat facts = {};
    std::array<char, k_progress_tail_bytes> tail = {};
    const auto file = os::open_file(folder + "/output", O_RDONLY).value_or(os::Fd());
    ssize_t size = 0;
    if (::fstat(file.get(), &facts) == 0) {
        const auto start = std::max<off_t>(facts.st_size - off_t{k_progress_tail_bytes}, 0);
        size = std::max<ssize_t>(::pread(file.get(), tail.data(), tail.size(), start), 0);
    }
    Json progress;
    progress.set("output_bytes", std::int64_t{facts.st_size});
    return progress.set("output_tail", to_utf8({tail.data(), static_cast<std::size_t>(size)}));
}

// Nothing once it is certain that there is neither a result nor a lock.
std::optional<ActionState> look_once(const std::string& folder) {
    if (auto result = read_result(folder)) {
        return ActionState{ActionPhase::ended, std::move(*result)};
    }
    return holds_lock(folder) ? std::optional(ActionState{ActionPhase::running, {}}) : std::nullopt;
}

void watch(const os::Fd& epoll, int descriptor) {
    epoll_event event = {};
    event.events = EPOLLIN;
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, descriptor, &event);
}

Json failed_to_start(const Error& error) {
    Json result;
    result.set("outcome", "failed");
    result.set("evidence", Json(Json::Object{}));
    result.set("error", to_json(error));
    const auto now_ms = os::RealClock().wall_ms();
    result.set("started_ms", now_ms);
    return result.set("ended_ms", now_ms);
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
         at.increment(error)) {
        names.push_back(at->path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

Result<std::unique_ptr<LocalHost>> LocalHost::open(std::string state_folder, std::string program) {
    DRYDOCK_TRY(os::ensure_private_folder(state_folder));
    os::Fd wake(::epoll_create1(EPOLL_CLOEXEC));
    os::Fd probed(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!wake || !probed) {
        return fail_errno("os.epoll", "making a wake-up", errno);
    }
    watch(wake, probed.get());
    return std::unique_ptr<LocalHost>(new LocalHost(
        std::move(state_folder), std::move(program), std::move(wake), std::move(probed)));
}

LocalHost::LocalHost(std::string state_folder, std::string program, os::Fd wake, os::Fd probed)
    : state_(std::move(state_folder))
    , program_(std::move(program))
    , wake_(std::move(wake))
    , probed_(std::move(probed))
    , prober_([descriptor = probed_.get()] { ::eventfd_write(descriptor, 1); }) {
}

Json LocalHost::facts() {
    Json facts;
    std::array<char, 256> name = {};
    ::gethostname(name.data(), name.size() - 1);
    facts.set("host", to_utf8(name.data()));
    facts.set("version", k_version);
    facts.set("boot_id", os::boot_id());
    facts.set("wall_ms", os::RealClock().wall_ms());
    return facts.set("fence", read_fence().value_or(0));
}

std::string LocalHost::folder_of(const ActionKey& key) const {
    return state_ + "/" + key.run + "/" + folder_name(key);
}

// Whoever holds this is the only one that begins, fences or writes on this host.
Result<os::FileLock> LocalHost::enter() const {
    return os::FileLock::take_within(
        state_ + "/.fence.lock", fmt::format("agent {}", ::getpid()), k_enter_within_ms);
}

Result<std::int64_t> LocalHost::read_fence() const {
    const auto text = os::read_file(state_ + "/.fence", 64);
    if (!text) {
        return text.error().code == "os.missing" ? Result<std::int64_t>(0)
                                                 : tl::unexpected(text.error());
    }
    std::int64_t fence = 0;
    const auto read = std::from_chars(text->data(), text->data() + text->size(), fence);
    return read.ec == std::errc()
               ? Result<std::int64_t>(fence)
               : fail("agent.fence_damaged",
                      fmt::format("{}/.fence holds no number", state_),
                      "write the epoch of the conductor that should be obeyed into it");
}

Result<std::int64_t> LocalHost::fence(std::int64_t epoch) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock turn, enter());
    DRYDOCK_TRY_ASSIGN(const std::int64_t before, read_fence());
    if (epoch > before) {
        DRYDOCK_TRY(os::write_file_durable(state_ + "/.fence", std::to_string(epoch) + "\n"));
    }
    return std::max(epoch, before);
}

Result<os::FileLock> LocalHost::enter_as(std::int64_t epoch) const {
    DRYDOCK_TRY_ASSIGN(os::FileLock turn, enter());
    DRYDOCK_TRY_ASSIGN(const std::int64_t fence, read_fence());
    if (epoch < fence) {
        return fail("agent.fenced",
                    fmt::format("this host obeys epoch {} and no longer {}", fence, epoch),
                    "another conductor has taken over this run; follow it with `drydock status`");
    }
    if (epoch > fence) {
        DRYDOCK_TRY(os::write_file_durable(state_ + "/.fence", std::to_string(epoch) + "\n"));
    }
    return turn;
}

Status LocalHost::begin(std::int64_t epoch,
                        const ActionKey& key,
                        const Json& request,
                        const Json& secrets) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock turn, enter_as(epoch));
    DRYDOCK_TRY(os::make_folder_durable(state_ + "/" + key.run));
    const std::string folder = folder_of(key);
    DRYDOCK_TRY_ASSIGN(const bool made, os::make_folder_durable(folder));
    if (!made) {
        return {};
    }
    Json stored = to_json(key);
    stored.set("epoch", epoch);
    stored.set("request", request);
    if (auto written = os::write_file_durable(folder + "/request.json", stored.dump()); !written) {
        ::rmdir(folder.c_str());  // nothing has begun: the key stays free
        return written;
    }
    crash_here("after_mkdir");
    auto launched = launch(folder, request, secrets);
    if (launched) {
        return {};
    }
    return os::write_file_durable(folder + "/result.json",
                                  failed_to_start(launched.error()).dump());
}

Status LocalHost::launch(const std::string& folder, const Json& request, const Json& secrets) {
    DRYDOCK_TRY_ASSIGN(
        const os::FileLock lock,
        os::FileLock::take_within(folder + "/lock", "a supervisor that starts", k_lock_within_ms));
    Json order;
    order.set("request", request);
    order.set("secrets", secrets);
    DRYDOCK_TRY_ASSIGN(os::Child supervisor, start_supervisor(folder, lock, order.dump()));
    watch(wake_, supervisor.descriptor());
    supervisors_.push_back(std::move(supervisor));
    return {};
}

Result<os::Child> LocalHost::start_supervisor(const std::string& folder,
                                              const os::FileLock& lock,
                                              const std::string& order) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd input, memory_file(order));
    os::SpawnOptions options;
    options.argv = {program_, "agent", "--run-action", folder};
    options.input = input.get();
    options.keep = {lock.descriptor()};
    return os::spawn(options);
}

ActionState LocalHost::look(const ActionKey& key) {
    const std::string folder = folder_of(key);
    if (!exists(folder)) {
        return {};
    }
    auto state = look_once(folder);
    if (!state) {
        // Another agent may be about to start it: whoever begins holds the turn.
        const auto turn = enter();
        state = turn ? look_once(folder) : ActionState{ActionPhase::running, {}};
    }
    if (state && state->phase == ActionPhase::running) {
        state->detail = progress_of(folder);
    }
    return state.value_or(ActionState{ActionPhase::torn, {}});
}

Status LocalHost::cancel(std::int64_t epoch, const ActionKey& key) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock turn, enter_as(epoch));
    const std::string folder = folder_of(key);
    if (!holds_lock(folder)) {
        return {};
    }
    const auto words = split(trim(os::read_file(folder + "/lock", 256).value_or("")), ' ');
    const pid_t pid = std::atoi(words.front().c_str());
    const auto process = os::read_process(pid);
    if (words.size() != 2 || !process || words[1] != std::to_string(process->start_ticks)) {
        return fail("agent.cancel_later",
                    fmt::format("{} is only just starting or ending", key.action),
                    "try again",
                    ErrorClass::transient);
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd supervisor, os::open_process(pid));
    return os::signal_process(supervisor, SIGTERM);
}

std::vector<ActionKey> LocalHost::running() {
    std::vector<ActionKey> keys;
    for (const auto& run : names_in(state_)) {
        for (const auto& name : names_in(state_ + "/" + run)) {
            const auto key = key_of(run, name);
            if (key && holds_lock(state_ + "/" + run + "/" + name)) {
                keys.push_back(*key);
            }
        }
    }
    return keys;
}

std::unique_ptr<ProbeRun> LocalHost::probe(const Json& probes) {
    return prober_.start(probes);
}

void LocalHost::on_wake() {
    eventfd_t count = 0;
    ::eventfd_read(probed_.get(), &count);
    // Reaped children leave, and their descriptors with them.
    std::erase_if(supervisors_, [](os::Child& child) { return child.wait(0).has_value(); });
}

}  // namespace drydock::agent
