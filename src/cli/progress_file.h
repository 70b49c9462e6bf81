// Tells a run of drydock how far this command came: the command is an action of the run then.
//
// The agent names the file in $DRYDOCK_PROGRESS (docs/formats/agent-protocol.md). Without it
// nothing is written. Not thread-safe.
#pragma once

#include "os/clock.h"

#include <cstdint>
#include <string>

namespace drydock::cli {

class ProgressFile {
public:
    explicit ProgressFile(os::Clock& clock);

    // Replaces the file, at most once a second. A failure is no reason to end the work.
    void show(std::int64_t done, std::int64_t all, const std::string& unit);

private:
    os::Clock& clock_;
    std::string path_;
    std::int64_t begun_ms_;
    std::int64_t told_ms_;
};

}  // namespace drydock::cli
