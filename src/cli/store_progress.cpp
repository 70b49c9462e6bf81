// Shows the progress of long work on a store: a line for people, and a file for the agent.
//
// Each has its own rate. The line is redrawn five times a second on a terminal and printed every
// half minute elsewhere. The file is replaced by rename, so the agent never reads half of it.
#include "cli/store_progress.h"

#include "base/json.h"
#include "base/text.h"
#include "cli/render.h"
#include "cli/say.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ostream>

namespace drydock::cli {

namespace {

constexpr std::int64_t k_redraw_ms = 200;
constexpr std::int64_t k_file_ms = 500;  // the agent reads it twice a second
constexpr std::int64_t k_line_ms = 30'000;
constexpr std::int64_t k_estimate_ms = 3'000;  // earlier ones mislead

std::string amount(std::int64_t value, const std::string& unit) {
    return unit == "bytes" ? show_bytes(value) : say("{} {}", value, unit);
}

}  // namespace

// Estimates the rest from the mean rate. Work without a known size counts as complete.
std::string store_progress_words(const std::string& verb,
                                 const app::StoreProgress& progress,
                                 std::int64_t elapsed_ms) {
    const double part = progress.total <= 0 ? 1.0
                                            : static_cast<double>(progress.amount)
                                                  / static_cast<double>(progress.total);
    std::string words = say("{}  {:.0f} %  {} of {}",
                            verb,
                            part * 100,
                            amount(progress.amount, progress.unit),
                            amount(progress.total, progress.unit));
    if (progress.findings > 0) {
        words += "  " + counted(static_cast<std::size_t>(progress.findings), "finding");
    }
    if (elapsed_ms >= k_estimate_ms && part > 0 && part < 1) {
        const double left_ms = static_cast<double>(elapsed_ms) * (1 - part) / part;
        words += "  " + about(static_cast<std::int64_t>(left_ms)) + " left";
    }
    return words;
}

// On a terminal the line before is erased; elsewhere each line stays.
void StoreProgressLine::show(const app::StoreProgress& progress) {
    const std::int64_t now = clock_.monotonic_ms();
    if (now - told_ms_ < (is_live_ ? k_redraw_ms : k_line_ms)) {
        return;
    }
    clear();
    told_ms_ = now;
    stream_ << store_progress_words(verb_, progress, now - begun_ms_) << '\n' << std::flush;
    is_drawn_ = is_live_;
}

// The rate is the mean since the start.
std::string progress_json(const app::StoreProgress& progress, std::int64_t elapsed_ms) {
    Json json;
    json.set("done", progress.amount).set("of", progress.total).set("unit", progress.unit);
    if (elapsed_ms > 0) {
        json.set("rate",
                 static_cast<double>(progress.amount) * 1000 / static_cast<double>(elapsed_ms));
    }
    return json.dump();
}

std::string progress_path() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* path = std::getenv("DRYDOCK_PROGRESS");
    return path == nullptr ? "" : path;
}

// A failed write is ignored: the work itself must not fail because of its progress.
void StoreProgressFile::write(const app::StoreProgress& progress) {
    const std::int64_t now = clock_.monotonic_ms();
    if (path_.empty() || (written_ms_ != 0 && now - written_ms_ < k_file_ms)) {
        return;
    }
    written_ms_ = now;
    const std::string part = path_ + ".part";
    {
        std::ofstream file(part, std::ios::trunc);
        file << progress_json(progress, now - begun_ms_);
    }
    (void)std::rename(part.c_str(), path_.c_str());
}

void StoreProgressLine::clear() {
    if (is_drawn_) {
        stream_ << escape("1A") << escape("J") << std::flush;
    }
    is_drawn_ = false;
}

}  // namespace drydock::cli
