// The schemas of all files, and the word lists that several of them share.
#pragma once

#include "model/pack.h"
#include "pack/value_schema.h"

#include <string>
#include <vector>

namespace drydock::pack {

[[nodiscard]] const Schema& pack_file_schema();
[[nodiscard]] const Schema& releases_file_schema();
[[nodiscard]] const Schema& procedure_file_schema();  // one document of procedures/*.yaml
[[nodiscard]] const Schema& cluster_file_schema();

[[nodiscard]] Schema condition_schema();
[[nodiscard]] Schema release_schema();
[[nodiscard]] std::vector<std::string> relation_names();  // in the order of Relation
[[nodiscard]] std::vector<std::string> whose_names();     // in the order of Quantifier
[[nodiscard]] const std::vector<std::string>& probe_kinds();
[[nodiscard]] const std::vector<std::string>& derive_kinds();

// Returns the value up to `last` with the name_of() `name`; `fallback` if there is none.
template <class Enum>
Enum enum_from(const std::string& name, Enum last, Enum fallback) {
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        if (name_of(static_cast<Enum>(i)) == name) {
            return static_cast<Enum>(i);
        }
    }
    return fallback;
}

}  // namespace drydock::pack
