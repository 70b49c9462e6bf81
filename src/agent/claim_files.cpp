// Claim files, "<path>.owner" beside each claimed path, with a lock file beside them.
//
// A claim file holds a FenceRegistry, so the rules of taking over are those of the host's own
// registry (fences.cpp). The cluster name is left out there: only the path can be in conflict.
// Paths are visited in sorted order, so two agents that claim the same paths cannot deadlock on
// the locks.
#include "agent/claim_files.h"

#include "os/output_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_lock_within_ms = 10'000;  // others hold it for some disk writes
constexpr std::size_t k_file_bytes_max = 64U << 10U;

std::string owner_file(const std::string& path) {
    return path + ".owner";
}

// True if the folder of the path is there. Without it nothing can be worked on, and no claim is
// needed.
bool has_folder(const std::string& path) {
    return ::access(os::folder_of(path).c_str(), X_OK) == 0;
}

// Returns an empty registry if the file is missing; a damaged file is an error, since its owner is
// unknown.
Result<FenceRegistry> read_registry(const std::string& path) {
    const auto text = os::read_file(owner_file(path), k_file_bytes_max);
    if (!text) {
        return text.error().code == "os.missing" ? Result<FenceRegistry>(FenceRegistry())
                                                 : tl::unexpected(text.error());
    }
    auto registry = FenceRegistry::parse(*text);
    return registry ? std::move(registry)
                    : fail("agent.fence_damaged",
                           fmt::format("{}: {}", owner_file(path), registry.error().message),
                           "see that nobody works there, then remove that file");
}

Result<os::FileLock> lock_claim(const std::string& path) {
    return os::lock_output_within(
        owner_file(path) + ".lock", fmt::format("agent {}", ::getpid()), k_lock_within_ms);
}

// Reads, fences and writes under the claim's lock. An epoch that is higher than the owner's means
// that a later conductor of the same journal was here.
Status claim_path(const std::string& path, Owner owner, bool take_over) {
    DRYDOCK_TRY_ASSIGN(const os::FileLock lock, lock_claim(path));
    DRYDOCK_TRY_ASSIGN(const FenceRegistry stored_registry, read_registry(path));
    FenceRegistry new_registry = stored_registry;
    owner.cluster.clear();  // only the path counts here
    owner.claims = {path};
    DRYDOCK_TRY_ASSIGN(const std::int64_t epoch, new_registry.fence(owner, take_over));
    if (epoch != owner.epoch) {
        return fail("agent.fenced",
                    fmt::format("{} obeys epoch {} and no longer {}", path, epoch, owner.epoch),
                    "another conductor has taken over this run; follow it with `drydock status`");
    }
    return stored_registry == new_registry
               ? Status()
               : os::write_output_durable(owner_file(path), new_registry.text());
}

}  // namespace

std::vector<std::string> claimed_paths(const std::vector<std::string>& claims) {
    std::vector<std::string> paths;
    for (const std::string& claim : claims) {
        for (const std::string_view kind : {"pid_file ", "link "}) {
            if (claim.starts_with(kind) && claim.substr(kind.size()).starts_with('/')) {
                paths.push_back(claim.substr(kind.size()));
            }
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

Status claim_paths(const Owner& owner, bool take_over) {
    for (const std::string& path : claimed_paths(owner.claims)) {
        if (has_folder(path)) {
            DRYDOCK_TRY(claim_path(path, owner, take_over));
        }
    }
    return {};
}

// Keeps every lock until the caller has begun its action: between check and effect no other agent
// can take a path over.
Result<ClaimLocks> hold_claims(const std::vector<std::string>& claims, const Commander& commander) {
    ClaimLocks locks;
    for (const std::string& path : claimed_paths(claims)) {
        if (!has_folder(path)) {
            continue;
        }
        DRYDOCK_TRY_ASSIGN(os::FileLock lock, lock_claim(path));
        DRYDOCK_TRY_ASSIGN(const FenceRegistry registry, read_registry(path));
        DRYDOCK_TRY(registry.check(commander));
        locks.push_back(std::move(lock));
    }
    return locks;
}

}  // namespace drydock::agent
