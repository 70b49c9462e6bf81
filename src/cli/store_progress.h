// The progress of long work on a store or a bucket: a line that is redrawn on a terminal, a line
// every half minute elsewhere, and the progress file of an action. Not thread-safe.
#pragma once

#include "app/block_store.h"
#include "base/json.h"
#include "base/rate_meter.h"
#include "cli/execute.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>

namespace drydock::cli {

// Rates are those of the last minute.
inline constexpr std::int64_t k_rate_window_ms = 60'000;

class StoreProgressLine {
public:
    // `is_live`: `stream` is a terminal.
    StoreProgressLine(std::ostream& stream, os::Clock& clock, bool is_live, std::string verb)
        : stream_(stream)
        , clock_(clock)
        , is_live_(is_live)
        , verb_(std::move(verb))
        , told_ms_(clock.monotonic_ms()) {}

    void show(const app::StoreProgress& progress);
    // Erases the line from a terminal.
    void clear();

private:
    std::ostream& stream_;
    os::Clock& clock_;
    bool is_live_;
    std::string verb_;  // "verify"
    RateMeter meter_ = RateMeter(k_rate_window_ms);
    std::int64_t told_ms_;
    bool is_drawn_ = false;
};

// Returns the value of DRYDOCK_PROGRESS; empty if this process is no action of a run.
[[nodiscard]] std::string progress_path();

// The file that an agent names to its commands in DRYDOCK_PROGRESS. It is replaced by rename, at
// most twice a second. A failed write is ignored, because progress is no result.
class StoreProgressFile {
public:
    // An empty `path` writes nothing.
    StoreProgressFile(std::string path, os::Clock& clock) : path_(std::move(path)), clock_(clock) {}

    void write(const app::StoreProgress& progress);

private:
    std::string path_;
    os::Clock& clock_;
    RateMeter meter_ = RateMeter(k_rate_window_ms);
    std::int64_t written_ms_ = 0;
};

// Returns the content of that file (docs/formats/progress.md): done, of, bytes, rate in units a
// second, unit.
[[nodiscard]] Json progress_json(const app::StoreProgress& progress, std::optional<double> rate);

// "verify  1234 of 3000 rows (41 %), 150 rows/s, about 12 s left, 2 findings".
[[nodiscard]] std::string store_progress_words(const std::string& verb,
                                               const app::StoreProgress& progress,
                                               std::optional<double> rate);

// The progress of a walk through folders or buckets: on the terminal, and in the file of an action.
class WalkProgressView {
public:
    // `is_silent`: stdout belongs to the answer, so the line goes to stderr.
    WalkProgressView(Console& console, bool is_silent, const char* verb)
        : is_live_(console.terminal && !is_silent)
        , line_(is_live_ ? console.output : console.errors, console.clock, is_live_, verb)
        , file_(progress_path(), console.clock) {}

    void show(const app::StoreProgress& progress) {
        line_.show(progress);
        file_.write(progress);
    }

    void clear() { line_.clear(); }

private:
    bool is_live_;
    StoreProgressLine line_;
    StoreProgressFile file_;
};

}  // namespace drydock::cli
