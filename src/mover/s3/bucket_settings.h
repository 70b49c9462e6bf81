// The settings of a whole bucket, which no object carries: versioning, policy, lifecycle, CORS,
// tags.
#pragma once

#include "mover/s3/client.h"

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

enum class SettingState : std::uint8_t {
    equal,
    missing,  // at the target
    differs,
    extra,       // at the target only
    copied,      // was missing or differed
    unreadable,  // denied, or not known to the server
};

[[nodiscard]] const char* name_of(SettingState state);

struct SettingDifference {
    std::string name;  // "lifecycle"
    SettingState state = SettingState::equal;
    std::string reason;  // of `unreadable`
};

// Compares all settings, and copies those of the source if `copies`. Returns those that at least
// one side has. Settings of the target that the source lacks stay.
[[nodiscard]] std::vector<SettingDifference> compare_settings(HttpLoop& loop,
                                                              Client& source,
                                                              const std::string& source_bucket,
                                                              Client& target,
                                                              const std::string& target_bucket,
                                                              bool copies);

}  // namespace drydock::mover::s3
