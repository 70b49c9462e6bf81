// The options that a URI of PostgreSQL may have. Pure but for a look at the file of `sslrootcert`.
//
// libpq loads programs (`sslkey=ENGINE:...`), reads and sends other files, and contacts other
// servers by options. A URI from elsewhere may contain only the place of the database. Variables
// such as PGSSLKEY belong to the user and are not restricted.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::mover::blocks {

// Checks one option. Error: "blocks.config" names the option, and never its value.
[[nodiscard]] Status check_postgres_option(const std::string& keyword, const std::string& value);

}  // namespace drydock::mover::blocks
