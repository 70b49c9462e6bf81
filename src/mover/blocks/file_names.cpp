// Walks the two levels of folders in order, so that inspect.cpp can merge blobs with rows.
//
// The order of all uids is the order of folders, then of names, because a folder's name is the
// beginning of its blobs' uids. Lists are sorted backwards and emptied from their end.
#include "mover/blocks/file_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace drydock::mover::blocks {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view k_suffix = ".blob";

tl::unexpected<Error> refuse(const std::string& path, const std::error_code& error) {
    return fail("blocks.data",
                fmt::format("{}: {}", path, error.message()),
                "look at the disk and at permissions");
}

// Returns the entries of a directory, the first name last.
Result<std::vector<fs::directory_entry>> entries_of(const std::string& path) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    fs::directory_iterator iterator(path, error);
    while (!error && iterator != fs::directory_iterator()) {
        entries.push_back(*iterator);
        iterator.increment(error);
    }
    if (error) {
        return refuse(path, error);
    }
    std::ranges::sort(entries, [](const auto& a, const auto& b) {
        return a.path().filename().string() > b.path().filename().string();
    });
    return entries;
}

// Returns the subfolders with names of two characters, the first name last. Counts all other
// entries.
Result<std::vector<std::string>> folders_in(const std::string& path, std::int64_t& strange) {
    DRYDOCK_TRY_ASSIGN(const auto entries, entries_of(path));
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : entries) {
        const std::string name = entry.path().filename().string();
        std::error_code unreadable;
        if (name.size() == 2 && entry.is_directory(unreadable)) {
            names.push_back(name);
        } else {
            ++strange;
        }
    }
    return names;
}

std::string take_last(std::vector<std::string>& names) {
    std::string name = std::move(names.back());
    names.pop_back();
    return name;
}

}  // namespace

// Reads the blobs of one folder. A blob in a folder of other digits is strange: backy2 would not
// find it there.
Status FileNames::read_leaf(const std::string& prefix, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const auto entries, entries_of(path));
    for (const fs::directory_entry& entry : entries) {
        const std::string name = entry.path().filename().string();
        std::error_code error;
        const auto bytes = entry.file_size(error);
        if (error == std::errc::no_such_file_or_directory) {
            continue;  // removed meanwhile
        }
        if (error || !name.starts_with(prefix) || !name.ends_with(k_suffix)) {
            ++strange_;
            continue;
        }
        files_.push_back(
            {name.substr(0, name.size() - k_suffix.size()), static_cast<std::int64_t>(bytes)});
    }
    // The order of uids differs from the order of file names: without the suffix "a-" comes after
    // "a".
    std::ranges::sort(files_, std::ranges::greater(), &BlobFile::uid);
    return {};
}

// Reads the next folder of the second level, or enters the next one of the first level.
Status FileNames::open_next_folder() {
    if (!is_open_) {
        is_open_ = true;
        DRYDOCK_TRY_ASSIGN(first_, folders_in(folder_, strange_));
    }
    if (!second_.empty()) {
        const std::string name = take_last(second_);
        return read_leaf(prefix_ + name, fmt::format("{}/{}/{}", folder_, prefix_, name));
    }
    if (!first_.empty()) {
        prefix_ = take_last(first_);
        DRYDOCK_TRY_ASSIGN(second_, folders_in(fmt::format("{}/{}", folder_, prefix_), strange_));
    }
    return {};
}

Result<std::optional<BlobFile>> FileNames::next() {
    while (files_.empty()) {
        if (is_open_ && first_.empty() && second_.empty()) {
            return std::nullopt;
        }
        DRYDOCK_TRY(open_next_folder());
    }
    BlobFile file = std::move(files_.back());
    files_.pop_back();
    return file;
}

}  // namespace drydock::mover::blocks
