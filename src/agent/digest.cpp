// Digests of files, with two caches: one of this process, and a file for later agents.
//
// A cached digest stands for an identity: device, inode, size and both times. The digest is taken
// between two looks at the identity and kept only if both are equal. The file keeps a digest only
// if the file's times have settled: within one tick of the clock, content may change under the
// same times.
//
// The mutex guards the cache and not the reading, which may take minutes.
#include "agent/digest.h"

#include "base/hash.h"
#include "base/json.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>

namespace drydock::agent {
namespace {

constexpr std::size_t k_cached_max = 1024;  // files; a host has a few releases

constexpr std::size_t k_file_bytes_max = 1U << 20U;
// A file that was written within a tick of its clock may change again and keep its times.
constexpr time_t k_settled_s = 3;

using Identity = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;

struct Cache {
    std::mutex mutex;
    std::string file;                                   // empty: no file
    std::map<std::string, std::string> stored_digests;  // by key of the identity; as in the file
    std::map<Identity, std::string> digests;
};

std::string key_of(const Identity& identity) {
    return fmt::format("{}", fmt::join(identity, ":"));
}

bool has_settled(const Identity& identity) {
    return std::get<5>(identity) + k_settled_s < ::time(nullptr);
}

Cache& cache() {
    static Cache digest_cache;
    return digest_cache;
}

Result<Identity> identify(const std::string& path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) {
        return fail_errno(errno == ENOENT ? "os.missing" : "os.stat", path, errno);
    }
    return Identity(facts.st_dev,
                    facts.st_ino,
                    facts.st_size,
                    facts.st_mtim.tv_sec,
                    facts.st_mtim.tv_nsec,
                    facts.st_ctim.tv_sec,
                    facts.st_ctim.tv_nsec);
}

}  // namespace

Result<std::string> digest_file(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_plain(path, O_RDONLY));
    auto digest = digest_open(file);
    return digest ? std::move(digest) : tl::unexpected(digest.error().with_context(path));
}

Result<std::string> digest_open(const os::Fd& file) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::vector<char> chunk(1U << 18U);
    ssize_t size = 0;
    while ((size = ::read(file.get(), chunk.data(), chunk.size())) > 0) {
        EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(size));
    }
    if (size < 0) {
        return fail_errno("os.read", "reading a file", errno);
    }
    Digest digest = {};
    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
    return to_hex(digest);
}

namespace {

// Returns a digest of this process first, then one from the file of an earlier agent.
std::optional<std::string> recall(const Identity& identity) {
    const std::lock_guard lock(cache().mutex);
    if (const auto hit = cache().digests.find(identity); hit != cache().digests.end()) {
        return hit->second;
    }
    const auto entry = cache().stored_digests.find(key_of(identity));
    return entry != cache().stored_digests.end() ? std::optional(entry->second) : std::nullopt;
}

// Writes the cache file anew, by rename. If that fails, the next agent only computes the digest
// again. Must be called under the mutex.
void keep(const Identity& identity, const std::string& digest) {
    if (cache().file.empty() || !has_settled(identity)
        || cache().stored_digests.size() >= k_cached_max) {
        return;
    }
    cache().stored_digests[key_of(identity)] = digest;
    Json document = Json::Object{};
    for (const auto& [key, value] : cache().stored_digests) {
        document.set(key, value);
    }
    const std::string part = fmt::format("{}.{}", cache().file, ::getpid());
    const auto file = os::open_file(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (!file || !os::write_all(file->get(), document.dump())
        || std::rename(part.c_str(), cache().file.c_str()) != 0) {
        ::unlink(part.c_str());
    }
}

}  // namespace

void keep_digests_in(const std::string& file) {
    const std::lock_guard lock(cache().mutex);
    cache().file = file;
    const auto text = os::read_file(file, k_file_bytes_max);
    const auto document = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (document) {
        for (const auto& [key, value] : document->members()) {
            cache().stored_digests.emplace(key, value.as_string());
        }
    }
}

Result<std::string> digest_file_cached(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Identity old_identity, identify(path));
    if (auto cached_digest = recall(old_identity)) {
        return std::move(*cached_digest);
    }
    DRYDOCK_TRY_ASSIGN(std::string digest, digest_file(path));
    DRYDOCK_TRY_ASSIGN(const Identity new_identity, identify(path));
    const std::lock_guard lock(cache().mutex);
    if (old_identity == new_identity && cache().digests.size() < k_cached_max) {
        cache().digests[new_identity] = digest;
        keep(new_identity, digest);
    }
    return digest;
}

}  // namespace drydock::agent
