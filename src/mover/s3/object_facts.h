// What one object carries besides its bytes: headers, tags, and whether its ETag is a digest. Pure.
#pragma once

#include "mover/s3/client.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

// The tags of an object, in the two forms that requests have.
struct ObjectTags {
    std::string header;    // "team=a%20b"; empty: there are none
    std::string document;  // the XML of GET ?tagging

    [[nodiscard]] bool is_empty() const { return header.empty(); }
};

// Returns metadata, content headers and storage class of an answer to GET or HEAD.
[[nodiscard]] NameValues carried_headers(const Answer& answer);

// Returns the tags in the answer to GET ?tagging.
[[nodiscard]] ObjectTags tags_of(const Answer& answer);

// Returns true if the answer says that there are no tags: none are set, or the server knows none.
[[nodiscard]] bool has_no_tags(const Answer& answer);

// Returns true if the ETag is no digest of the bytes: the object is encrypted with a key of its
// own.
[[nodiscard]] bool has_own_key(const Answer& answer);

// Returns the ETag in the body of CopyObject, UploadPartCopy or CompleteMultipartUpload.
[[nodiscard]] std::string etag_in(const Answer& answer);

// Returns the number; 0 for a text that is none.
[[nodiscard]] std::int64_t number_of(std::string_view text);

}  // namespace drydock::mover::s3
