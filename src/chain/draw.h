// A picture of two chains with their difference marked. Revisions of both that do not touch the
// difference are folded into dashed lines.
#pragma once

#include "chain/chain.h"

#include <string>

namespace drydock::chain {

enum class PictureFormat { svg, dot };

[[nodiscard]] std::string draw(const Reading& old_reading,
                               const Reading& new_reading,
                               const Comparison& comparison,
                               PictureFormat format);

}  // namespace drydock::chain
