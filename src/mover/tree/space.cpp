#include "mover/tree/space.h"

#include "base/text.h"
#include "mover/tree/staging.h"
#include "mover/tree/walk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>

namespace drydock::mover::tree {
namespace {

constexpr std::uint64_t k_block_bytes = 512;  // the unit of Entry::blocks

class Measure final : public Visitor {
public:
    bool enter(Workspace& /*workspace*/, Folder& folder) override {
        add(folder.entry);
        return true;
    }

    void visit(Workspace& /*workspace*/, const FolderRef& folder, const Name& name) override {
        if (const auto entry = read_entry(folder->source.get(), name.text)) {
            add(*entry);
        }
    }

    void leave(Workspace& /*workspace*/, Folder& /*folder*/) override {}

    void fail(const std::string& /*path*/, const Error& /*error*/) override {}

    [[nodiscard]] Need need() const { return {bytes_.load(), inodes_.load()}; }

private:
    void add(const Entry& entry) {
        bytes_ += static_cast<std::uint64_t>(entry.blocks) * k_block_bytes;
        ++inodes_;
    }

    std::atomic<std::uint64_t> bytes_ = 0;
    std::atomic<std::uint64_t> inodes_ = 0;
};

}  // namespace

Result<Need> measure(const CopyRequest& request) {
    DRYDOCK_TRY_ASSIGN(os::Fd root, open_root(request.source));
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(root.get(), ""));
    Workers workers(request.workers);
    Measure visitor;
    Walk walk(workers, visitor, {request.stays_on_file_system, request.leaves_out});
    walk.start(std::move(root), entry);
    workers.finish([](Workspace&) {});
    return visitor.need();
}

namespace {

// True if nothing is in the target but the staging folder.
bool is_empty(int target) {
    const os::Fd folder(::openat(target, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto names = next_names(folder.get());
    return names && std::all_of(names->begin(), names->end(), [](const Name& name) {
               return name.text == k_staging_name || name.text == "lost+found";
           });
}

bool is_enough(const Need& need, const struct statvfs& target) {
    const bool counts_inodes = target.f_files > 0;  // some file systems make them as needed
    return need.bytes <= target.f_bavail * target.f_frsize
           && (!counts_inodes || need.inodes <= target.f_favail);
}

}  // namespace

Status check_space(const CopyRequest& request, int target) {
    struct statvfs from{};
    struct statvfs into{};
    if (::statvfs(request.source.c_str(), &from) != 0 || ::fstatvfs(target, &into) != 0) {
        return {};  // the walk meets what is wrong
    }
    if (!is_empty(target)) {
        return {};  // some of it may be there already
    }
    const Need all = {(from.f_blocks - from.f_bfree) * from.f_frsize, from.f_files - from.f_ffree};
    if (is_enough(all, into) && !(from.f_files == 0 && into.f_files > 0)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const Need need, measure(request));
    if (is_enough(need, into)) {
        return {};
    }
    return fail("tree.too_small",
                fmt::format("the source takes {} and {} inodes, and {} has {} and {} inodes left",
                            show_bytes(static_cast<std::int64_t>(need.bytes)),
                            need.inodes,
                            request.target,
                            show_bytes(static_cast<std::int64_t>(into.f_bavail * into.f_frsize)),
                            into.f_favail),
                "make room at the target, or name a larger one");
}

}  // namespace drydock::mover::tree
