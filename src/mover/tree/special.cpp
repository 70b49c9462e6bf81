#include "mover/tree/special.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace drydock::mover::tree {
namespace {

mode_t type_of(Kind kind) {
    if (kind == Kind::fifo) {
        return S_IFIFO;
    }
    if (kind == Kind::socket) {
        return S_IFSOCK;
    }
    return kind == Kind::character_device ? S_IFCHR : S_IFBLK;
}

}  // namespace

bool make_special(int folder,
                  const std::string& name,
                  const Entry& entry,
                  const std::string& link_target) {
    return entry.kind == Kind::link ? ::symlinkat(link_target.c_str(), folder, name.c_str()) == 0
                                    : ::mknodat(folder,
                                                name.c_str(),
                                                type_of(entry.kind) | S_IRUSR | S_IWUSR,
                                                static_cast<dev_t>(entry.special))
                                          == 0;
}

bool is_unknown_to_target(int error) {
    return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK;
}

bool is_special_there(int folder, const std::string& name, const ManifestEntry& found) {
    const auto there = read_entry(folder, name);
    if (!there || there->kind != found.entry.kind || there->special != found.entry.special) {
        return false;
    }
    const auto text =
        found.entry.kind == Kind::link ? read_link(folder, name) : Result<std::string>("");
    return text && *text == found.link_target;
}

}  // namespace drydock::mover::tree
