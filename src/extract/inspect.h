// Start here: inspect() reads a file of `pachctl extract` once and tells what is in it. Then
// inspection.h (the answer), counts.h (the comparison with a cluster), and from the bottom up:
// byte_source.h, crc32c.h, snappy_frames.h, records.h, wire.h, op.h, fingerprints.h, census.h.
//
// The file is a snappy stream of records, one op each, of one of the versions 1.7 to 1.13. It has
// no count and no end mark: a file that was cut between two ops looks whole, and `pachctl restore`
// takes it. So only counts from elsewhere prove that it is complete.
//
// Memory does not grow with the size of the file. It grows by 10 to 13 bytes for each commit, and
// for each object and block that is named, up to 0.8 GB each.
#pragma once

#include "base/result.h"
#include "extract/byte_source.h"
#include "extract/inspection.h"

#include <cstdint>
#include <functional>
#include <string>

namespace drydock::extract {

// Told about once a MiB: bytes that were read, and the size of the file.
using OnBytes = std::function<void(std::int64_t done, std::int64_t total)>;

// Errors: "os.*" if the file cannot be read, "extract.not_snappy" if it is no extract file. Damage
// is no error: the answer tells what was read before it.
[[nodiscard]] Result<Inspection> inspect(const std::string& path, const OnBytes& on_bytes = {});

// Does the same with any source. The answer has neither file name, size nor digest.
[[nodiscard]] Result<Inspection> inspect_source(ByteSource& source);

}  // namespace drydock::extract
