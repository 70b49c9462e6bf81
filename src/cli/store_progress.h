// The progress of long work on a store: a line that is redrawn on a terminal, a line every half
// minute elsewhere, and the progress file of an action. Not thread-safe.
#pragma once

#include "app/block_store.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace drydock::cli {

class StoreProgressLine {
public:
    // `is_live`: `out` is a terminal.
    StoreProgressLine(std::ostream& stream, os::Clock& clock, bool is_live, std::string verb)
        : stream_(stream)
        , clock_(clock)
        , is_live_(is_live)
        , verb_(std::move(verb))
        , begun_ms_(clock.monotonic_ms())
        , told_ms_(begun_ms_) {}

    void show(const app::StoreProgress& progress);
    // Erases the line from a terminal.
    void clear();

private:
    std::ostream& stream_;
    os::Clock& clock_;
    bool is_live_;
    std::string verb_;  // "verify"
    std::int64_t begun_ms_;
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
    StoreProgressFile(std::string path, os::Clock& clock)
        : path_(std::move(path))
        , clock_(clock)
        , begun_ms_(clock.monotonic_ms()) {}

    void write(const app::StoreProgress& progress);

private:
    std::string path_;
    os::Clock& clock_;
    std::int64_t begun_ms_;
    std::int64_t written_ms_ = 0;
};

// Returns the content of that file: done, of, rate in units a second, unit.
[[nodiscard]] std::string progress_json(const app::StoreProgress& progress,
                                        std::int64_t elapsed_ms);

// "verify  41 %  1234 of 3000 rows  2 findings  12 s left".
[[nodiscard]] std::string store_progress_words(const std::string& verb,
                                               const app::StoreProgress& progress,
                                               std::int64_t elapsed_ms);

}  // namespace drydock::cli
