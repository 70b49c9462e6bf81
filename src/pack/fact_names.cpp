// Facts by name, as steps, conditions and stores mean them.
//
// Roles and the system may have facts of one name. So a name that is unknown in one place may be
// known in another, and the problem says where.
#include "pack/pack_reader.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::pack {

namespace {

// Returns the facts that a step of the role may name. Without a role these are all.
std::vector<std::string> fact_names(const model::Pack& pack, const std::string& role) {
    std::vector<std::string> names;
    for (const model::FactSpec& fact : pack.facts) {
        if (role.empty() || fact.role.empty() || fact.role == role) {
            names.push_back(fact.name);
        }
    }
    return names;
}

// Returns the roles that have such a fact; "the system" is one.
std::vector<std::string> owners_of(const model::Pack& pack, const std::string& name) {
    std::vector<std::string> owners;
    for (const model::FactSpec& fact : pack.facts) {
        if (fact.name == name) {
            owners.push_back(fact.role.empty() ? "the system" : fmt::format("`{}`", fact.role));
        }
    }
    return owners;
}

}  // namespace

// The own role comes before the system: a pack may give both a fact `version`. A fact of another
// role counts only if its name is unique, else the reader asks for `role`.
const model::FactSpec*
find_fact(const model::Pack& pack, const std::string& role, const std::string& name) {
    const model::FactSpec* match = nullptr;
    int match_count = 0;
    for (const std::string& role_name : {role, std::string()}) {
        const auto spec =
            std::find_if(pack.facts.begin(), pack.facts.end(), [&](const model::FactSpec& fact) {
                return fact.name == name && fact.role == role_name;
            });
        if (spec != pack.facts.end()) {
            return &*spec;
        }
    }
    for (const model::FactSpec& fact : pack.facts) {
        if (fact.name == name) {
            match = &fact;
            ++match_count;
        }
    }
    return match_count == 1 ? match : nullptr;
}

const model::FactSpec*
find_own_fact(const model::Pack& pack, const std::string& role, const std::string& name) {
    const model::FactSpec* fact = find_fact(pack, role, name);
    return fact != nullptr && fact->role == role ? fact : nullptr;
}

bool is_bound(const model::Pack& pack, const std::string& role, model::StandardFact fact) {
    return std::any_of(pack.facts.begin(), pack.facts.end(), [&](const model::FactSpec& spec) {
        return spec.role == role && spec.standard_fact == fact;
    });
}

void report_unknown_fact(const Node& fact, const std::string& role, PackReader& reader) {
    const auto owners = owners_of(reader.pack, fact.scalar);
    if (owners.empty()) {
        return report_unknown_name(
            reader.diagnostics, fact.position, "fact", fact.scalar, fact_names(reader.pack, role));
    }
    const std::string wanted = role.empty() ? "the system" : fmt::format("`{}`", role);
    reader.diagnostics.error("fact.role",
                             fact.position,
                             fmt::format("`{}` is a fact of {}, and not of {}",
                                         fact.scalar,
                                         fmt::join(owners, " and of "),
                                         wanted),
                             fmt::format("name a fact of {}, or give it one in pack.yaml", wanted));
}

}  // namespace drydock::pack
