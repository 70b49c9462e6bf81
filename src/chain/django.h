// Django's migrations: classes with dependencies across apps.
//
// An id is "label.0001_name". The label is that of apps.py beside `migrations`, else the name of
// the folder. A dependency on an app of another package is no edge.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

namespace drydock::chain {

// Returns true if a file may be a migration, by its path.
[[nodiscard]] bool may_be_django(std::string_view path);

// Reads migrations into the graph. `apps` has the files apps.py of their apps.
void read_django(const Texts& texts, const Texts& apps, Reading& reading);

}  // namespace drydock::chain
