// RunningIndex: the attempts of a state folder that may still run.
//
// A host keeps the folders of thousands of attempts that ended. The index has an empty file
// `.running/<run>/<action>.<attempt>` for each attempt that was begun and not yet seen to have
// ended. The index is not synced to the disk: after a power cut nothing runs. Not thread-safe;
// several agents may use one index.
#pragma once

#include "agent/host.h"

namespace drydock::agent {

class RunningIndex {
public:
    explicit RunningIndex(std::string state_folder);

    // Must come before the attempt's supervisor is started.
    [[nodiscard]] Status add(const ActionKey& key) const;
    [[nodiscard]] bool has(const ActionKey& key) const;
    // Must be called only for an attempt that ended.
    void remove(const ActionKey& key) const;
    // Returns all attempts that were added and not removed, sorted. The first call on a state
    // folder looks at all attempts once: an agent without an index may have begun some. An error
    // means that some attempts may run unseen.
    [[nodiscard]] Result<std::vector<ActionKey>> keys() const;

private:
    [[nodiscard]] Status complete() const;

    std::string state_;
    std::string folder_;
};

}  // namespace drydock::agent
