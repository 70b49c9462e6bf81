#include "mover/tree/difference.h"

#include <fmt/format.h>

#include <vector>

namespace drydock::mover::tree {

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

}  // namespace drydock::mover::tree
