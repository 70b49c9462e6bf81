// What a server can, found out by a few requests to a scratch object, and what it cannot do said in
// words.
#pragma once

#include "mover/s3/client.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct Abilities {
    bool is_probed = false;
    bool checks_sums = false;            // refuses a body with a wrong x-amz-checksum-sha256
    bool checks_if_none_match = false;   // a PUT with If-None-Match: * never replaces
    bool checks_copy_condition = false;  // x-amz-copy-source-if-match
    bool keeps_tags = false;
    bool tells_part_sizes = false;  // HEAD with partNumber
    bool copies_parts = false;      // UploadPartCopy
    bool digests_parts = false;     // the ETag of an upload is the digest of those of its parts
    bool keeps_versions = false;    // the bucket has versions switched on
    bool keeps_keys = false;        // "a//b" and "a/../b" are no other names of "a/b" and "b"
};

// True for a key that a server may take for a path and shorten: it begins with a slash, or has a
// part that is empty, "." or "..".
[[nodiscard]] bool is_path_like(std::string_view key);

// Returns the error of such a key at a server that shortens it.
[[nodiscard]] Error other_key_error();

// Returns the key of a scratch object behind this prefix: ".drydock-probe-..." with random digits.
[[nodiscard]] std::string new_probe_key(const std::string& prefix);

// Probes with an object of this key, which is removed again with all its versions. Errors: those of
// the client for a bucket that cannot be written to.
[[nodiscard]] Result<Abilities>
probe_abilities(HttpLoop& loop, Client& client, const std::string& bucket, const std::string& key);

// Removes what a probe left that was killed: the object, its versions and its upload.
[[nodiscard]] Status
remove_probe(HttpLoop& loop, Client& client, const std::string& bucket, const std::string& key);

// Returns a sentence for each missing ability of the target: what follows from it, and what is done
// instead. Some follow only where the server itself copies, and not where bytes pass through this
// process.
[[nodiscard]] std::vector<std::string> shortcomings(const Abilities& abilities, bool passes_bytes);

// Returns true if the bucket has versions switched on. Errors: those of the client.
[[nodiscard]] Result<bool>
has_versions_on(HttpLoop& loop, Client& client, const std::string& bucket);

}  // namespace drydock::mover::s3
