#include "cli/progress_file.h"

#include "base/json.h"
#include "os/files.h"

#include <cstdio>
#include <cstdlib>

namespace drydock::cli {

namespace {

constexpr std::int64_t k_every_ms = 1'000;

std::string progress_path() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* path = std::getenv("DRYDOCK_PROGRESS");
    return path == nullptr ? "" : path;
}

}  // namespace

ProgressFile::ProgressFile(os::Clock& clock)
    : clock_(clock)
    , path_(progress_path())
    , begun_ms_(clock.monotonic_ms())
    , told_ms_(begun_ms_ - k_every_ms) {
}

void ProgressFile::show(std::int64_t done, std::int64_t all, const std::string& unit) {
    const std::int64_t now = clock_.monotonic_ms();
    if (path_.empty() || now - told_ms_ < k_every_ms) {
        return;
    }
    told_ms_ = now;
    Json json;
    json.set("done", done).set("of", all).set("unit", unit);
    if (now > begun_ms_) {
        json.set("rate", static_cast<double>(done) * 1000 / static_cast<double>(now - begun_ms_));
    }
    (void)os::write_file_durable(path_, json.dump());
}

}  // namespace drydock::cli
