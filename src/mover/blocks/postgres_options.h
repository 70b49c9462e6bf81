// Which options a URI of PostgreSQL may have. Pure but for a look at the file of `sslrootcert`.
//
// libpq loads programs (`sslkey=ENGINE:...`), reads and sends other files, and asks other servers
// by options. A URI that came from somewhere may only say where the database is. Variables such as
// PGSSLKEY are the user's own.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::mover::blocks {

// Errors: "blocks.config" names the option, and never its value.
[[nodiscard]] Status check_postgres_option(const std::string& keyword, const std::string& value);

}  // namespace drydock::mover::blocks
