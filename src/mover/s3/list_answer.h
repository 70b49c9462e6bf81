// The answer of S3 to ListObjects, and the code of an error answer.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct Object {
    std::string key;
    std::int64_t bytes = 0;
};

struct ListPage {
    std::vector<Object> objects;
    bool has_more = false;
};

// Parses a list. Error: "s3.answer" for a text that is no ListBucketResult, or is cut off.
[[nodiscard]] Result<ListPage> read_list(std::string_view xml);

// Returns "NoSuchKey" for <Error><Code>NoSuchKey</Code>...; empty if there is no code.
[[nodiscard]] std::string error_code_of(std::string_view xml);

}  // namespace drydock::mover::s3
