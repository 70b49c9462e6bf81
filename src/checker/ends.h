// Ends: from which rows of an exploration something can still be reached when nothing fails any
// more.
#pragma once

#include "checker/search.h"

#include <algorithm>
#include <vector>

namespace drydock::checker {

inline constexpr Faults k_no_faults = {0, 0, 0, 0, 0};

// For each row, by its id, whether it is an end, or leads to one: leads(row, batch, leads_to_end)
// judges what can happen in it, leads_to_end(k) tells of each; what may lead to several rows, by
// who is named then, must do so with each. From the ends backwards, without keeping who leads
// where: rows that were reached late are looked at first, so that a few passes settle it.
template <class IsEnd, class Leads>
std::vector<bool> from_the_ends(const Site& site,
                                const Options& options,
                                const Search& search,
                                const IsEnd& is_end,
                                const Leads& leads) {
    const std::vector<std::uint32_t> all = search.in_order();
    const std::size_t size = std::size_t{*std::max_element(all.begin(), all.end())} + 1;
    std::vector<bool> ends(size, false);
    // Where no fault happens any more, what was spent makes no difference: one row speaks for all.
    std::vector<std::uint32_t> speaker(size, k_nobody);
    std::vector<std::uint32_t> order;
    for (const std::uint32_t id : all) {
        speaker[id] = search.find(search.row(id));
        if (speaker[id] == id) {
            order.push_back(id);
        }
    }
    Explorer explorer(site, k_no_faults, true, true, options.shortcuts);
    Symmetry symmetry = search.symmetry();
    Batch batch(site.size);
    const Byte* here = nullptr;
    const auto leads_to_end = [&](std::size_t k) {
        const auto versions = symmetry.versions(here, batch.row(k));
        bool each = true;
        for (std::size_t at = 0; at < versions.size() && each; at += site.size) {
            const std::uint32_t next = search.find(&versions[at]);
            each = next != k_nobody && ends[next];
        }
        return each;
    };
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t i = order.size(); i > 0; --i) {
            const std::uint32_t id = order[i - 1];
            const Byte* row = search.row(id);
            if (ends[id]) {
                continue;
            }
            batch.clear();
            here = row;
            if (!is_end(row)) {
                explorer.expand(row, batch);
            }
            ends[id] = is_end(row) || leads(row, batch, leads_to_end);
            moved = moved || ends[id];
        }
    }
    for (const std::uint32_t id : all) {
        ends[id] = ends[speaker[id]];
    }
    return ends;
}

// One way is enough.
struct OneLeads {
    template <class LeadsToEnd>
    bool operator()(const Byte* /*row*/, const Batch& batch, const LeadsToEnd& leads_to_end) const {
        bool one = false;
        for (std::size_t k = 0; k < batch.size() && !one; ++k) {
            one = leads_to_end(k);
        }
        return one;
    }
};

}  // namespace drydock::checker
