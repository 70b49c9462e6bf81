// The fences of this host: the registry of conductors that it obeys, and the lock under which it is
// read and written.
#include "agent/claim_files.h"
#include "agent/local_host.h"
#include "agent/old_runs.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <filesystem>

namespace drydock::agent {
namespace {

tl::unexpected<Error> fence_damaged(const std::string& state, const std::string& cause) {
    return fail("agent.fence_damaged",
                fmt::format("nobody knows who owns this host: {}/.fence: {}", state, cause),
                "see that nobody works on it; then the same command with --take-over");
}

// True if an action was begun here and its run is not removed yet, or if that is unknown.
bool has_begun_actions(const std::string& state) {
    std::error_code error;
    std::filesystem::recursive_directory_iterator entry(state, error);
    for (; !error && entry != std::filesystem::recursive_directory_iterator();
         entry.increment(error)) {
        if (entry.depth() == 2 && entry->path().filename() == "request.json") {
            return true;
        }
    }
    return static_cast<bool>(error);
}

}  // namespace

// Takes the lock of the state folder. Its holder is the only agent that begins, fences or writes
// on this host.
Result<os::FileLock> LocalHost::lock_state(std::int64_t within_ms) const {
    return os::FileLock::take_within(
        state_ + "/.fence.lock", fmt::format("agent {}", ::getpid()), within_ms);
}

// Returns the registry. A missing file is an error if actions were begun here: then it is unknown
// which conductor this host obeyed.
Result<FenceRegistry> LocalHost::read_fences() const {
    const auto text = os::read_file(state_ + "/.fence", k_fence_file_max);
    if (!text && text.error().code != "os.missing") {
        return tl::unexpected(text.error());
    }
    if (!text) {
        return has_begun_actions(state_)
                   ? fence_damaged(state_, "it is missing, and actions were begun here")
                   : Result<FenceRegistry>(FenceRegistry());
    }
    auto fences = FenceRegistry::parse(*text);
    return fences ? std::move(fences) : fence_damaged(state_, fences.error().message);
}

// Writes nothing if nothing changed: most commands come from a conductor that is registered.
Status LocalHost::write_fences(const FenceRegistry& old_fences,
                               const FenceRegistry& new_fences) const {
    if (old_fences == new_fences) {
        return {};
    }
    const std::string text = new_fences.text();
    if (text.size() > k_fence_file_max) {
        return fail("agent.owners_full",
                    fmt::format("the owners of this host need over {} bytes", k_fence_file_max),
                    "claim less for each cluster");
    }
    return os::write_file_durable(state_ + "/.fence", text);
}

// Registers the owner, first at its claims and then here. If this agent dies in between, the
// claims name an owner that fences again on its next try.
//
// A damaged registry is replaced only by a take-over, since a person has looked then. Cleaning up
// comes last and without the lock.
Result<std::int64_t> LocalHost::fence(Owner owner, bool take_over) {
    std::int64_t epoch = 0;
    {
        DRYDOCK_TRY_ASSIGN(const os::FileLock lock, lock_state(k_enter_within_ms));
        const auto stored_fences = read_fences();
        if (!stored_fences && !(take_over && stored_fences.error().code == "agent.fence_damaged")) {
            return tl::unexpected(stored_fences.error());
        }
        const FenceRegistry old_fences = stored_fences.value_or(FenceRegistry());
        FenceRegistry new_fences = old_fences;
        DRYDOCK_TRY_ASSIGN(epoch, new_fences.fence(owner, take_over));
        if (epoch == owner.epoch) {
            DRYDOCK_TRY(claim_paths(owner, take_over));
        }
        DRYDOCK_TRY(write_fences(old_fences, new_fences));
        mark_old_runs(state_, os::RealClock().wall_ms());
    }
    wants_fork_server_ = !fork_server_;
    ::eventfd_write(probe_event_.get(), 1);  // on_wake() starts it, after this answer
    remove_marked_runs(state_);
    prune_index(index_.keys().value_or(std::vector<ActionKey>()));
    return epoch;
}

// Reads without the lock: the file is replaced by rename, and a reader changes nothing.
Status LocalHost::check(const Commander& commander) {
    DRYDOCK_TRY_ASSIGN(const FenceRegistry fences, read_fences());
    return fences.check(commander);
}

// Takes the lock and admits the commander. While the result lives, no later conductor can fence.
Result<LocalHost::StateLock> LocalHost::lock_state_as(const Commander& commander,
                                                      const std::optional<NotedHead>& head) const {
    DRYDOCK_TRY_ASSIGN(os::FileLock lock, lock_state(k_enter_within_ms));
    DRYDOCK_TRY_ASSIGN(const FenceRegistry old_fences, read_fences());
    FenceRegistry new_fences = old_fences;
    DRYDOCK_TRY(new_fences.admit(commander, os::RealClock().wall_ms()));
    if (head) {
        new_fences.note(*head);
    }
    DRYDOCK_TRY(write_fences(old_fences, new_fences));
    return StateLock{std::move(lock), std::move(new_fences)};
}

}  // namespace drydock::agent
