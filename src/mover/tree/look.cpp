#include "mover/tree/look.h"

#include "mover/tree/file_data.h"
#include "mover/tree/walk.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

namespace drydock::mover::tree {
namespace {

ManifestEntry entry_at(std::string path, const Entry& entry) {
    ManifestEntry found = {std::move(path), entry};
    if (entry.names > 1 && entry.kind != Kind::folder) {
        found.inode = fmt::format("{}:{}", entry.device, entry.inode);
    }
    return found;
}

}  // namespace

Result<ManifestEntry>
Look::at(Workspace& workspace, int folder, const Name& name, std::string path) const {
    if (name.listed == Listed::file) {
        return at_file(workspace, folder, name.text, std::move(path));
    }
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(folder, name.text));
    if (entry.kind == Kind::file) {
        return at_file(workspace, folder, name.text, std::move(path));
    }
    ManifestEntry found = entry_at(std::move(path), entry);
    if (entry.kind == Kind::link) {
        DRYDOCK_TRY_ASSIGN(found.link_target, read_link(folder, name.text));
    }
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(folder, name.text));
    return found;
}

Result<ManifestEntry> Look::at_folder(int folder, const Entry& entry, std::string path) {
    ManifestEntry found = entry_at(std::move(path), entry);
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(folder));
    found.flags = read_flags(folder);
    return found;
}

Result<ManifestEntry>
Look::at_file(Workspace& workspace, int folder, const std::string& name, std::string path) const {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, open_entry(folder, name, O_RDONLY));
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(file.get(), ""));
    if (entry.kind != Kind::file) {
        return drydock::fail("tree.changed", "it became something else while it was read");
    }
    ManifestEntry found = entry_at(std::move(path), entry);
    if (reads_disk) {
        static_cast<void>(::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED));
    }
    DRYDOCK_TRY_ASSIGN(found.extended, read_extended(file.get()));
    found.flags = read_flags(file.get());
    DRYDOCK_TRY_ASSIGN(FileData data, digest_file(file.get(), entry, digest, workspace));
    found.digest = std::move(data.digest);
    const auto after = read_entry(file.get(), "");
    found.has_changed = !after || after->bytes != entry.bytes || after->modified != entry.modified
                        || after->changed != entry.changed;
    return found;
}

}  // namespace drydock::mover::tree
