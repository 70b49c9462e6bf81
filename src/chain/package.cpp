// Packages from a folder and from texts in memory; archive.cpp has the archives.
//
// A folder is listed at once and its texts are read on demand. It may be a whole source tree, so
// that version control, caches and node_modules are left out and the number of files is limited.
// Nothing is executed or unpacked.
#include "chain/package.h"

#include "chain/limits.h"
#include "chain/paths.h"
#include "os/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace drydock::chain {

namespace {

constexpr std::size_t k_archive_max = 1ULL << 30;  // bytes; wheels have some MB

constexpr std::size_t k_tree_max = 2'000'000;  // files of a folder; large source trees have 100,000

namespace fs = std::filesystem;

// Each real folder is entered once, so that symlinks form no cycle.
class Folder : public Package {
public:
    explicit Folder(fs::path root) : root_(std::move(root)) {}

    Status load() {
        DRYDOCK_TRY(walk(root_, ""));
        std::sort(paths_.begin(), paths_.end());
        return {};
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        Texts texts;
        for (const std::string& path : paths) {
            DRYDOCK_TRY_ASSIGN(std::string text,
                               os::read_file((root_ / path).string(), k_text_max));
            texts.emplace(path, std::move(text));
        }
        return texts;
    }

private:
    // These folders hold no migrations, but may hold most of the files.
    static bool is_left_out(const std::string& name) {
        return name == ".git" || name == "__pycache__" || name == "node_modules";
    }

    // Returns false for a folder that was entered before, by another name or a symlink.
    bool enter(const fs::path& folder) {
        std::error_code error;
        return entered_.insert(fs::canonical(folder, error).string()).second && !error;
    }

    // Entries that cannot be examined are passed over. A folder that cannot be listed is an error.
    Status walk(const fs::path& folder, const std::string& prefix) {
        if (!enter(folder)) {
            return {};
        }
        std::error_code error;
        fs::directory_iterator entry(folder, error);
        for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
            const std::string name = entry->path().filename().string();
            std::error_code unreadable;
            const fs::file_status status = entry->status(unreadable);
            if (fs::is_directory(status) && !is_left_out(name)) {
                DRYDOCK_TRY(walk(entry->path(), prefix + name + "/"));
            } else if (fs::is_regular_file(status)) {
                paths_.push_back(prefix + name);
            } else if (!fs::is_directory(status) && is_text_of_interest(name)) {
                return fail("chain.archive",
                            fmt::format("{} is no file, or a link to none", entry->path().string()),
                            "take it away, or put the file in its place");
            }
            if (paths_.size() > k_tree_max) {
                return fail("chain.archive",
                            fmt::format("{} holds over {} files", root_.string(), k_tree_max),
                            "name the folder of the migrations");
            }
        }
        return error ? Status(fail("chain.missing",
                                   fmt::format("{}: {}", folder.string(), error.message())))
                     : Status();
    }

    fs::path root_;
    std::vector<std::string> paths_;
    std::set<std::string> entered_;
};

// Texts in memory, for tests and the fuzzer.
class Memory : public Package {
public:
    explicit Memory(Texts texts) : texts_(std::move(texts)) {
        for (const auto& [path, text] : texts_) {
            paths_.push_back(path);
        }
    }

    [[nodiscard]] const std::vector<std::string>& paths() const override { return paths_; }

    Result<Texts> read(const std::vector<std::string>& paths) override {
        Texts texts;
        for (const std::string& path : paths) {
            texts.emplace(path, texts_.at(path));
        }
        return texts;
    }

private:
    Texts texts_;
    std::vector<std::string> paths_;
};

}  // namespace

// An archive is read into memory as a whole, within a limit: its parts are then found without the
// disk.
Result<std::unique_ptr<Package>> open_package(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        auto folder = std::make_unique<Folder>(path);
        DRYDOCK_TRY(folder->load());
        return folder;
    }
    if (!fs::exists(path, error)) {
        return fail("chain.missing",
                    fmt::format("there is no {}", path),
                    "name a wheel, a zip, an sdist or a folder");
    }
    DRYDOCK_TRY_ASSIGN(std::string bytes, os::read_file(path, k_archive_max));
    return open_archive(std::move(bytes));
}

std::unique_ptr<Package> package_of(Texts texts) {
    return std::make_unique<Memory>(std::move(texts));
}

}  // namespace drydock::chain
