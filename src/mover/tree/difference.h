// Difference: in what two entries of one path differ.
#pragma once

#include "mover/tree/manifest.h"

#include <map>
#include <mutex>
#include <string>

namespace drydock::mover::tree {

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
        const std::lock_guard lock(mutex_);
        const auto there = there_.emplace(left, right).first;
        const auto back = back_.emplace(right, left).first;
        return there->second == right && back->second == left;
    }

private:
    static std::string group_of(const ManifestEntry& entry) {
        return entry.inode.empty() ? "/" + entry.path : entry.inode;
    }

    std::mutex mutex_;
    std::map<std::string, std::string> there_;
    std::map<std::string, std::string> back_;
};

// Says in what two entries of one path differ; empty if in nothing.
[[nodiscard]] std::string
difference(const ManifestEntry& first, const ManifestEntry& second, InodePairs& pairs);

}  // namespace drydock::mover::tree
