// The answer of S3 to "list the objects", and the code of its error answers.
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

// Error: "s3.answer" for what is no ListBucketResult, or is cut off.
[[nodiscard]] Result<ListPage> read_list(std::string_view xml);

// "NoSuchKey" of <Error><Code>NoSuchKey</Code>...; empty if there is none.
[[nodiscard]] std::string error_code_of(std::string_view xml);

}  // namespace drydock::mover::s3
