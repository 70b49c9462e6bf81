// SHA-256 of a whole file, read in portions. "os.not_plain" for a pipe, a device or a folder.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <string>

namespace drydock::agent {

[[nodiscard]] Result<std::string> digest_file(const std::string& path);  // hex
[[nodiscard]] Result<std::string> digest_open(const os::Fd& file);       // of an open one
// The same, remembered while the file's identity, size and times stay. Thread-safe.
[[nodiscard]] Result<std::string> digest_file_cached(const std::string& path);

// Digests are remembered in this file, too, for agents to come. It must be private to the user: who
// can write it decides what is believed. Called once, before probes are asked.
void keep_digests_in(const std::string& file);

}  // namespace drydock::agent
