#include "mover/tree/segments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr std::size_t k_lines_bytes = std::size_t{32} << 10;
constexpr std::size_t k_finished_max = 32;  // open files of a thread

}  // namespace

Segments::Segments(std::string folder,
                   std::int64_t start,
                   std::size_t threads,
                   Refused refused,
                   Sink sink,
                   Durability durability)
    : folder_(std::move(folder))
    , start_(start)
    , segments_(threads)
    , refused_(std::move(refused))
    , sink_(std::move(sink))
    , durability_(durability)
    , earlier_(files_in(folder_)) {
}

Status Segments::open(Segment& segment, std::size_t thread) {
    const std::string path = fmt::format("{}/segment-{:06}-{:05}", folder_, start_, thread);
    DRYDOCK_TRY_ASSIGN(segment.file, os::open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
    const std::lock_guard lock(opened_mutex_);
    opened_.push_back(segment.file.get());
    return {};
}

Status Segments::add_line(std::size_t thread, std::string_view line) {
    Segment& segment = segments_.at(thread);
    segment.lines += line;
    segment.lines += '\n';
    return segment.lines.size() < k_lines_bytes ? Status() : flush(thread);
}

Status Segments::add(std::size_t thread, std::string_view line, Finished finished) {
    segments_.at(thread).finished.push_back(std::move(finished));
    DRYDOCK_TRY(add_line(thread, line));
    return segments_.at(thread).finished.size() < k_finished_max ? Status() : flush(thread);
}

Status Segments::flush(std::size_t thread) {
    Segment& segment = segments_.at(thread);
    if (!segment.lines.empty()) {
        DRYDOCK_TRY(sink_ ? sink_(thread, segment.lines) : write(segment, thread));
        segment.lines.clear();
    }
    return finish_files(segment);
}

Status Segments::write(Segment& segment, std::size_t thread) {
    if (!segment.file) {
        DRYDOCK_TRY(open(segment, thread));
    }
    return os::write_all(segment.file.get(), segment.lines);
}

Status Segments::bring_to_disk(const Finished& finished) const {
    if (durability_ == Durability::begun) {  // what fails is told by the sync of the whole
        static_cast<void>(::sync_file_range(finished.file.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
    }
    return durability_ != Durability::synced || ::fsync(finished.file.get()) == 0
               ? Status()
               : fail_errno("tree.sync", "sync " + finished.name, errno);
}

Status Segments::finish_files(Segment& segment) {
    for (Finished& finished : segment.finished) {
        DRYDOCK_TRY(finished.file ? bring_to_disk(finished) : Status());
        const auto refusals =
            finished.file
                ? set_times(finished.file.get(), finished.entry, finished.flags, holds_nanoseconds_)
                : set_times(finished.folder->staged.get(), finished.name, finished.entry);
        if (!refusals.empty()) {
            refused_(finished, refusals);
        } else if (finished.file && needs_nanoseconds(finished.entry.modified)) {
            holds_nanoseconds_ = true;
        }
    }
    segment.finished.clear();
    return {};
}

Status Segments::sync() {
    const std::lock_guard lock(opened_mutex_);
    for (const std::string& path : std::exchange(earlier_, {})) {
        DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_file(path, O_RDONLY));
        if (::fdatasync(file.get()) != 0) {
            return fail_errno("tree.journal", "sync the lines of the copy", errno);
        }
    }
    for (const int file : opened_) {
        if (::fdatasync(file) != 0) {
            return fail_errno("tree.journal", "sync the lines of the copy", errno);
        }
    }
    return {};
}

std::vector<std::string> Segments::files_in(const std::string& folder) {
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().filename().string().starts_with("segment-")) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace drydock::mover::tree
