// What a processor can do at most when it encrypts blocks of backy2: `store_limit_bench FOLDER
// BLOCKS THREADS` reads that many plain blobs below FOLDER, and prints one line of JSON.
//
// Each thread takes SHA-512 of a block, compresses it with zstd at level 1, and encrypts it with
// AES-256-GCM, all by the plain calls of the libraries and in memory: no file, no row, no journal,
// and nothing is read back. Megabytes a second, by the clock and by processor time.
#include "bench/must.h"
#include "os/files.h"

#include <openssl/evp.h>
#include <zstd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

using drydock::bench::must;
namespace fs = std::filesystem;

constexpr std::size_t k_block_max = std::size_t{64} << 20;  // bytes
constexpr double k_least_s = 2.0;                           // of processor time
constexpr std::size_t k_room = 64;                          // tag, nonce, and the last block of AES

std::vector<std::string> blocks_below(const std::string& folder, std::size_t count) {
    std::vector<std::string> blocks;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file() && blocks.size() < count) {
            blocks.push_back(must(drydock::os::read_file(entry.path().string(), k_block_max)));
        }
    }
    return blocks;
}

class Worker {
public:
    // True if the libraries did it.
    bool work(const std::string& block) {
        room_.resize(ZSTD_compressBound(block.size()) + k_room);
        const std::size_t size = ZSTD_compressCCtx(
            zstd_.get(), room_.data(), room_.size(), block.data(), block.size(), 1);
        return ZSTD_isError(size) == 0 && hash(block) && encrypt(size);
    }

private:
    bool hash(const std::string& block) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
        unsigned int size = 0;
        return EVP_DigestInit_ex2(hash_.get(), EVP_sha512(), nullptr) == 1
               && EVP_DigestUpdate(hash_.get(), block.data(), block.size()) == 1
               && EVP_DigestFinal_ex(hash_.get(), digest.data(), &size) == 1;
    }

    bool encrypt(std::size_t size) {
        const std::array<unsigned char, 32> key{};
        const std::array<unsigned char, 16> nonce{};
        auto* bytes = reinterpret_cast<unsigned char*>(room_.data());
        EVP_CIPHER_CTX* raw = aes_.get();
        int done = 0;
        return EVP_EncryptInit_ex2(raw, EVP_aes_256_gcm(), key.data(), nonce.data(), nullptr) == 1
               && EVP_EncryptUpdate(raw, bytes, &done, bytes, static_cast<int>(size)) == 1
               && EVP_EncryptFinal_ex(raw, bytes + done, &done) == 1;
    }

    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> zstd_{ZSTD_createCCtx(), &ZSTD_freeCCtx};
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> hash_{EVP_MD_CTX_new(),
                                                                  &EVP_MD_CTX_free};
    std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> aes_{EVP_CIPHER_CTX_new(),
                                                                         &EVP_CIPHER_CTX_free};
    std::vector<char> room_;
};

double clock_s() {
    using Clock = std::chrono::steady_clock;
    return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

double processor_s() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Blocks that were done; 0 if a library failed.
std::size_t work_on(const std::vector<std::string>& blocks, std::size_t threads, double end_s) {
    std::atomic<std::size_t> next = 0;
    std::atomic<bool> has_failed = false;
    std::vector<std::jthread> workers;
    workers.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        workers.emplace_back([&] {
            Worker worker;
            while (!has_failed && (next < blocks.size() || processor_s() < end_s)) {
                has_failed = !worker.work(blocks[next++ % blocks.size()]) || has_failed;
            }
        });
    }
    workers.clear();  // joins
    return has_failed ? 0 : next.load();
}

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        std::fprintf(stderr, "store_limit_bench FOLDER BLOCKS THREADS\n");
        return 2;
    }
    const auto blocks = blocks_below(words[1], std::strtoul(words[2], nullptr, 10));
    if (blocks.empty()) {
        std::fprintf(stderr, "no blobs below %s\n", words[1]);
        return 1;
    }
    const double clock = clock_s();
    const double processor = processor_s();
    const std::size_t done =
        work_on(blocks, std::strtoul(words[3], nullptr, 10), processor + k_least_s);
    const double megabytes = static_cast<double>(done * blocks.front().size()) / 1e6;
    std::printf("{\"mb_s\": %.1f, \"mb_per_cpu_s\": %.1f}\n",
                megabytes / (clock_s() - clock),
                megabytes / (processor_s() - processor));
    return done > 0 ? 0 : 1;
}
