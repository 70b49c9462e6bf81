// What a server can, found out by a few requests to a scratch object, and what it cannot do said in
// words.
#pragma once

#include "mover/s3/client.h"

#include <string>
#include <vector>

namespace drydock::mover::s3 {

struct Abilities {
    bool is_probed = false;
    bool checks_sums = false;            // refuses a body with a wrong x-amz-checksum-sha256
    bool checks_if_none_match = false;   // a PUT with If-None-Match: * never replaces
    bool checks_copy_condition = false;  // x-amz-copy-source-if-match
    bool keeps_tags = false;
    bool tells_part_sizes = false;  // HEAD with partNumber
    bool keeps_versions = false;    // the bucket has versions switched on
};

// Probes with an object ".drydock-probe-..." in this bucket, which is removed again with all its
// versions. Errors: those of the client for a bucket that cannot be written to.
[[nodiscard]] Result<Abilities> probe_abilities(HttpLoop& loop,
                                                Client& client,
                                                const std::string& bucket,
                                                const std::string& prefix);

// Returns a sentence for each missing ability: what follows from it, and what is done instead.
[[nodiscard]] std::vector<std::string> shortcomings(const Abilities& abilities);

// Returns true if the bucket has versions switched on. Errors: those of the client.
[[nodiscard]] Result<bool>
has_versions_on(HttpLoop& loop, Client& client, const std::string& bucket);

}  // namespace drydock::mover::s3
