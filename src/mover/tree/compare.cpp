// Two trees side by side: each entry of the first is looked at together with the one of its path in
// the second. What the second has alone is found by a walk of its own, which reads names only.
#include "mover/tree/difference.h"
#include "mover/tree/look.h"
#include "mover/tree/progress.h"
#include "mover/tree/verify.h"
#include "mover/tree/walk.h"

#include <fcntl.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace drydock::mover::tree {
namespace {

// The lists that all threads write to.
class SharedComparison {
public:
    void add(ProblemList Compared::* list,
             const std::string& path,
             const char* code,
             const std::string& message) {
        const std::lock_guard lock(mutex_);
        (compared_.*list).add(path, code, message);
    }

    // Both walks may meet it.
    void add_unread(const std::string& path, const Error& error) {
        const std::lock_guard lock(mutex_);
        const auto& known = compared_.unread.first;
        const bool is_known = std::any_of(known.begin(), known.end(), [&](const Problem& problem) {
            return problem.path == path;
        });
        if (!is_known) {
            compared_.unread.add(path, error.code, error.message);
        }
    }

    // What was counted is added at the end.
    [[nodiscard]] Compared take(std::int64_t entries, std::int64_t equal) {
        for (ProblemList* list :
             {&compared_.missing, &compared_.extra, &compared_.differ, &compared_.unread}) {
            std::sort(
                list->first.begin(),
                list->first.end(),
                [](const Problem& left, const Problem& right) { return left.path < right.path; });
        }
        compared_.entries = entries;
        compared_.equal = equal;
        return std::move(compared_);
    }

private:
    std::mutex mutex_;
    Compared compared_;
};

// Opens a folder of the other tree beside the one that is entered; none if there is none.
Status open_other(Folder& folder, int other_root) {
    if (!folder.parent) {
        folder.existing = os::Fd(::fcntl(other_root, F_DUPFD_CLOEXEC, 0));
        return folder.existing ? Status() : fail_errno("tree.open", "open the folder", errno);
    }
    if (!folder.parent->existing) {
        return {};
    }
    auto other = open_entry(folder.parent->existing.get(), folder.name, O_RDONLY | O_DIRECTORY);
    if (other) {
        folder.existing = std::move(*other);
        return {};
    }
    const auto there = read_entry(folder.parent->existing.get(), folder.name);
    const bool is_folder = there && there->kind == Kind::folder;
    return is_folder ? tl::unexpected(other.error()) : Status();
}

bool is_there(const Folder& folder, const std::string& name) {
    return folder.existing && read_entry(folder.existing.get(), name).has_value();
}

// Walks the first tree.
class Comparer final : public Visitor {
public:
    Comparer(const CompareRequest& request, int other_root, SharedComparison& shared)
        : look_{request.digest, request.reads_disk}
        , stays_(request.stays_on_file_system)
        , other_root_(other_root)
        , shared_(shared) {
        const auto entry = read_entry(other_root, "");
        other_device_ = entry ? entry->device : 0;
    }

    // A folder that the other tree lacks is entered, too: all that is in it is missing there.
    bool enter(Workspace& /*workspace*/, Folder& folder) override {
        if (const Status opened = open_other(folder, other_root_); !opened) {
            fail(folder.path(), opened.error());
            return false;
        }
        return true;
    }

    void visit(Workspace& workspace, const FolderRef& folder, const Name& name) override {
        ++entries_;
        const std::string path = folder->path_of(name.text);
        if (!is_open(*folder)) {
            shared_.add(&Compared::missing, path, "tree.missing", k_missing);
            return;
        }
        const auto left = look_.at(workspace, folder->source.get(), name, path);
        if (!left) {
            fail(path, left.error());
            return;
        }
        bytes_ += left->entry.bytes;
        Name other = name;
        other.listed = left->entry.kind == Kind::file ? Listed::file : Listed::unknown;
        compare(*left, right_of(workspace, folder->existing.get(), other, path));
    }

    void leave(Workspace& workspace, Folder& folder) override {
        ++entries_;
        const std::string path = folder.path();
        const auto left = Look::at_folder(folder.source.get(), folder.entry, path);
        if (!left) {
            fail(path, left.error());
        } else if (folder.existing) {
            compare(*left, read_entry(folder.existing.get(), "").and_then([&](const Entry& entry) {
                return Look::at_folder(folder.existing.get(), entry, path);
            }));
        } else if (folder.parent && is_open(*folder.parent)) {
            const Name name = {folder.name, Listed::unknown, 0};
            compare(*left, right_of(workspace, folder.parent->existing.get(), name, path));
        } else {
            shared_.add(&Compared::missing, path, "tree.missing", k_missing);
        }
    }

