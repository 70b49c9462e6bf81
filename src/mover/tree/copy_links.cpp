// Further names of a file: noted while the tree is walked, and made when all files are there.
#include "mover/tree/copier.h"
#include "mover/tree/manifest.h"
#include "mover/tree/special.h"
#include "mover/tree/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace drydock::mover::tree {

Result<bool>
Copier::is_further_name(const FolderRef& folder, const std::string& name, const Entry& entry) {
    if (entry.names < 2 || entry.kind == Kind::folder) {
        return false;
    }
    const FileId file = {entry.device, entry.inode};
    const std::string path = folder->path_of(name);
    DRYDOCK_TRY_ASSIGN(const FirstName first, notes_.first_name(file, path));
    if (first.path == path) {
        return false;
    }
    DRYDOCK_TRY(notes_.add_link(path, file));
    return true;
}

// The name that the others are linked to: staged, or at the target already.
Result<Copier::LinkSource> Copier::find_first(const std::string& path) {
    const auto [folder, name] = split_path(path);
    LinkSource source;
    source.name = name;
    for (const int root : {staging_.folder(), staging_.target()}) {
        auto opened = open_folder_below(root, folder);
        const auto entry =
            opened ? read_entry(opened->get(), name) : tl::unexpected(opened.error());
        if (entry) {
            source.folder = std::move(*opened);
            source.entry = *entry;
            return source;
        }
    }
    return drydock::fail("tree.vanished", "the file with its first name was not copied");
}

// Returns what the target has at a path; nothing if there is nothing.
Result<std::optional<Entry>> Copier::entry_at_target(const std::string& path) const {
    const auto [folder, name] = split_path(path);
    const auto opened = open_folder_below(staging_.target(), folder);
    const auto entry = opened ? read_entry(opened->get(), name) : tl::unexpected(opened.error());
    if (!entry && entry.error().code == "tree.vanished") {
        return std::optional<Entry>();
    }
    DRYDOCK_TRY(entry);
    return std::optional<Entry>(*entry);
}

Status Copier::make_link(Workspace& workspace, const std::string& path, const FirstName& first) {
    DRYDOCK_TRY_ASSIGN(const LinkSource source, find_first(first.path));
    DRYDOCK_TRY_ASSIGN(const auto there, entry_at_target(path));
    ManifestEntry found = {path, source.entry};
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(source.folder.get(), source.name));
    if (found.entry.kind == Kind::link) {
        DRYDOCK_TRY_ASSIGN(found.link_target, read_link(source.folder.get(), source.name));
    }
    found.digest = first.digest;
    found.inode = fmt::format("{}:{}", first.file.device, first.file.inode);
    if (there && there->inode == source.entry.inode) {
        report_.change([](CopyReport& report) { ++report.equal; });
        return segments_.add_line(workspace.number(), line_of(found));
    }
    if (there && leaves_other(path)) {
        return {};
    }
    DRYDOCK_TRY(link_into_place(workspace, source, path));
    report_.change([](CopyReport& report) { ++report.names; });
    return segments_.add_line(workspace.number(), line_of(found));
}

// The folder of the link has its times already, so these are given once more.
Status
Copier::link_into_place(Workspace& workspace, const LinkSource& source, const std::string& path) {
    const auto [folder, name] = split_path(path);
    DRYDOCK_TRY_ASSIGN(const os::Fd into, open_folder_below(staging_.folder(), folder));
    DRYDOCK_TRY_ASSIGN(const Entry before, read_entry(into.get(), ""));
    DRYDOCK_TRY(remove_entry(into.get(), name));
    static_cast<void>(::fchmod(into.get(), S_IRWXU));
    const int linked =
        ::linkat(source.folder.get(), source.name.c_str(), into.get(), name.c_str(), 0);
    const int error = errno;
    const bool is_copied =
        linked != 0 && is_unknown_to_target(error) && source.entry.kind == Kind::file;
    const Status copied = is_copied ? copy_instead(workspace, source, into.get(), name) : Status();
    static_cast<void>(::fchmod(into.get(), before.mode));
    static_cast<void>(set_times(into.get(), before, 0));
    if (is_copied) {
        report_.add_refusals(path, {{"the name of another file, which was copied", error}});
        return copied;
    }
    return linked == 0 ? Status() : fail_write("make the link", error);
}

// On a target without further names, each becomes a file of its own.
Status Copier::copy_instead(Workspace& workspace,
                            const LinkSource& source,
                            int folder,
                            const std::string& name) {
    const Entry& entry = source.entry;
    DRYDOCK_TRY_ASSIGN(const os::Fd from, open_entry(source.folder.get(), source.name, O_RDONLY));
    const os::Fd target(
        ::openat(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!target) {
        return fail_write("make the file", errno);
    }
    const auto data = copy_data(from.get(), target.get(), entry, request_.digest, workspace);
    if (!data) {
        static_cast<void>(remove_entry(folder, name));
        return tl::unexpected(data.error());
    }
    DRYDOCK_TRY_ASSIGN(const auto extended, read_extended(from.get()));
    static_cast<void>(set_attributes(target.get(), entry, extended));  // told of the first name
    static_cast<void>(set_times(target.get(), entry, 0));
    return {};
}

Status Copier::make_links(Workspace& workspace) {
    return journal().each_link([&](const std::string& path, const FirstName& first) {
        if (report_.end()) {
            return;
        }
        if (const Status made = make_link(workspace, path, first); !made) {
            fail(path, made.error());
        }
    });
}

}  // namespace drydock::mover::tree
