// Backward reachability: the rows from which an end is reachable when no further fault happens.
#pragma once

#include "checker/search.h"

#include <algorithm>
#include <vector>

namespace drydock::checker {

inline constexpr Faults k_no_faults = {0, 0, 0, 0, 0};

// Returns for each row, by its id, whether it is an end or reaches one by the witness successors of
// the search. `stays(row)`: no successor of the row counts.
template <class IsEnd, class Stays>
std::vector<bool> follow_witnesses(const Search& search, const IsEnd& is_end, const Stays& stays) {
    enum class Conclusion : Byte { nothing, asked, ends, unsure };
    const std::vector<std::uint32_t> ids = search.in_order();
    const std::size_t size = std::size_t{*std::max_element(ids.begin(), ids.end())} + 1;
    std::vector<Conclusion> conclusions(size, Conclusion::nothing);
    std::vector<std::uint32_t> path;
    for (std::size_t i = ids.size(); i > 0; --i) {
        std::uint32_t current_id = ids[i - 1];
        Conclusion end = Conclusion::unsure;  // also where the path meets itself
        for (path.clear();
             current_id != k_no_state && conclusions[current_id] == Conclusion::nothing;) {
            path.push_back(current_id);
            conclusions[current_id] =
                is_end(search.row(current_id)) ? Conclusion::ends : Conclusion::asked;
            current_id = conclusions[current_id] == Conclusion::ends ? current_id
                         : stays(search.row(current_id))             ? k_no_state
                                                         : search.witness_successor(current_id);
        }
        if (current_id != k_no_state && conclusions[current_id] == Conclusion::ends) {
            end = Conclusion::ends;
        }
        for (const std::uint32_t id : path) {
            conclusions[id] = end;
        }
    }
    std::vector<bool> ends(size);
    std::transform(conclusions.begin(), conclusions.end(), ends.begin(), [](Conclusion conclusion) {
        return conclusion == Conclusion::ends;
    });
    return ends;
}

// Returns for each row, by its id, whether it is an end or leads to one. leads(row, successors,
// leads_to_end) judges a row; leads_to_end(k) is true if successor k leads to an end. A successor
// with several instances must lead there with each. `ends`, if not empty, are known ends.
//
// The fixpoint runs backwards without stored predecessors: rows that were reached late are expanded
// first, so a few passes suffice.
template <class IsEnd, class Leads>
std::vector<bool> backward_reachable(const Model& model,
                                     const Options& options,
                                     const Search& search,
                                     const IsEnd& is_end,
                                     const Leads& leads,
                                     std::vector<bool> ends = {}) {
    const std::vector<std::uint32_t> ids = search.in_order();
    const std::size_t size = std::size_t{*std::max_element(ids.begin(), ids.end())} + 1;
    ends.resize(size, false);
    // Without further faults, fault usage makes no difference: one row represents all that differ
    // in it.
    std::vector<std::uint32_t> representative(size, k_no_state);
    std::vector<std::uint32_t> order;
    for (const std::uint32_t id : ids) {
        if (ends[id]) {
            continue;
        }
        representative[id] = search.find(search.row(id));
        if (representative[id] == id) {
            order.push_back(id);
        }
    }
    SuccessorGenerator explorer(model, k_no_faults, true, true, options.resolve_local);
    Symmetry symmetry = search.symmetry();
    Successors batch(model.size);
    const Byte* expanded_row = nullptr;
    const auto leads_to_end = [&](std::size_t k) {
        const auto versions = symmetry.instantiate(expanded_row, batch.row(k));
        bool all_lead = true;
        for (std::size_t position = 0; position < versions.size() && all_lead;
             position += model.size) {
            const std::uint32_t next = search.find(&versions[position]);
            all_lead = next != k_no_state && ends[next];
        }
        return all_lead;
    };
    for (bool has_changed = true; has_changed;) {
        has_changed = false;
        for (std::size_t i = order.size(); i > 0; --i) {
            const std::uint32_t id = order[i - 1];
            const Byte* row = search.row(id);
            if (ends[id]) {
                continue;
            }
            batch.clear();
            expanded_row = row;
            if (!is_end(row)) {
                explorer.expand(row, batch);
            }
            ends[id] = is_end(row) || leads(row, batch, leads_to_end);
            has_changed = has_changed || ends[id];
        }
    }
    for (const std::uint32_t id : ids) {
        ends[id] = ends[id] || ends[representative[id]];
    }
    return ends;
}

// True if one successor leads to an end.
struct AnySuccessorLeads {
    template <class LeadsToEnd>
    bool
    operator()(const Byte* /*row*/, const Successors& batch, const LeadsToEnd& leads_to_end) const {
        bool reaches_end = false;
        for (std::size_t k = 0; k < batch.size() && !reaches_end; ++k) {
            reaches_end = leads_to_end(k);
        }
        return reaches_end;
    }
};

}  // namespace drydock::checker