    void fail(const std::string& path, const Error& error) override {
        shared_.add_unread(path, error);
    }

    [[nodiscard]] Progress progress() const { return {entries_.load(), 2 * bytes_.load()}; }

    [[nodiscard]] std::int64_t equal() const { return equal_; }

private:
    static constexpr const char* k_missing = "it is not at the second side";

    // A file system that is mounted in the other tree is as closed as one of this tree.
    [[nodiscard]] bool is_open(const Folder& folder) const {
        if (!folder.existing || !stays_) {
            return static_cast<bool>(folder.existing);
        }
        const auto entry = read_entry(folder.existing.get(), "");
        return entry && entry->device == other_device_;
    }

    // What the other tree has in place of a file may be something else.
    Result<ManifestEntry>
    right_of(Workspace& workspace, int folder, const Name& name, const std::string& path) const {
        const auto entry =
            name.listed == Listed::file ? Result<Entry>(Entry()) : read_entry(folder, name.text);
        if (entry && entry->kind == Kind::folder) {
            return ManifestEntry{path, *entry};
        }
        auto right = look_.at(workspace, folder, name, path);
        if (right || right.error().code == "tree.vanished" || name.listed != Listed::file) {
            return right;
        }
        const auto other = read_entry(folder, name.text);
        return other && other->kind != Kind::file
                   ? Result<ManifestEntry>(ManifestEntry{path, *other})
                   : std::move(right);
    }

    void compare(const ManifestEntry& left, const Result<ManifestEntry>& right) {
        if (!right && right.error().code == "tree.vanished") {
            shared_.add(&Compared::missing, left.path, "tree.missing", k_missing);
        } else if (!right) {
            fail(left.path, right.error());
        } else if (const std::string what = difference(left, *right, pairs_); !what.empty()) {
            shared_.add(&Compared::differ, left.path, "tree.differs", what);
        } else {
            ++equal_;
        }
    }

    Look look_;
    bool stays_;
    int other_root_;
    std::uint64_t other_device_ = 0;
    SharedComparison& shared_;
    InodePairs pairs_;
    std::atomic<std::int64_t> entries_ = 0;
    std::atomic<std::int64_t> equal_ = 0;
    std::atomic<std::int64_t> bytes_ = 0;
};

// Walks the second tree.
class ExtraFinder final : public Visitor {
public:
    ExtraFinder(int other_root, SharedComparison& shared)
        : other_root_(other_root)
        , shared_(shared) {}

    bool enter(Workspace& /*workspace*/, Folder& folder) override {
        static_cast<void>(open_other(folder, other_root_));  // the walk of the first tree tells it
        return true;
    }

    void visit(Workspace& /*workspace*/, const FolderRef& folder, const Name& name) override {
        if (!is_there(*folder, name.text)) {
            add(folder->path_of(name.text));
        }
    }

    void leave(Workspace& /*workspace*/, Folder& folder) override {
        if (folder.parent && !folder.existing && !is_there(*folder.parent, folder.name)) {
            add(folder.path());
        }
    }

    void fail(const std::string& path, const Error& error) override {
        shared_.add_unread(path, error);
    }

private:
    void add(const std::string& path) {
        shared_.add(&Compared::extra, path, "tree.extra", "it is at the second side only");
    }

    int other_root_;
    SharedComparison& shared_;
};

Status start(Walk& walk, const os::Fd& root) {
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(root.get(), ""));
    DRYDOCK_TRY_ASSIGN(os::Fd again, open_entry(root.get(), ".", O_RDONLY | O_DIRECTORY));
    walk.start(std::move(again), entry);
    return {};
}

}  // namespace

Result<Compared> compare_trees(const CompareRequest& request) {
    DRYDOCK_TRY_ASSIGN(const os::Fd first, open_side(request.first));
    DRYDOCK_TRY_ASSIGN(const os::Fd second, open_side(request.second));
    SharedComparison shared;
    Comparer comparer(request, second.get(), shared);
    ExtraFinder finder(first.get(), shared);
    const WalkOptions options = {request.stays_on_file_system, request.leaves_out};
    {
        const ProgressReporter teller(request.progressed, [&] { return comparer.progress(); });
        Workers workers(within_descriptors(request.workers));
        Walk of_first(workers, comparer, options);
        Walk of_second(workers, finder, options);
        DRYDOCK_TRY(start(of_second, second));
        DRYDOCK_TRY(start(of_first, first));
        workers.finish([](Workspace&) {});
    }
    return shared.take(comparer.progress().entries, comparer.equal());
}

}  // namespace drydock::mover::tree
