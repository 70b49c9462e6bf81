// Segments: the lines of the manifest as they come, a file for each thread, and the times that
// entries get behind them.
//
// A file of a copy is complete once it has its time of modification. Its line is written before
// that, so whatever counts as complete has its line, even if the process dies. Both are done for
// some dozens of entries at once. Each thread has its own number; the rest is thread-safe.
#pragma once

#include "base/result.h"
#include "mover/tree/entry.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::tree {

// An entry that has all but its times and flags.
struct Finished {
    FolderRef folder;  // keeps the folder open
    std::string name;
    os::Fd file;  // empty: what cannot be opened, such as a link, is reached by its name
    Entry entry;
    std::uint32_t flags = 0;
};

// What is done for the disk before a file gets its times.
enum class Durability : std::uint8_t {
    none,
    begun,  // its bytes are on their way, so a later sync of the whole waits for less
    synced
};

class Segments {
public:
    // Called for each entry whose times or flags the target refused.
    using Refused =
        std::function<void(const Finished& entry, const std::vector<Refusal>& refusals)>;

    // Takes lines instead of files.
    using Sink = std::function<Status(std::size_t thread, std::string_view lines)>;

    // Makes files named by the start of the copy in `folder`, one for each of `threads` threads,
    // unless there is a sink.
    Segments(std::string folder,
             std::int64_t start,
             std::size_t threads,
             Refused refused,
             Sink sink = {},
             Durability durability = Durability::none);

    // Adds a line; writes it out sooner or later.
    [[nodiscard]] Status add_line(std::size_t thread, std::string_view line);
    // Adds the line of a file, which then gets its times.
    [[nodiscard]] Status add(std::size_t thread, std::string_view line, Finished finished);
    // Writes out what the thread has added so far.
    [[nodiscard]] Status flush(std::size_t thread);
    // Brings all that was written out to the disk.
    [[nodiscard]] Status sync();

    // The files of all starts in the folder, the oldest first.
    [[nodiscard]] static std::vector<std::string> files_in(const std::string& folder);

private:
    struct Segment {
        os::Fd file;
        std::string lines;
        std::vector<Finished> finished;
    };

    [[nodiscard]] Status open(Segment& segment, std::size_t thread);
    [[nodiscard]] Status write(Segment& segment, std::size_t thread);
    [[nodiscard]] Status bring_to_disk(const Finished& finished) const;
    [[nodiscard]] Status finish_files(Segment& segment);

    std::string folder_;
    std::int64_t start_;
    std::vector<Segment> segments_;
    Refused refused_;
    Sink sink_;
    Durability durability_;
    std::atomic<bool> holds_nanoseconds_ = false;  // the target was seen to
    std::mutex opened_mutex_;
    std::vector<int> opened_;
    std::vector<std::string> earlier_;  // files of earlier starts, which were not synced yet
};

}  // namespace drydock::mover::tree
