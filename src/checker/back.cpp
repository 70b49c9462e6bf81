#include "checker/back.h"

#include "checker/story.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

using run::Phase;
using run::Status;

constexpr Faults k_no_faults = {0, 0, 0, 0, 0};
constexpr std::size_t k_back_bytes_max = std::size_t{64} << 20U;

bool is_in_phase(const Byte* row, Phase phase) {
    return row[0] == static_cast<Byte>(phase);
}

// Every member runs the release that the way back leads to.
std::string wrong_at_the_end(const Site& site, const Byte* row) {
    for (const Member& member : site.members) {
        if (member.running == k_nowhere) {
            continue;
        }
        const model::Observation& runs = site.values.at(row[member.running]);
        if (runs.value.show() != site.plan.to && !member.turns.empty()) {
            return fmt::format("at its end {} does not run {}", member.name, site.plan.to);
        }
    }
    return {};
}

// What the exploration of a way back found wrong; empty: nothing.
std::string verdict_of(const Site& site, const Options& options, const Search& search) {
    for (const Property property : {Property::unreadable_start,
                                    Property::lost_writes,
                                    Property::quorum,
                                    Property::skew,
                                    Property::unverified_destroy}) {
        if (const auto& breach = search.breach(property)) {
            const Walk walk = walk_to(site, options, search, *breach, property);
            return fmt::format("{}: {}", name_of(property), tell(site, property, walk).because);
        }
    }
    bool ends = false;
    std::string halted_at;
    for (const std::uint32_t id : search.in_order()) {
        const Byte* row = search.row(id);
        if (is_in_phase(row, Phase::finished)) {
            ends = true;
            if (std::string wrong = wrong_at_the_end(site, row); !wrong.empty()) {
                return wrong;
            }
        }
        for (std::size_t i = 0; i < site.acts.size() && halted_at.empty(); ++i) {
            if (site.status(row, i) == static_cast<Byte>(Status::failed)) {
                halted_at = site.plan.actions[i].title;
            }
        }
    }
    return ends ? "" : fmt::format("it halts at \"{}\" and cannot go on", halted_at);
}

}  // namespace

WaysBack::WaysBack(const Site& site, const Options& options) : site_(site), options_(options) {
}

// All of a row but what the run itself and the faults left in it.
std::string WaysBack::world_of(const Byte* row) const {
    std::string world(reinterpret_cast<const char*>(row), site_.size);
    world[0] = 0;
    for (const Act& act : site_.acts) {
        world[act.at] = 0;
        if (act.ran != k_nowhere) {
            world[act.ran] = 0;
        }
    }
    for (std::size_t i = 0; i < k_faults; ++i) {
        world[site_.used + i] = 0;
    }
    return world;
}

bool WaysBack::is_asked(const Byte* row) const {
    const bool at_rest = std::none_of(site_.acts.begin(), site_.acts.end(), [&](const Act& act) {
        const auto status = static_cast<Status>(row[act.at] & 0xFU);
        return status == Status::intended || status == Status::lost || status == Status::ready;
    });
    const bool all_answer =
        std::all_of(site_.members.begin(), site_.members.end(), [&](const Member& member) {
            return row[member.away] == 0;
        });
    // Where it could close before the plan's first action, nobody promises one.
    const bool open_at_first =
        std::none_of(site_.rises.begin(), site_.rises.end(), [](const Rise& rise) {
            return rise.closes && rise.from_the_start;
        });
    return open_at_first && at_rest && all_answer && !is_approved(site_, row)
           && !is_closing(site_, row);
}

std::string WaysBack::attempt(const Byte* row) const {
    const bool nothing_to_do =
        std::all_of(site_.members.begin(), site_.members.end(), [&](const Member& member) {
            const auto is_old = [&](Place at) {
                return at == k_nowhere || row[at] == k_absent
                       || site_.values.at(row[at]).value.show() == site_.plan.from;
            };
            return is_old(member.running) && is_old(member.installed);
        });
    if (nothing_to_do) {
        return {};
    }
    const Start start = site_.start(row);
    const auto plan = options_.back(start.facts);
    if (!plan) {
        return fmt::format("drydock downgrade is refused: {}", plan.error().message);
    }
    const Site back(*plan, &start);
    Options options;
    options.faults = k_no_faults;
    options.memory_max = k_back_bytes_max;
    options.threads = 1;
    options.symmetry = options_.symmetry;
    Search search(back, options);
    if (!search.run(static_cast<Broken>(~0U))) {
        return "the downgrade from here is too large to look at";
    }
    return verdict_of(back, options, search);
}

const std::string& WaysBack::why_not(const Byte* row) {
    const auto [at, fresh] = known_.try_emplace(world_of(row));
    if (fresh) {
        at->second = attempt(row);
    }
    return at->second;
}

namespace {

bool says_remedy(const model::Action& action) {
    const auto says = [](const auto& conditions) {
        return std::any_of(conditions.begin(), conditions.end(), [](const auto& one) {
            return !one.remedy.empty();
        });
    };
    return !action.remedy.empty() || says(action.guard) || says(action.then);
}

bool is_an_end(const Site& site, const Byte* row) {
    if (!is_in_phase(row, Phase::halted)) {
        return is_in_phase(row, Phase::finished);
    }
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (site.status(row, i) == static_cast<Byte>(Status::failed)
            && says_remedy(site.plan.actions[i])) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool can_finish(const Site& site, const Options& options) {
    Options calm = options;
    calm.faults = k_no_faults;
    Search search(site, calm);
    (void)search.run(0);
    const auto ids = search.in_order();
    return std::any_of(ids.begin(), ids.end(), [&](std::uint32_t id) {
        return is_in_phase(search.row(id), Phase::finished);
    });
}

// From the ends backwards, without keeping who leads where: rows that were reached late are looked
// at first, so that a few passes settle it.
std::vector<bool> can_end(const Site& site, const Options& options, const Search& search) {
    const std::vector<std::uint32_t> order = search.in_order();
    std::uint32_t largest = 0;
    for (const std::uint32_t id : order) {
        largest = std::max(largest, id);
    }
    std::vector<bool> ends(std::size_t{largest} + 1, false);
    Explorer explorer(site, k_no_faults);
    Symmetry symmetry(site, options.symmetry);
    Batch batch(site.size);
    for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t i = order.size(); i > 0; --i) {
            const std::uint32_t id = order[i - 1];
            if (ends[id]) {
                continue;
            }
            bool one = is_an_end(site, search.row(id));
            batch.clear();
            if (!one) {
                explorer.expand(search.row(id), batch);
            }
            for (std::size_t k = 0; k < batch.size() && !one; ++k) {
                symmetry.sort(batch.row(k));
                const std::uint32_t next = search.find(batch.row(k));
                one = next != k_nobody && ends[next];
            }
            ends[id] = one;
            moved = moved || one;
        }
    }
    return ends;
}

}  // namespace drydock::checker
