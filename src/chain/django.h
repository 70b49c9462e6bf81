// Django's migrations: classes with dependencies across apps.
//
// An id is "app.0001_name"; the app is the folder above `migrations`. A dependency on an app that
// the package does not have is another package's business and no edge.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

namespace drydock::chain {

// Whether a file may be one, by its path.
[[nodiscard]] bool may_be_django(std::string_view path);

void read_django(const Texts& texts, Reading& reading);

}  // namespace drydock::chain
