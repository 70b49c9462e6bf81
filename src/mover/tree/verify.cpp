// A manifest by the walk of a copy without a copy, and a merge of two sorted lists.
#include "mover/tree/verify.h"

#include "mover/tree/file_data.h"
#include "mover/tree/manifest.h"
#include "mover/tree/segments.h"
#include "mover/tree/walk.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>

namespace drydock::mover::tree {
namespace {

// Writes a line for each entry of a tree.
class Recorder final : public Visitor {
public:
    explicit Recorder(const ManifestRequest& request)
        : request_(request)
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
        ManifestEntry found = {folder.path(), folder.entry};
        const Status added = add_attributes(folder.source.get(), found).and_then([&] {
            return add(workspace, found);
        });
        if (!added) {
            fail(found.path, added.error());
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

    [[nodiscard]] ManifestReport report() const {
        ManifestReport all = report_;
        all.entries = entries_;
        all.bytes = bytes_;
        return all;
    }

private:
    static Status add_attributes(int file, ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(found.extended, read_extended(file));
        found.flags = read_flags(file);
        return {};
    }

    Status add(Workspace& workspace, const ManifestEntry& found) {
        ++entries_;
        return segments_.add_line(workspace.number(), line_of(found));
    }

    Status record(Workspace& workspace, const Folder& folder, const Name& name) {
        DRYDOCK_TRY_ASSIGN(Entry entry, read_entry(folder.source.get(), name.text));
        ManifestEntry found = {folder.path_of(name.text), entry};
        if (entry.names > 1) {
            found.inode = fmt::format("{}:{}", entry.device, entry.inode);
        }
        if (entry.kind == Kind::file) {
            return record_file(workspace, folder, name.text, found);
        }
        if (entry.kind == Kind::link) {
            DRYDOCK_TRY_ASSIGN(found.link_target, read_link(folder.source.get(), name.text));
        }
        DRYDOCK_TRY_ASSIGN(found.extended, read_extended(folder.source.get(), name.text));
        return add(workspace, found);
    }

    Status record_file(Workspace& workspace,
                       const Folder& folder,
                       const std::string& name,
                       ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(const os::Fd file, open_entry(folder.source.get(), name, O_RDONLY));
        if (request_.reads_disk) {
            static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED));
        }
        DRYDOCK_TRY(add_attributes(file.get(), found));
        DRYDOCK_TRY(digest(workspace, file.get(), found));
        const auto after = read_entry(file.get(), "");
        found.has_changed = !after || after->bytes != found.entry.bytes
                            || after->modified != found.entry.modified
                            || after->changed != found.entry.changed;
        if (found.has_changed) {
            const std::lock_guard lock(mutex_);
            report_.changed.add(found.path, "tree.changed", "it was changed while it was read");
        }
        return add(workspace, found);
    }

    Status digest(Workspace& workspace, int file, ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(FileData data,
                           digest_file(file, found.entry, request_.digest, workspace));
        bytes_ += data.bytes;
        found.digest = std::move(data.digest);
        return {};
    }

    const ManifestRequest& request_;
    Segments segments_;
    std::atomic<std::int64_t> entries_ = 0;
    std::atomic<std::int64_t> bytes_ = 0;
    std::mutex mutex_;
    ManifestReport report_;
};

// Two entries are names of one file on one side exactly if they are on the other. Names outside of
// the trees do not count: whoever is alone in its tree is a group of its own.
class InodePairs {
public:
    bool match(const ManifestEntry& first, const ManifestEntry& second) {
        if (first.inode.empty() && second.inode.empty()) {
            return true;
        }
        const std::string left = group_of(first);
        const std::string right = group_of(second);
        const auto there = there_.emplace(left, right).first;
        const auto back = back_.emplace(right, left).first;
        return there->second == right && back->second == left;
    }

private:
    static std::string group_of(const ManifestEntry& entry) {
        return entry.inode.empty() ? "/" + entry.path : entry.inode;
    }

    std::map<std::string, std::string> there_;
    std::map<std::string, std::string> back_;
};

// Says in what two entries of one path differ; empty if in nothing.
std::string difference(const ManifestEntry& first, const ManifestEntry& second, InodePairs& pairs) {
    const Entry& left = first.entry;
    const Entry& right = second.entry;
    if (left.kind != right.kind) {
        return fmt::format("it is a {} and a {}", name_of(left.kind), name_of(right.kind));
    }
    std::vector<std::string> parts;
    const auto compare = [&](bool is_equal, const char* what) {
        if (!is_equal) {
            parts.emplace_back(what);
        }
    };
    compare(left.kind != Kind::file || (left.bytes == right.bytes && first.digest == second.digest),
            "content");
    compare(first.link_target == second.link_target, "target of the link");
    compare(left.special == right.special, "device");
    compare(left.user == right.user && left.group == right.group, "owner");
    compare(left.mode == right.mode, "mode");
    compare(left.modified == right.modified, "time of modification");
    compare(first.extended == second.extended, "extended attributes");
    compare(first.flags == second.flags, "flags");
    compare(pairs.match(first, second), "names of one file");
    compare(!first.has_changed && !second.has_changed,
            "a moment: it was changed while it was read");
    return fmt::format("{}", fmt::join(parts, ", "));
}

// Two manifests side by side.
class Comparison {
public:
    Comparison(ManifestReader& first, ManifestReader& second) : first_(first), second_(second) {}

    Result<Compared> run() {
        DRYDOCK_TRY_ASSIGN(auto left, first_.next());
        DRYDOCK_TRY_ASSIGN(auto right, second_.next());
        while (left || right) {
            const bool takes_left = left && (!right || first_.key() <= second_.key());
            const bool takes_right = right && (!left || second_.key() <= first_.key());
            note(takes_left ? &*left : nullptr, takes_right ? &*right : nullptr);
            if (takes_left) {
                DRYDOCK_TRY_ASSIGN(left, first_.next());
            }
            if (takes_right) {
                DRYDOCK_TRY_ASSIGN(right, second_.next());
            }
        }
        return std::move(compared_);
    }

private:
    void note(const ManifestEntry* left, const ManifestEntry* right) {
        compared_.entries += left != nullptr ? 1 : 0;
        if (right == nullptr) {
            compared_.missing.add(left->path, "tree.missing", "it is not at the second side");
        } else if (left == nullptr) {
            compared_.extra.add(right->path, "tree.extra", "it is at the second side only");
        } else if (const std::string what = difference(*left, *right, pairs_); !what.empty()) {
            compared_.differ.add(left->path, "tree.differs", what);
        } else {
            ++compared_.equal;
        }
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
    auto root = open_root(request.source);
    if (!root) {
        return fail("tree.source",
                    fmt::format("{}: {}", request.source, root.error().message),
                    "name a folder that you may read");
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(root->get(), ""));
    Recorder recorder(request);
    {
        Workers workers(request.workers);
        Walk walk(workers, recorder, {request.stays_on_file_system, request.leaves_out});
        walk.start(std::move(*root), entry);
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
