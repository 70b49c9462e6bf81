// A manifest by the walk of a copy without a copy, and a merge of two sorted lists. Two trees are
// compared in compare.cpp.
#include "mover/tree/verify.h"

#include "mover/tree/difference.h"
#include "mover/tree/look.h"
#include "mover/tree/manifest.h"
#include "mover/tree/progress.h"
#include "mover/tree/segments.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <mutex>

namespace drydock::mover::tree {
namespace {

// Writes a line for each entry of a tree.
class Recorder final : public Visitor {
public:
    explicit Recorder(const ManifestRequest& request)
        : look_{request.digest, request.reads_disk}
        , segments_(request.state_folder,
                    1,
                    request.workers.most + 1,
                    [](const Finished&, const std::vector<Refusal>&) {}) {}

    bool enter(Workspace& /*workspace*/, Folder& /*folder*/) override { return true; }

    void visit(Workspace& workspace, const FolderRef& folder, const Name& name) override {
        const Status recorded = record(workspace, *folder, name);
        if (!recorded) {
            fail(folder->path_of(name.text), recorded.error());
        }
    }

    void leave(Workspace& workspace, Folder& folder) override {
        const Status added =
            Look::at_folder(folder.source.get(), folder.entry, folder.path())
                .and_then([&](const ManifestEntry& found) { return add(workspace, found); });
        if (!added) {
            fail(folder.path(), added.error());
        }
    }

    void fail(const std::string& path, const Error& error) override {
        const std::lock_guard lock(mutex_);
        report_.failures.add(path, error.code, error.message);
    }

    void flush(Workspace& workspace) {
        if (const Status flushed = segments_.flush(workspace.number()); !flushed) {
            fail("", flushed.error());
        }
    }

    [[nodiscard]] Progress progress() const { return {entries_.load(), bytes_.load()}; }

    [[nodiscard]] ManifestReport report() const {
        ManifestReport all = report_;
        all.entries = entries_;
        all.bytes = bytes_;
        return all;
    }

private:
    Status add(Workspace& workspace, const ManifestEntry& found) {
        ++entries_;
        return segments_.add_line(workspace.number(), line_of(found));
    }

    Status record(Workspace& workspace, const Folder& folder, const Name& name) {
        DRYDOCK_TRY_ASSIGN(
            const ManifestEntry found,
            look_.at(workspace, folder.source.get(), name, folder.path_of(name.text)));
        bytes_ += found.entry.kind == Kind::file ? found.entry.bytes : 0;
        if (found.has_changed) {
            const std::lock_guard lock(mutex_);
            report_.changed.add(found.path, "tree.changed", "it was changed while it was read");
        }
        return add(workspace, found);
    }

    Look look_;
    Segments segments_;
    std::atomic<std::int64_t> entries_ = 0;
    std::atomic<std::int64_t> bytes_ = 0;
    std::mutex mutex_;
    ManifestReport report_;
};

// Two manifests side by side.
class Comparison {
public:
    Comparison(ManifestReader& first, ManifestReader& second) : first_(first), second_(second) {}

    Result<Compared> run() {
        DRYDOCK_TRY_ASSIGN(bool has_left, first_.next());
        DRYDOCK_TRY_ASSIGN(bool has_right, second_.next());
        while (has_left || has_right) {
            const bool takes_left = has_left && (!has_right || first_.key() <= second_.key());
            const bool takes_right = has_right && (!has_left || second_.key() <= first_.key());
            DRYDOCK_TRY(note(takes_left, takes_right));
            if (takes_left) {
                DRYDOCK_TRY_ASSIGN(has_left, first_.next());
            }
            if (takes_right) {
                DRYDOCK_TRY_ASSIGN(has_right, second_.next());
            }
        }
        return std::move(compared_);
    }

private:
    // Most lines are the same on both sides, letter by letter. Names of one file are to be seen
    // from more than one line, and what was changed is equal to nothing.
    [[nodiscard]] bool is_same_line() const {
        const std::string& line = first_.line();
        return line == second_.line() && line.find(R"("inode")") == line.npos
               && line.find(R"("changed")") == line.npos;
    }

    Status note(bool takes_left, bool takes_right) {
        compared_.entries += takes_left ? 1 : 0;
        if (takes_left && takes_right && is_same_line()) {
            ++compared_.equal;
            return {};
        }
        DRYDOCK_TRY_ASSIGN(const ManifestEntry left, (takes_left ? first_ : second_).entry());
        DRYDOCK_TRY_ASSIGN(const ManifestEntry right, (takes_right ? second_ : first_).entry());
        if (!takes_right) {
            compared_.missing.add(left.path, "tree.missing", "it is not at the second side");
        } else if (!takes_left) {
            compared_.extra.add(right.path, "tree.extra", "it is at the second side only");
        } else if (const std::string what = difference(left, right, pairs_); !what.empty()) {
            compared_.differ.add(left.path, "tree.differs", what);
        } else {
            ++compared_.equal;
        }
        return {};
    }

    ManifestReader& first_;
    ManifestReader& second_;
    InodePairs pairs_;
    Compared compared_;
};

}  // namespace

Result<ManifestReport> write_manifest(const ManifestRequest& wanted) {
    ManifestRequest request = wanted;
    request.workers = within_descriptors(wanted.workers);
    DRYDOCK_TRY(os::ensure_private_folder(request.state_folder));
    DRYDOCK_TRY_ASSIGN(os::Fd root, open_side(request.source));
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(root.get(), ""));
    Recorder recorder(request);
    {
        const ProgressReporter teller(request.progressed, [&] { return recorder.progress(); });
        Workers workers(request.workers);
        Walk walk(workers, recorder, {request.stays_on_file_system, request.leaves_out});
        walk.start(std::move(root), entry);
        workers.finish([&](Workspace& workspace) { recorder.flush(workspace); });
    }
    const auto files = Segments::files_in(request.state_folder);
    const Status sorted = sort_manifest(
        files, {request.digest, request.source}, request.state_folder, request.output);
    for (const std::string& path : files) {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    DRYDOCK_TRY(sorted);
    return recorder.report();
}

Result<os::Fd> open_side(const std::string& path) {
    auto root = open_root(path);
    if (!root) {
        return fail("tree.source",
                    fmt::format("{}: {}", path, root.error().message),
                    "name a folder that you may read");
    }
    return root;
}

Result<Compared> compare_manifests(const std::string& first, const std::string& second) {
    DRYDOCK_TRY_ASSIGN(ManifestReader left, ManifestReader::open(first));
    DRYDOCK_TRY_ASSIGN(ManifestReader right, ManifestReader::open(second));
    if (left.header().digest != right.header().digest) {
        return fail("tree.digests",
                    fmt::format("{} has {} and {} has {}",
                                first,
                                name_of(left.header().digest),
                                second,
                                name_of(right.header().digest)),
                    "write one of them again with the other's --digest");
    }
    return Comparison(left, right).run();
}

}  // namespace drydock::mover::tree
