// Django's migrations: classes with dependencies across apps.
//
// An id is "label.0001_name"; the label is that of apps.py beside `migrations`, else the folder's
// name. A dependency on an app that the package does not have is another package's business and no
// edge.
#pragma once

#include "chain/chain.h"
#include "chain/package.h"

namespace drydock::chain {

// Whether a file may be one, by its path.
[[nodiscard]] bool may_be_django(std::string_view path);

// `apps`: the files apps.py of the apps.
void read_django(const Texts& texts, const Texts& apps, Reading& reading);

}  // namespace drydock::chain
