#include "agent/digest.h"

#include "base/hash.h"
#include "os/files.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <tuple>

namespace drydock::agent {
namespace {

constexpr std::size_t k_cached_max = 1024;  // files; a host has a few releases

using Identity = std::tuple<dev_t, ino_t, off_t, time_t, long, time_t, long>;

struct Cache {
    std::mutex mutex;
    std::map<Identity, std::string> digests;
};

Cache& cache() {
    static Cache one;
    return one;
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

// Opening or reading a pipe or a device could take for ever.
Result<os::Fd> open_plain(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(os::Fd file, os::open_file(path, O_RDONLY | O_NONBLOCK));
    struct stat facts = {};
    if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return fail("agent.no_file", path + " is no plain file");
    }
    return file;
}

}  // namespace

Result<std::string> digest_file(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, open_plain(path));
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::vector<char> chunk(1U << 18U);
    ssize_t size = 0;
    while ((size = ::read(file.get(), chunk.data(), chunk.size())) > 0) {
        EVP_DigestUpdate(context.get(), chunk.data(), static_cast<std::size_t>(size));
    }
    if (size < 0) {
        return fail_errno("os.read", "reading " + path, errno);
    }
    Digest digest = {};
    EVP_DigestFinal_ex(context.get(), digest.data(), nullptr);
    return to_hex(digest);
}

Result<std::string> digest_file_cached(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Identity before, identify(path));
    {
        const std::lock_guard lock(cache().mutex);
        const auto hit = cache().digests.find(before);
        if (hit != cache().digests.end()) {
            return hit->second;
        }
    }
    DRYDOCK_TRY_ASSIGN(std::string digest, digest_file(path));
    DRYDOCK_TRY_ASSIGN(const Identity after, identify(path));
    const std::lock_guard lock(cache().mutex);
    if (before == after && cache().digests.size() < k_cached_max) {
        cache().digests[after] = digest;
    }
    return digest;
}

}  // namespace drydock::agent
