// Finds the facts that a fact needs, and reports those that need themselves.
#include "pack/fact_inputs.h"

#include "base/text.h"
#include "pack/value_schema.h"

#include <algorithm>

namespace drydock::pack {

using model::Derivation;
using model::FactSpec;

bool is_over_members(const FactSpec& fact) {
    return fact.derive == Derivation::lowest || fact.derive == Derivation::highest
           || fact.derive == Derivation::agreed;
}

namespace {

// Returns true if `fact` may refer to `candidate` by name. A derivation over members uses members'
// facts; other derivations stay in their own scope; probes use system facts.
bool is_input(const FactSpec& fact, const FactSpec& candidate) {
    if (is_over_members(fact)) {
        return !candidate.role.empty();
    }
    return candidate.role == (fact.is_derived() ? fact.role : std::string());
}

// Returns positions in pack.facts. A name may match facts of several roles.
std::vector<std::size_t> inputs_of(const model::Pack& pack, const FactSpec& fact) {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < pack.facts.size(); ++i) {
        const FactSpec& candidate = pack.facts[i];
        const auto& names = fact.inputs;
        if (is_input(fact, candidate)
            && std::find(names.begin(), names.end(), candidate.name) != names.end()) {
            indices.push_back(i);
        }
    }
    return indices;
}

// Depth-first search for facts that need themselves. `path_` holds the facts under way. Each cycle
// is reported once, by the fact through which the search entered it.
class CycleSearch {
public:
    explicit CycleSearch(PackReader& reader)
        : reader_(reader)
        , is_checked_(reader.pack.facts.size(), false) {}

    void search() {
        for (std::size_t i = 0; i < is_checked_.size(); ++i) {
            visit(i);
        }
    }

private:
    void visit(std::size_t index) {
        const auto occurrence = std::find(path_.begin(), path_.end(), index);
        if (occurrence != path_.end()) {
            return report(static_cast<std::size_t>(occurrence - path_.begin()));
        }
        if (is_checked_[index]) {
            return;
        }
        path_.push_back(index);
        for (const std::size_t input : inputs_of(reader_.pack, reader_.pack.facts[index])) {
            visit(input);
        }
        path_.pop_back();
        is_checked_[index] = true;
    }

    void report(std::size_t first) {
        std::vector<std::string> names;
        for (std::size_t i = first; i < path_.size(); ++i) {
            names.push_back(reader_.pack.facts[path_[i]].name);
        }
        names.push_back(names.front());
        reader_.diagnostics.error("fact.circle",
                                  reader_.pack.facts[path_[first]].position,
                                  "a fact that needs itself: " + join(names, " -> "),
                                  "give one of them a probe");
    }

    PackReader& reader_;
    std::vector<bool> is_checked_;
    std::vector<std::size_t> path_;
};

}  // namespace

// Runs after all facts are read, because a derivation may name a fact further down.
void check_inputs(const Node& derive, const FactSpec& fact, PackReader& reader) {
    std::vector<std::string> input_names;
    for (const FactSpec& candidate : reader.pack.facts) {
        if (is_input(fact, candidate)) {
            input_names.push_back(candidate.name);
        }
    }
    for (const Entry& way : derive.entries) {
        for (const Node* item : items_of(way.value)) {
            if (std::find(input_names.begin(), input_names.end(), text_of(*item))
                == input_names.end()) {
                report_unknown_name(
                    reader.diagnostics, item->position, "fact", text_of(*item), input_names);
            }
        }
    }
}

void report_cycles(PackReader& reader) {
    CycleSearch(reader).search();
}

}  // namespace drydock::pack
