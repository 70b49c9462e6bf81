// Shows the progress of long work on a store: a line for people, and a file for the agent.
//
// Each has its own rate. The line is redrawn five times a second on a terminal and printed every
// half minute elsewhere. The file is replaced by rename, so the agent never reads half of it.
#include "cli/store_progress.h"

#include "base/json.h"
#include "cli/render.h"
#include "cli/say.h"
#include "run/progress.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ostream>

namespace drydock::cli {

namespace {

constexpr std::int64_t k_redraw_ms = 200;
constexpr std::int64_t k_file_ms = 500;  // the agent reads it twice a second
constexpr std::int64_t k_line_ms = 30'000;

}  // namespace

// The words are those of a step of a run, so that both look the same.
std::string store_progress_words(const std::string& verb,
                                 const app::StoreProgress& progress,
                                 std::optional<double> rate) {
    std::string words = verb + "  " + run::progress_text(progress_json(progress, rate));
    if (progress.findings > 0) {
        words += ", " + counted(static_cast<std::size_t>(progress.findings), "finding");
    }
    return words;
}

// On a terminal the line before is erased; elsewhere each line stays.
void StoreProgressLine::show(const app::StoreProgress& progress) {
    const std::int64_t now = clock_.monotonic_ms();
    meter_.add(now, static_cast<double>(progress.amount));
    if (now - told_ms_ < (is_live_ ? k_redraw_ms : k_line_ms)) {
        return;
    }
    clear();
    told_ms_ = now;
    stream_ << store_progress_words(verb_, progress, meter_.rate()) << '\n' << std::flush;
    is_drawn_ = is_live_;
}

// A total that nobody knows is left out: a wrong one would give a wrong rest.
Json progress_json(const app::StoreProgress& progress, std::optional<double> rate) {
    Json json;
    json.set("done", progress.amount).set("unit", progress.unit);
    if (progress.total != app::k_unknown_total) {
        json.set("of", progress.total);
    }
    if (progress.bytes > 0) {
        json.set("bytes", progress.bytes);
    }
    if (rate) {
        json.set("rate", *rate);
    }
    return json;
}

std::string progress_path() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* path = std::getenv("DRYDOCK_PROGRESS");
    return path == nullptr ? "" : path;
}

// A failed write is ignored: the work itself must not fail because of its progress.
void StoreProgressFile::write(const app::StoreProgress& progress) {
    const std::int64_t now = clock_.monotonic_ms();
    meter_.add(now, static_cast<double>(progress.amount));
    if (path_.empty() || (written_ms_ != 0 && now - written_ms_ < k_file_ms)) {
        return;
    }
    written_ms_ = now;
    const std::string part = path_ + ".part";
    {
        std::ofstream file(part, std::ios::trunc);
        file << progress_json(progress, meter_.rate()).dump();
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
