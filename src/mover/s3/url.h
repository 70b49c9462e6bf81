// Percent-encoding as S3 and its signature demand it. Pure.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock::mover::s3 {

using NameValue = std::pair<std::string, std::string>;
using NameValues = std::vector<NameValue>;

// Encodes all bytes but letters, digits and "-_.~" as %XX with capital digits. `kept` names further
// bytes that stay, such as "/" of a path.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view kept = {});

// Decodes %XX, and `+` as a space. Error: "s3.answer" for a broken escape.
[[nodiscard]] Result<std::string> percent_decoded(std::string_view text);

// Returns "a=1&b=" with encoded names and values, sorted as the signature demands.
[[nodiscard]] std::string canonical_query(const NameValues& query);

}  // namespace drydock::mover::s3
