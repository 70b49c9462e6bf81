// Django's migrations: classes with dependencies across apps.
//
// An id is "app.0001_name"; the app is the folder above `migrations`. A dependency on an app of
// another package is no edge.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

namespace drydock::chain {

// Returns true if a file may be a migration, by its path.
[[nodiscard]] bool may_be_django(std::string_view path);

void read_django(const Texts& texts, Reading& reading);

}  // namespace drydock::chain
