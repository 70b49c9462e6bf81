// Three readings: files, links and devices first; then folders, since each entry that is made in
// one changes its times; flags last, since an immutable entry takes nothing more.
#include "mover/tree/restore.h"

#include "mover/tree/file_data.h"
#include "mover/tree/manifest.h"
#include "mover/tree/special.h"
#include "mover/tree/staging.h"
#include "mover/tree/walk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <map>
#include <tuple>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr const char* k_link_name = ".drydock-link";  // for the moment of a rename

class Restorer {
public:
    Restorer(const std::string& manifest, os::Fd root, CopyReport& report)
        : manifest_(manifest)
        , root_(std::move(root))
        , report_(report) {}

    Status run() {
        DRYDOCK_TRY(each([&](const ManifestEntry& found) {
            return found.entry.kind == Kind::folder ? Status() : restore(found);
        }));
        DRYDOCK_TRY(each([&](const ManifestEntry& found) {
            return found.entry.kind == Kind::folder ? restore_folder(found) : Status();
        }));
        return each([&](const ManifestEntry& found) {
            return found.flags == 0 ? Status() : set_flags(found);
        });
    }

private:
    // What cannot be done for one entry is told, and the others go on.
    template <class Take>
    Status each(const Take& take) {
        DRYDOCK_TRY_ASSIGN(ManifestReader reader, ManifestReader::open(manifest_));
        digest_ = reader.header().digest;
        while (true) {
            DRYDOCK_TRY_ASSIGN(const bool has_line, reader.next());
            if (!has_line) {
                return {};
            }
            DRYDOCK_TRY_ASSIGN(const ManifestEntry found, reader.entry());
            if (const Status taken = take(found); !taken) {
                report_.failures.add(found.path, taken.error().code, taken.error().message);
            }
        }
    }

    // Opens the folder of an entry, mostly the one of the entry before.
    Status open_parent(const std::string& path) {
        std::string folder;
        std::tie(folder, name_) = split_path(path);
        if (!parent_ || folder != parent_path_) {
            DRYDOCK_TRY_ASSIGN(parent_, open_folder_below(root_.get(), folder));
            parent_path_ = folder;
        }
        return {};
    }

    Status restore(const ManifestEntry& found) {
        DRYDOCK_TRY(open_parent(found.path));
        if (!found.inode.empty()) {
            DRYDOCK_TRY_ASSIGN(const bool is_linked, link_to_first(found));
            if (is_linked) {
                return {};
            }
        }
        return found.entry.kind == Kind::file ? restore_file(found) : restore_special(found);
    }

    Status restore_file(const ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(const os::Fd file, open_same(found));
        set_all_attributes(file.get(), found);
        return {};
    }

    // A file of another size was changed where it was: it keeps what it has, and is told.
    Result<os::Fd> open_same(const ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(os::Fd file, open_entry(parent_.get(), name_, O_RDONLY));
        DRYDOCK_TRY_ASSIGN(const Entry there, read_entry(file.get(), ""));
        if (there.kind != Kind::file || there.bytes != found.entry.bytes) {
            return fail("tree.differs", "it is not the file of the manifest any more");
        }
        return file;
    }

    void set_all_attributes(int file, const ManifestEntry& found) {
        const auto there = read_entry(file, "");
        Entry wanted = found.entry;
        wanted.accessed = there ? there->accessed : found.entry.modified;
        report_.add_refusals(found.path, set_attributes(file, wanted, found.extended));
        report_.add_refusals(found.path, remove_extra_attributes(file, found.extended));
        report_.add_refusals(found.path, set_times(file, wanted, 0));
        ++report_.restored;
    }

    Status restore_special(const ManifestEntry& found) {
        const int folder = parent_.get();
        if (const auto there = read_entry(folder, name_)) {
            if (!is_special_there(folder, name_, found)) {
                return fail("tree.occupied", "the target has something else there");
            }
        } else if (!make_special(folder, name_, found.entry, found.link_target)) {
            return fail_write(name_of(found.entry.kind), errno);
        }
        Entry wanted = found.entry;
        wanted.accessed = wanted.modified;
        report_.add_refusals(found.path, set_attributes(folder, name_, wanted, found.extended));
        report_.add_refusals(found.path, set_times(folder, name_, wanted));
        ++report_.restored;
        return {};
    }

    // Names of one file were files of their own meanwhile, and may be others now: both are read.
    Result<bool> link_to_first(const ManifestEntry& found) {
        const auto [first, is_new] = first_paths_.emplace(found.inode, found.path);
        if (is_new) {
            return false;
        }
        const auto [folder, name] = split_path(first->second);
        DRYDOCK_TRY_ASSIGN(const os::Fd from, open_folder_below(root_.get(), folder));
        DRYDOCK_TRY_ASSIGN(const Entry source, read_entry(from.get(), name));
        const auto there = read_entry(parent_.get(), name_);
        if (there && there->inode == source.inode) {
            return true;
        }
        if (there && found.entry.kind == Kind::file) {
            DRYDOCK_TRY(check_content(from.get(), name, found));
            DRYDOCK_TRY(check_content(parent_.get(), name_, found));
        }
        return replace_by_link(from.get(), name);
    }

    Status check_content(int folder, const std::string& name, const ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(const os::Fd file, open_entry(folder, name, O_RDONLY));
        DRYDOCK_TRY_ASSIGN(const Entry there, read_entry(file.get(), ""));
        DRYDOCK_TRY_ASSIGN(const FileData data,
                           digest_file(file.get(), there, digest_, workspace_));
        return data.digest == found.digest
                   ? Status()
                   : fail("tree.differs", "names of one file have other content now");
    }

    Result<bool> replace_by_link(int from, const std::string& name) {
        ::unlinkat(parent_.get(), k_link_name, 0);
        if (::linkat(from, name.c_str(), parent_.get(), k_link_name, 0) != 0
            || ::renameat(parent_.get(), k_link_name, parent_.get(), name_.c_str()) != 0) {
            return fail_write("make the link", errno);
        }
        ++report_.restored;
        return true;
    }

    Status restore_folder(const ManifestEntry& found) {
        DRYDOCK_TRY_ASSIGN(const os::Fd folder, open_folder_below(root_.get(), found.path));
        set_all_attributes(folder.get(), found);
        return {};
    }

    Status set_flags(const ManifestEntry& found) {
        if (found.entry.kind != Kind::folder) {
            DRYDOCK_TRY(open_parent(found.path));
        }
        DRYDOCK_TRY_ASSIGN(const os::Fd file,
                           found.entry.kind == Kind::folder
                               ? open_folder_below(root_.get(), found.path)
                               : open_same(found));
        DRYDOCK_TRY_ASSIGN(const Entry there, read_entry(file.get(), ""));
        report_.add_refusals(found.path, set_times(file.get(), there, found.flags));
        return {};
    }

    const std::string& manifest_;
    os::Fd root_;
    CopyReport& report_;
    DigestKind digest_ = DigestKind::xxh3;
    os::Fd parent_;
    std::string parent_path_;
    std::string name_;                                // in the parent
    std::map<std::string, std::string> first_paths_;  // by inode
    Workspace workspace_{0};
};

}  // namespace

Status
restore_attributes(const std::string& manifest, const std::string& target, CopyReport& report) {
    DRYDOCK_TRY_ASSIGN(os::Fd root, open_root(target));
    return Restorer(manifest, std::move(root), report).run();
}

}  // namespace drydock::mover::tree
