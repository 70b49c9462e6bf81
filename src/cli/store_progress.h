// How long work on a store is shown while it goes: one line that is drawn anew on a terminal, a
// line every half minute elsewhere. Not thread-safe.
#pragma once

#include "app/block_store.h"
#include "cli/screen.h"
#include "os/clock.h"

#include <iosfwd>
#include <string>

namespace drydock::cli {

class StoreProgressLine {
public:
    // `is_live`: `out` is a terminal.
    StoreProgressLine(std::ostream& out, os::Clock& clock, bool is_live, std::string verb)
        : out_(out)
        , clock_(clock)
        , is_live_(is_live)
        , verb_(std::move(verb))
        , begun_ms_(clock.monotonic_ms())
        , told_ms_(begun_ms_) {}

    void show(const app::StoreProgress& progress);
    // Takes the line off a terminal.
    void clear();

private:
    std::ostream& out_;
    os::Clock& clock_;
    bool is_live_;
    std::string verb_;  // "verify"
    std::int64_t begun_ms_;
    std::int64_t told_ms_;
    bool is_drawn_ = false;
};

// "verify  41 %  1234 of 3000 rows  2 findings  12 s left".
[[nodiscard]] std::string store_progress_words(const std::string& verb,
                                               const app::StoreProgress& progress,
                                               std::int64_t elapsed_ms);

}  // namespace drydock::cli
