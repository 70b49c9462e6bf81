// Stores, and the laws that releases of series and axes have for them.
#pragma once

#include "model/pack.h"
#include "pack/pack_reader.h"

#include <map>
#include <string>

namespace drydock::pack {

// Reads `stores` and `axes` of releases.yaml, and checks the facts and roles that they name.
void read_stores(const Node& document, PackReader& reader);

// Returns `law` with the changes of `entry`: keys that are left out keep the inherited value.
[[nodiscard]] model::FormatSupport
read_law(const Entry& entry, model::FormatSupport law, PackReader& reader);

// Returns true if a law for the store that the key names belongs to releases of that axis ("": the
// members' own releases). Reports it otherwise.
bool is_law_here(const Entry& entry, const std::string& axis, PackReader& reader);

// Reports the stores of that axis for which `laws` has none. `entry` has the series or release.
void check_covers(const Entry& entry,
                  const std::string& axis,
                  const std::map<std::string, model::FormatSupport>& laws,
                  PackReader& reader);

}  // namespace drydock::pack
