// Digests: the SHA-256 of a whole file, read in portions. "os.not_plain" for a pipe, a device or a
// folder.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <string>

namespace drydock::agent {

[[nodiscard]] Result<std::string> digest_file(const std::string& path);  // hex
[[nodiscard]] Result<std::string> digest_open(const os::Fd& file);       // of an open file
// The same, remembered while the file's identity, size and times stay. Thread-safe.
[[nodiscard]] Result<std::string> digest_file_cached(const std::string& path);

// Remembers digests in this file, too, for later agents. It must be private to the user: write
// access to it decides which digests are believed. Called once, before the first probe.
void keep_digests_in(const std::string& file);

}  // namespace drydock::agent
