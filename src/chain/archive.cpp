// Archives, by libarchive: zips by their central directory, tars compressed or not.
//
// A zip is walked once for its names and once for the wanted texts: what is not wanted is not
// inflated. A tar must be read as a whole anyway, so its texts are kept at once.
#include "chain/package.h"
#include "chain/paths.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace drydock::chain {

namespace {

constexpr std::size_t k_files_max = 500'000;
constexpr std::int64_t k_text_max = 8LL << 20;     // bytes of one file; revisions have some KB
constexpr std::size_t k_texts_max = 512ULL << 20;  // bytes of all texts that are kept
constexpr std::size_t k_block = 64ULL << 10;

struct CloseArchive {
    void operator()(archive* one) const { archive_read_free(one); }
};

using Handle = std::unique_ptr<archive, CloseArchive>;

tl::unexpected<Error> damaged(const std::string& reason) {
    return fail("chain.archive",
                fmt::format("the archive cannot be read: {}", reason),
                "fetch it again, and compare its digest with the index's");
}

std::string reason_of(archive* handle) {
    const char* text = archive_error_string(handle);
    return text == nullptr ? "no reason is given" : text;
}

bool is_zip(std::string_view bytes) {
    return bytes.substr(0, 4) == "PK\x03\x04"
           || bytes.substr(0, 4) == std::string_view("PK\x05\x06", 4);
}

class Archive : public Package {
public:
    explicit Archive(std::string bytes) : bytes_(std::move(bytes)), is_zip_(is_zip(bytes_)) {}

    // The names; of a tar also the texts.
    Status load() {
        std::set<std::string> wanted;
        DRYDOCK_TRY(walk([&](archive* handle, archive_entry* entry) -> Status {
            const char* name = archive_entry_pathname(entry);
            if (name == nullptr) {
                return damaged("a file in it has no name");
            }
            if (archive_entry_filetype(entry) != AE_IFREG
                && archive_entry_hardlink(entry) == nullptr) {
                return {};
            }
            paths_.push_back(clean_path(name));
            if (paths_.size() > k_files_max) {
                return damaged(fmt::format("it holds over {} files", k_files_max));
            }
            return is_zip_ || !is_text_of_interest(paths_.back()) ? Status() : keep(handle, entry);
        }));
        std::sort(paths_.begin(), paths_.end());
        const auto twice = std::adjacent_find(paths_.begin(), paths_.end());
        if (twice != paths_.end()) {
            return fail("chain.twice",
                        fmt::format("the archive holds {} twice", *twice),
                        "which one is meant cannot be told");
        }
        return {};
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        const std::set<std::string_view> wanted(paths.begin(), paths.end());
        if (is_zip_) {
            DRYDOCK_TRY(walk([&](archive* handle, archive_entry* entry) -> Status {
                const std::string path = clean_path(archive_entry_pathname(entry));
                const bool is_new = wanted.contains(path) && !texts_.contains(path);
                return is_new ? keep(handle, entry) : Status();
            }));
        }
        Texts found;
        for (const std::string& path : paths) {
            const auto it = texts_.find(path);
            if (it == texts_.end()) {
                return damaged(fmt::format("{} is not there any more", path));
            }
            found.emplace(path, it->second);
        }
        return found;
    }

private:
    using Visit = std::function<Status(archive*, archive_entry*)>;

    [[nodiscard]] Result<Handle> open() const {
        Handle handle(archive_read_new());
        if (!handle) {
            return damaged("no memory");
        }
        if (is_zip_) {
            archive_read_support_format_zip_seekable(handle.get());
        } else {
            archive_read_support_format_tar(handle.get());
            archive_read_support_filter_gzip(handle.get());
            archive_read_support_filter_bzip2(handle.get());
            archive_read_support_filter_xz(handle.get());
        }
        if (archive_read_open_memory(handle.get(), bytes_.data(), bytes_.size()) != ARCHIVE_OK) {
            return damaged(reason_of(handle.get()));
        }
        return handle;
    }

    Status walk(const Visit& visit) const {
        DRYDOCK_TRY_ASSIGN(const Handle handle, open());
        while (true) {
            archive_entry* entry = nullptr;
            const int outcome = archive_read_next_header(handle.get(), &entry);
            if (outcome == ARCHIVE_EOF) {
                return {};
            }
            if (outcome != ARCHIVE_OK) {
                return damaged(reason_of(handle.get()));
            }
            DRYDOCK_TRY(visit(handle.get(), entry));
        }
    }

    Status keep(archive* handle, archive_entry* entry) {
        const std::string path = clean_path(archive_entry_pathname(entry));
        if (archive_entry_hardlink(entry) != nullptr) {
            return damaged(fmt::format("{} is a link", path));
        }
        std::string& text = texts_[path];
        text.clear();
        std::array<char, k_block> block{};
        while (true) {
            const la_ssize_t size = archive_read_data(handle, block.data(), block.size());
            if (size < 0) {
                return damaged(fmt::format("{}: {}", path, reason_of(handle)));
            }
            if (size == 0) {
                break;
            }
            text.append(block.data(), static_cast<std::size_t>(size));
            kept_ += static_cast<std::size_t>(size);
            if (text.size() > k_text_max || kept_ > k_texts_max) {
                return damaged(fmt::format("{} is too large", path));
            }
        }
        return {};
    }

    std::string bytes_;
    bool is_zip_;
    std::vector<std::string> paths_;
    Texts texts_;
    std::size_t kept_ = 0;
};

}  // namespace

Result<std::unique_ptr<Package>> open_archive(std::string bytes) {
    auto package = std::make_unique<Archive>(std::move(bytes));
    DRYDOCK_TRY(package->load());
    return package;
}

}  // namespace drydock::chain
