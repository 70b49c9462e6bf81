#include "mover/tree/mirror.h"

#include "mover/tree/names.h"
#include "mover/tree/staging.h"
#include "mover/tree/walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace drydock::mover::tree {
namespace {

constexpr const char* k_lost_and_found = "lost+found";  // fsck puts what it finds there

std::string join(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "/" + name;
}

// Removes a name. A folder that its owner may not write gets the right for a moment.
Status unlink_in(int folder, const std::string& name, int flags) {
    if (::unlinkat(folder, name.c_str(), flags) == 0) {
        return {};
    }
    if (errno != EACCES) {
        return fail_errno("tree.remove", "remove", errno);
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder, ""));
    static_cast<void>(::fchmod(folder, entry.mode | S_IRWXU));
    const int removed = ::unlinkat(folder, name.c_str(), flags);
    const int error = errno;
    static_cast<void>(::fchmod(folder, entry.mode));
    return removed == 0 ? Status() : fail_errno("tree.remove", "remove", error);
}

class Mirror {
public:
    explicit Mirror(const MirrorRequest& request) : request_(request) {
        const auto root = read_entry(request.target, "");
        device_ = root ? root->device : 0;
    }

    // Compares two folders. The times of the target's were given already, so they are kept.
    void compare(int source, int target, const std::string& path) {
        const auto before = read_entry(target, "");
        bool has_removed = false;
        each_name(target, path, [&](const std::string& name, const Entry& entry) {
            has_removed = compare_one(source, target, name, join(path, name), entry) || has_removed;
        });
        if (has_removed && before) {
            static_cast<void>(set_times(target, *before, 0));
        }
    }

private:
    // Takes all names that are not left out, some hundred at a time.
    template <class Take>
    void each_name(int target, const std::string& path, const Take& take) {
        while (true) {
            const auto names = next_names(target);
            if (!names) {
                request_.failed(path, names.error());
                return;
            }
            for (const Name& name : *names) {
                if (request_.is_over && request_.is_over()) {
                    return;
                }
                take_one(target, path, name.text, take);
            }
            if (names->empty()) {
                return;
            }
        }
    }

    template <class Take>
    void take_one(int target, const std::string& path, const std::string& name, const Take& take) {
        if (path.empty() && (name == k_staging_name || name == k_lost_and_found)) {
            return;
        }
        const std::string below = join(path, name);
        const auto entry = read_entry(target, name);
        if (!entry) {
            request_.failed(below, entry.error());
            return;
        }
        if (!request_.leaves_out || !request_.leaves_out(below, entry->kind == Kind::folder)) {
            take(name, *entry);
        }
    }

    // Only a name that is surely not there is extra: an error of the source's disk removes nothing.
    bool compare_one(int source,
                     int target,
                     const std::string& name,
                     const std::string& path,
                     const Entry& entry) {
        const auto wanted = read_entry(source, name);
        if (!wanted) {
            if (wanted.error().code != "tree.vanished") {
                request_.failed(path, wanted.error());
                return false;
            }
            return remove(target, name, path, entry);
        }
        if (wanted->kind == Kind::folder && entry.kind == Kind::folder && entry.device == device_) {
            const auto from = open_entry(source, name, O_RDONLY | O_DIRECTORY);
            const auto into = open_entry(target, name, O_RDONLY | O_DIRECTORY);
            if (from && into) {
                compare(from->get(), into->get(), path);
            } else {
                request_.failed(path, from ? into.error() : from.error());
            }
        }
        return false;
    }

    // True if it is gone.
    bool remove(int folder, const std::string& name, const std::string& path, const Entry& entry) {
        if (entry.device != device_) {
            request_.failed(
                path, fail("tree.mount", "another file system is mounted there, and left").value());
            return false;
        }
        const bool is_folder = entry.kind == Kind::folder;
        if (is_folder && !empty(folder, name, path)) {
            return false;
        }
        const Status removed =
            request_.removes ? unlink_in(folder, name, is_folder ? AT_REMOVEDIR : 0) : Status();
        if (!removed) {
            request_.failed(path, removed.error());
            return false;
        }
        request_.found(path, entry.kind);
        return true;
    }

    // Removes what is in a folder. True if nothing is left in it.
    bool empty(int folder, const std::string& name, const std::string& path) {
        const auto inner = open_entry(folder, name, O_RDONLY | O_DIRECTORY);
        if (!inner) {
            request_.failed(path, inner.error());
            return false;
        }
        std::int64_t left = 0;
        std::int64_t met = 0;
        each_name(inner->get(), path, [&](const std::string& child, const Entry& entry) {
            ++met;
            left += remove(inner->get(), child, join(path, child), entry) ? 0 : 1;
        });
        return left == 0 && !has_left_out(*inner, met);
    }

    // True if the folder has more entries than were met: some are left out.
    bool has_left_out(const os::Fd& folder, std::int64_t met) const {
        if (::lseek(folder.get(), 0, SEEK_SET) < 0) {
            return true;
        }
        std::int64_t all = request_.removes ? met : 0;
        for (auto names = next_names(folder.get()); names && !names->empty();
             names = next_names(folder.get())) {
            all += static_cast<std::int64_t>(names->size());
        }
        return all > met;
    }

    const MirrorRequest& request_;
    std::uint64_t device_ = 0;
};

}  // namespace

void remove_extra(const MirrorRequest& request) {
    Mirror(request).compare(request.source, request.target, "");
}

}  // namespace drydock::mover::tree
