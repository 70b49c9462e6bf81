// Tar archives by libarchive, and the choice between tar and zip. unpack.cpp has the compressions.
//
// A tar has no directory, so that it must be read from front to end. All texts of interest are
// therefore kept in memory at once, within the limits of limits.h; other files are only listed.
// Links are followed inside of the archive, after all files are known. A damaged archive is an
// error and never a shorter list: a missing revision would look like a lost one.
#include "chain/limits.h"
#include "chain/package.h"
#include "chain/paths.h"
#include "chain/unpack.h"
#include "chain/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::chain {

namespace {

constexpr std::size_t k_block = 64ULL << 10;
constexpr std::size_t k_tar_end = 1024;  // bytes; the two empty blocks that end a tar

// libarchive is C: the handle is closed on every path, also when a limit ends the reading.
struct CloseArchive {
    void operator()(archive* handle) const { archive_read_free(handle); }
};

using Handle = std::unique_ptr<archive, CloseArchive>;

std::string reason_of(archive* handle) {
    const char* text = archive_error_string(handle);
    return text == nullptr ? "no reason is given" : text;
}

class Tar : public Package {
public:
    // A tar ends with two empty blocks. libarchive does not ask for them: a tar cut off between two
    // files would be a shorter list.
    Status load(const std::string& bytes) {
        const auto end = bytes.find_last_not_of('\0');
        if (end != bytes.npos && bytes.size() - end <= k_tar_end) {
            return damaged_archive("it does not end as a tar does; it may be cut off");
        }
        DRYDOCK_TRY_ASSIGN(const Handle handle, open(bytes));
        while (true) {
            archive_entry* entry = nullptr;
            const int outcome = archive_read_next_header(handle.get(), &entry);
            if (outcome == ARCHIVE_EOF) {
                break;
            }
            if (outcome != ARCHIVE_OK) {
                return damaged_archive(reason_of(handle.get()));
            }
            DRYDOCK_TRY(add(handle.get(), entry));
        }
        DRYDOCK_TRY(follow_links());
        std::sort(paths_.begin(), paths_.end());
        const auto duplicate = std::adjacent_find(paths_.begin(), paths_.end());
        return duplicate == paths_.end() ? Status() : Status(twice_in_archive(*duplicate));
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        Texts texts;
        for (const std::string& path : paths) {
            const auto text = texts_.find(path);
            if (text == texts_.end()) {
                return damaged_archive(path + " cannot be found in it");
            }
            texts.emplace(path, text->second);
        }
        return texts;
    }

private:
    // Only tar is enabled. Each further format is code that reads hostile input.
    static Result<Handle> open(const std::string& bytes) {
        Handle handle(archive_read_new());
        if (!handle) {
            return damaged_archive("no memory");
        }
        archive_read_support_format_tar(handle.get());
        if (archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
            return damaged_archive(reason_of(handle.get()));
        }
        return handle;
    }

    // Lists one entry, and keeps its text if it may be part of a chain. A device or a pipe in the
    // place of such a text is an error.
    Status add(archive* handle, archive_entry* entry) {
        const char* name = archive_entry_pathname(entry);
        if (name == nullptr) {
            return damaged_archive("a file in it has no name");
        }
        const std::string path = clean_path(name);
        if (note_link(path, entry)) {
            return {};
        }
        if (archive_entry_filetype(entry) != AE_IFREG) {
            const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;
            return is_folder || !is_text_of_interest(path)
                       ? Status()
                       : Status(damaged_archive(path + " is no file but a device or a pipe"));
        }
        paths_.push_back(path);
        if (paths_.size() > k_files_max) {
            return damaged_archive(fmt::format("it holds over {} files", k_files_max));
        }
        return is_text_of_interest(path) ? keep(handle, path) : Status();
    }

    // Notes the target of a link; returns false for other entries. A hard link has the path of its
    // target in the archive, a symlink a path from its own folder.
    bool note_link(const std::string& path, archive_entry* entry) {
        const char* hard = archive_entry_hardlink(entry);
        const char* soft = archive_entry_symlink(entry);
        if (hard != nullptr) {
            links_[path] = clean_path(hard);
        } else if (soft != nullptr) {
            links_[path] = linked_path(folder_of(path), soft);
        }
        return hard != nullptr || soft != nullptr;
    }

    // A link to a file stands for its text, one to a folder for the files in it. Links to links,
    // out of the archive or to nothing are refused where a revision may lie behind them.
    Status follow_links() {
        const std::vector<std::string> files = paths_;
        for (const auto& [path, target] : links_) {
            bool is_followed = false;
            for (const std::string& file : files) {
                const bool is_below = !target.empty() && lies_in(file, target);
                if (file == target || is_below) {
                    is_followed = true;
                    copy(file, file == target ? path : path + file.substr(target.size()));
                }
            }
            const std::string_view leaf = leaf_of(path);
            const bool may_hide = is_text_of_interest(path) || leaf == "versions"
                                  || leaf == "migrations" || leaf == "migrate";
            if (!is_followed && may_hide) {
                return damaged_archive(path + " is a link to what the archive does not hold");
            }
            if (paths_.size() > k_files_max) {
                return damaged_archive(fmt::format("it holds over {} files", k_files_max));
            }
        }
        return {};
    }

    void copy(const std::string& source, const std::string& target) {
        paths_.push_back(target);
        if (const auto text = texts_.find(source);
            text != texts_.end() && is_text_of_interest(target)) {
            texts_[target] = text->second;
        }
    }

    // The limits apply while the file is read: the size in a header of a hostile archive means
    // nothing.
    Status keep(archive* handle, const std::string& path) {
        std::string& text = texts_[path];
        text.clear();
        std::array<char, k_block> block{};
        while (true) {
            const la_ssize_t size = archive_read_data(handle, block.data(), block.size());
            if (size < 0) {
                return damaged_archive(fmt::format("{}: {}", path, reason_of(handle)));
            }
            if (size == 0) {
                return {};
            }
            text.append(block.data(), static_cast<std::size_t>(size));
            bytes_read_ += static_cast<std::size_t>(size);
            if (text.size() > k_text_max || bytes_read_ > k_texts_max) {
                return damaged_archive(path + " is too large");
            }
        }
    }

    std::vector<std::string> paths_;
    std::map<std::string, std::string> links_;  // target by path; empty: out of the archive
    Texts texts_;
    std::size_t bytes_read_ = 0;
};

}  // namespace

Result<std::unique_ptr<Package>> open_archive(std::string bytes) {
    if (is_zip(bytes)) {
        return open_zip(std::move(bytes));
    }
    DRYDOCK_TRY_ASSIGN(const std::string tar, unpack(std::move(bytes)));
    auto package = std::make_unique<Tar>();
    DRYDOCK_TRY(package->load(tar));
    return package;
}

}  // namespace drydock::chain
