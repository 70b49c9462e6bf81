// Zip archives (wheels) by their central directory, with libzip. Only texts of interest are
// inflated, and each is checked by its CRC.
//
// libarchive reads zips too, but touches the header of every entry and converts its name and time.
// That was six times slower on a wheel of 3,500 files. Names have no CRC: zip_headers.h compares
// them.
#include "chain/zip.h"

#include "chain/limits.h"
#include "chain/paths.h"
#include "chain/zip_headers.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <cstdlib>

namespace drydock::chain {

namespace {

struct CloseZip {
    void operator()(zip_t* handle) const { zip_discard(handle); }
};

struct CloseFile {
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};

class Zip : public Package {
public:
    explicit Zip(std::string bytes) : bytes_(std::move(bytes)) {}

    // `bytes_` stays in place, because libzip reads from it without a copy.
    Status load() {
        zip_error_t error;
        zip_error_init(&error);
        zip_source_t* source = zip_source_buffer_create(bytes_.data(), bytes_.size(), 0, &error);
        handle_.reset(source == nullptr ? nullptr
                                        : zip_open_from_source(source, ZIP_RDONLY, &error));
        if (!handle_) {
            const std::string reason = zip_error_strerror(&error);
            zip_source_free(source);
            zip_error_fini(&error);
            return damaged_archive(reason);
        }
        DRYDOCK_TRY(check_zip_headers(bytes_));
        return load_names();
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        Texts texts;
        for (const std::string& path : paths) {
            DRYDOCK_TRY_ASSIGN(std::string text, read_one(path));
            texts.emplace_hint(texts.end(), path, std::move(text));
        }
        return texts;
    }

private:
    // Sorts the paths, and keeps the position in the archive of each. Two entries of one path are
    // refused: tools disagree on which of them counts.
    Status load_names() {
        const zip_int64_t count = zip_get_num_entries(handle_.get(), 0);
        if (count > static_cast<zip_int64_t>(k_files_max)) {
            return damaged_archive(fmt::format("it holds over {} files", k_files_max));
        }
        std::vector<std::pair<std::string, zip_uint64_t>> entries;
        entries.reserve(static_cast<std::size_t>(count));
        for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
            const char* name = zip_get_name(handle_.get(), i, ZIP_FL_ENC_RAW);
            const std::string_view raw = name == nullptr ? "" : name;
            if (raw.empty()) {
                return damaged_archive("a file in it has no name");
            }
            if (raw.back() == '/') {
                continue;
            }
            entries.emplace_back(clean_path(raw), i);
        }
        std::sort(entries.begin(), entries.end());
        for (auto& [path, place] : entries) {
            if (!paths_.empty() && paths_.back() == path) {
                return twice_in_archive(path);
            }
            paths_.push_back(std::move(path));
            places_.push_back(place);
        }
        return {};
    }

    // The size in the directory is checked against the limits before any byte is inflated.
    Result<std::string> read_one(const std::string& path) {
        const auto match = std::lower_bound(paths_.begin(), paths_.end(), path);
        zip_stat_t metadata;
        zip_stat_init(&metadata);
        const bool is_there = match != paths_.end() && *match == path;
        const zip_uint64_t place =
            is_there ? places_[static_cast<std::size_t>(match - paths_.begin())] : 0;
        if (!is_there || zip_stat_index(handle_.get(), place, 0, &metadata) != 0
            || (metadata.valid & ZIP_STAT_SIZE) == 0) {
            return damaged_archive(fmt::format("{} cannot be found in it", path));
        }
        bytes_read_ += metadata.size;
        if (metadata.size > k_text_max || bytes_read_ > k_texts_max) {
            return damaged_archive(fmt::format("{} is too large", path));
        }
        const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(handle_.get(), place, 0));
        if (!file) {
            return damaged_archive(fmt::format("{}: {}", path, zip_strerror(handle_.get())));
        }
        return read_all(*file, path, metadata.size);
    }

    // Reads one byte more than the size: only at the end of the file libzip compares its CRC.
    static Result<std::string>
    read_all(zip_file_t& file, const std::string& path, std::size_t size) {
        std::string text(size + 1, '\0');
        std::size_t text_size = 0;
        while (true) {
            const zip_int64_t count =
                zip_fread(&file, text.data() + text_size, text.size() - text_size);
            if (count < 0) {
                return damaged_archive(
                    fmt::format("{}: {}", path, zip_error_strerror(zip_file_get_error(&file))));
            }
            text_size += static_cast<std::size_t>(count);
            if (count == 0 || text_size == text.size()) {
                break;
            }
        }
        if (text_size != size) {
            return damaged_archive(fmt::format("{} has another size than its archive says", path));
        }
        text.resize(size);
        return text;
    }

    std::string bytes_;
    std::unique_ptr<zip_t, CloseZip> handle_;
    std::vector<std::string> paths_;
    std::vector<zip_uint64_t> places_;  // positions in the archive, one a path
    std::size_t bytes_read_ = 0;        // bytes read so far
};

}  // namespace

void keep_time_zone() {
    setenv("TZ", ":/etc/localtime", 0);  // NOLINT(concurrency-mt-unsafe): no thread reads it yet
}

// The second mark is that of an archive without files.
bool is_zip(std::string_view bytes) {
    const std::string_view mark = bytes.substr(0, 4);
    return mark == "PK\x03\x04" || mark == "PK\x05\x06";
}

Result<std::unique_ptr<Package>> open_zip(std::string bytes) {
    auto package = std::make_unique<Zip>(std::move(bytes));
    DRYDOCK_TRY(package->load());
    return package;
}

}  // namespace drydock::chain
