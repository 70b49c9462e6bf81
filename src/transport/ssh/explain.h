// What the last words of `ssh` and `sudo` mean, and what a person can do about it.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::transport {

// Returns `ended` with a code and a remedy of its own where the last words are known ones. `name`
// is the host's name for ssh. Pure.
[[nodiscard]] Error
explain_ssh_end(const std::string& name, Error ended, std::string_view last_words);

}  // namespace drydock::transport
