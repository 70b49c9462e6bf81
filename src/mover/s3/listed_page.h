// One page of a listing: ListObjectsV2 or ListObjectVersions. Pure.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

// An object, or one of its versions.
struct ListedObject {
    std::string key;
    std::int64_t bytes = 0;
    std::string etag;        // without quotes; of a multipart upload it ends with "-PARTS"
    std::string version;     // empty in a listing of objects
    bool is_marker = false;  // a delete marker: it has neither bytes nor etag
};

struct ListedPage {
    std::vector<ListedObject> objects;  // versions of a key: newest first
    bool has_more = false;
};

// Parses a page; keys are decoded if the page says that they are encoded. Error: "s3.answer".
[[nodiscard]] Result<ListedPage> read_listed_page(std::string_view xml);

// Returns an ETag without its quotes.
[[nodiscard]] std::string_view bare_etag(std::string_view etag);

}  // namespace drydock::mover::s3
