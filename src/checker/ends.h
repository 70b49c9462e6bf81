// Ends: from which rows of an exploration something can still be reached when nothing fails any
// more.
#pragma once

#include "checker/search.h"

#include <algorithm>
#include <vector>

namespace drydock::checker {

inline constexpr Faults k_no_faults = {0, 0, 0, 0, 0};

// For each row, by its id, whether it is an end, or leads to one by the one way that the search
// noted. `stays(row)`: no way from it counts.
template <class IsEnd, class Stays>
std::vector<bool> along_one_way(const Search& search, const IsEnd& is_end, const Stays& stays) {
    enum class Known : Byte { nothing, asked, ends, unsure };
    const std::vector<std::uint32_t> all = search.in_order();
    const std::size_t size = std::size_t{*std::max_element(all.begin(), all.end())} + 1;
    std::vector<Known> known(size, Known::nothing);
    std::vector<std::uint32_t> way;
    for (std::size_t i = all.size(); i > 0; --i) {
        std::uint32_t at = all[i - 1];
        Known end = Known::unsure;  // as where the way meets itself
        for (way.clear(); at != k_nobody && known[at] == Known::nothing;) {
            way.push_back(at);
            known[at] = is_end(search.row(at)) ? Known::ends : Known::asked;
            at = known[at] == Known::ends ? at
                 : stays(search.row(at))  ? k_nobody
                                          : search.onward(at);
        }
        if (at != k_nobody && known[at] == Known::ends) {
            end = Known::ends;
        }
        for (const std::uint32_t id : way) {
            known[id] = end;
        }
    }
    std::vector<bool> ends(size);
    std::transform(
        known.begin(), known.end(), ends.begin(), [](Known one) { return one == Known::ends; });
    return ends;
}

// For each row, by its id, whether it is an end, or leads to one: leads(row, batch, leads_to_end)
// judges what can happen in it, leads_to_end(k) tells of each; what may lead to several rows, by
// who is named then, must do so with each. From the ends backwards, without keeping who leads
// where: rows that were reached late are looked at first, so that a few passes settle it. `ends`,
// if not empty, are known already.
template <class IsEnd, class Leads>
std::vector<bool> from_the_ends(const Site& site,
                                const Options& options,
                                const Search& search,
                                const IsEnd& is_end,
                                const Leads& leads,
                                std::vector<bool> ends = {}) {
    const std::vector<std::uint32_t> all = search.in_order();
    const std::size_t size = std::size_t{*std::max_element(all.begin(), all.end())} + 1;
    ends.resize(size, false);
    // Where no fault happens any more, what was spent makes no difference: one row speaks for all.
    std::vector<std::uint32_t> speaker(size, k_nobody);
    std::vector<std::uint32_t> order;
    for (const std::uint32_t id : all) {
        if (ends[id]) {
            continue;
        }
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
        ends[id] = ends[id] || ends[speaker[id]];
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
