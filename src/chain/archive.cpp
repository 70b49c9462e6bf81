// Tar archives, compressed or not, by libarchive, and the choice between tar and zip.
//
// A tar has no directory, so that it must be read from front to end. All texts of interest are
// therefore kept in memory at once, within the limits of limits.h; other files are only listed. A
// damaged archive is an error and never a shorter list: a missing revision would look like a lost
// one.
#include "chain/limits.h"
#include "chain/package.h"
#include "chain/paths.h"
#include "chain/zip.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::chain {

namespace {

constexpr std::size_t k_block = 64ULL << 10;

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
    Status load(const std::string& bytes) {
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
        std::sort(paths_.begin(), paths_.end());
        const auto duplicate = std::adjacent_find(paths_.begin(), paths_.end());
        return duplicate == paths_.end() ? Status() : Status(twice_in_archive(*duplicate));
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        Texts texts;
        for (const std::string& path : paths) {
            const auto entry = texts_.find(path);
            if (entry == texts_.end()) {
                return damaged_archive(path + " cannot be found in it");
            }
            texts.emplace(path, entry->second);
        }
        return texts;
    }

private:
    // Only tar with the usual compressions is enabled. Each further format is code that reads
    // hostile input.
    static Result<Handle> open(const std::string& bytes) {
        Handle handle(archive_read_new());
        if (!handle) {
            return damaged_archive("no memory");
        }
        archive_read_support_format_tar(handle.get());
        archive_read_support_filter_gzip(handle.get());
        archive_read_support_filter_bzip2(handle.get());
        archive_read_support_filter_xz(handle.get());
        if (archive_read_open_memory(handle.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
            return damaged_archive(reason_of(handle.get()));
        }
        return handle;
    }

    // Only regular files count. A hard link to a text is refused: its content stands elsewhere in
    // the archive, and no revision may be left out silently.
    Status add(archive* handle, archive_entry* entry) {
        const char* name = archive_entry_pathname(entry);
        if (name == nullptr) {
            return damaged_archive("a file in it has no name");
        }
        const bool is_link = archive_entry_hardlink(entry) != nullptr;
        if (archive_entry_filetype(entry) != AE_IFREG && !is_link) {
            return {};
        }
        paths_.push_back(clean_path(name));
        if (paths_.size() > k_files_max) {
            return damaged_archive(fmt::format("it holds over {} files", k_files_max));
        }
        if (!is_text_of_interest(paths_.back())) {
            return {};
        }
        return is_link ? Status(damaged_archive(paths_.back() + " is a link"))
                       : keep(handle, paths_.back());
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
    Texts texts_;
    std::size_t bytes_read_ = 0;
};

}  // namespace

Result<std::unique_ptr<Package>> open_archive(std::string bytes) {
    if (is_zip(bytes)) {
        return open_zip(std::move(bytes));
    }
    auto package = std::make_unique<Tar>();
    DRYDOCK_TRY(package->load(bytes));
    return package;
}

}  // namespace drydock::chain
