// Lazy identity. The constructor finds chains of members. Each member of a chain waits for a link,
// an action that no other member waits for; from the second member on, the link is an action of the
// member before. Two neighbours stay in one chain only if the initial state, the survey and all
// earlier actions treat them alike.
//
// During the search, the members of a chain up to the last link that is over have their identity.
// The blocks behind them are sorted. The argument is in docs/design/0004, "Names that come late".
#include "checker/naming.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace drydock::checker {

namespace {

// Returns the link of a member: the last prerequisite of its first action, if all its actions
// depend on it.
std::optional<std::size_t> link_of(const Site& site, const std::vector<std::size_t>& actions) {
    if (actions.empty() || site.program.after(actions.front()).empty()) {
        return std::nullopt;
    }
    const auto first = site.program.after(actions.front());
    const std::size_t link = *std::max_element(first.begin(), first.end());
    const std::vector<bool> later = behind(site, link);
    const bool is_before_all = std::all_of(
        actions.begin(), actions.end(), [&](std::size_t action) { return later[action]; });
    return is_before_all ? std::optional(link) : std::nullopt;
}

// The facts that the survey observed of each member, without names and numbers. A downgrade is
// compiled from them, too, and may take a leader last; so members with different flags are not
// alike. A value that only one member has is a name, unless it is a boolean.
class Seen {
public:
    explicit Seen(const Site& site) {
        for (std::size_t i = 0; i < site.members.size(); ++i) {
            index_[site.members[i].name] = i;
        }
        facts_by_member_.resize(site.members.size());
        for (const model::FactBook* book : {&site.plan.seen, &site.plan.planned}) {
            for (const auto& [key, value] : *book) {
                add_fact(key, value);
            }
        }
    }

    [[nodiscard]] bool alike(int a, int b) const {
        return common_facts(static_cast<std::size_t>(a))
               == common_facts(static_cast<std::size_t>(b));
    }

private:
    using FactValue = std::pair<std::string, std::string>;  // the name of a fact, its value

    void add_fact(const std::string& key, const model::Observation& value) {
        const std::size_t cut = key.find('/');
        const auto member = index_.find(key.substr(0, cut));
        if (cut != std::string::npos && member != index_.end() && !value.value.is_number()) {
            const bool flag = value.value.is_bool();
            const FactValue fact = {key.substr(cut + 1), show(value)};
            facts_by_member_[member->second].insert(fact);
            count_[fact] += flag ? 2 : 1;
        }
    }

    [[nodiscard]] std::vector<FactValue> common_facts(std::size_t member) const {
        std::vector<FactValue> facts;
        std::copy_if(facts_by_member_[member].begin(),
                     facts_by_member_[member].end(),
                     std::back_inserter(facts),
                     [&](const FactValue& fact) { return count_.at(fact) > 1; });
        return facts;
    }

    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<std::set<FactValue>> facts_by_member_;
    std::map<FactValue, int> count_;
};

// True if all actions that may happen before the link is over treat both alike.
bool are_alike_before(const Site& site, const Exchange& exchange, std::size_t link) {
    const std::vector<bool> later = behind(site, link);
    for (std::size_t i = 0; i < site.acts.size(); ++i) {
        if (!later[i] && !exchange.is_ignored_by(i)) {
            return false;
        }
    }
    return true;
}

}  // namespace

Naming::Naming(const Site& site,
               const OwnActions& member_actions,
               const std::vector<bool>& excluded)
    : site_(site) {
    std::map<std::size_t, int> next;  // by link: the member behind it; -1: several
    for (std::size_t i = 0; i < site.members.size(); ++i) {
        const auto link = link_of(site, member_actions.of(static_cast<int>(i)));
        if (link && !excluded[i]) {
            // Two members behind one link run side by side: neither is the next one.
            const auto [entry, fresh] = next.emplace(*link, static_cast<int>(i));
            entry->second = fresh ? entry->second : -1;
        }
    }
    std::erase_if(next, [](const auto& entry) { return entry.second < 0; });
    const Seen observed(site);
    Line line;
    for (const auto& [link, member] : next) {
        const bool follows = !line.members.empty() && site.acts[link].member == line.members.back();
        const auto fits = [&] {
            const Exchange exchange(site, member_actions, line.members.back(), member);
            return exchange.keeps_the_start() && observed.alike(line.members.back(), member)
                   && are_alike_before(site, exchange, line.links.back());
        };
        if (!follows || !fits()) {
            add(std::move(line));
            line = {};
        }
        line.members.push_back(member);
        line.links.push_back(link);
    }
    add(std::move(line));
}

void Naming::add(Line line) {
    if (line.members.size() > 1) {
        lines_.push_back(std::move(line));
    }
}

std::vector<std::vector<int>> Naming::lines() const {
    std::vector<std::vector<int>> chains(lines_.size());
    std::transform(lines_.begin(), lines_.end(), chains.begin(), [](const Line& line) {
        return line.members;
    });
    return chains;
}

std::vector<std::vector<int>> Naming::unnamed(const Byte* row) const {
    std::vector<std::vector<int>> chains;
    for (const Line& line : lines_) {
        const auto first = static_cast<std::ptrdiff_t>(named(line, row));
        chains.emplace_back(line.members.begin() + std::min(first, std::ssize(line.members)),
                            line.members.end());
    }
    return chains;
}

Byte* Naming::block(const Line& line, std::size_t i, Byte* row) const {
    return row + site_.members[static_cast<std::size_t>(line.members[i])].block;
}

// Returns the number of members with an identity. They are the front of the chain, since each
// member waits for its predecessor.
std::size_t Naming::named(const Line& line, const Byte* row) const {
    const auto is_over = [&](std::size_t link) {
        return run::is_over(static_cast<run::Status>(site_.status(row, link)));
    };
    const auto end = std::partition_point(line.links.begin(), line.links.end(), is_over);
    return static_cast<std::size_t>(end - line.links.begin());
}

// Insertion sort: a step changes few blocks of a sorted row.
void Naming::sort_from(const Line& line, std::size_t first, Byte* row) {
    const std::size_t size = site_.members[static_cast<std::size_t>(line.members.front())].size;
    held_.resize(size);
    for (std::size_t i = first + 1; i < line.members.size(); ++i) {
        std::size_t position = i;
        while (position > first
               && std::memcmp(block(line, position - 1, row), block(line, i, row), size) > 0) {
            --position;
        }
        if (position == i) {
            continue;
        }
        std::memcpy(held_.data(), block(line, i, row), size);
        for (std::size_t k = i; k > position; --k) {
            std::memcpy(block(line, k, row), block(line, k - 1, row), size);
        }
        std::memcpy(block(line, position, row), held_.data(), size);
    }
}

void Naming::sort(Byte* row) {
    for (const Line& line : lines_) {
        sort_from(line, named(line, row), row);
    }
}

// One step ends one action, so at most one member gets its identity. The last member of a chain is
// not returned: only one block is left for it.
std::optional<Naming::Named> Naming::named_by(const Byte* previous_row, const Byte* row) const {
    for (const Line& line : lines_) {
        const std::size_t previous_count = named(line, previous_row);
        if (previous_count + 1 < line.members.size() && named(line, row) > previous_count) {
            return Named{&line, previous_count};
        }
    }
    return std::nullopt;
}

// The next member may have any of the blocks that are left. Equal blocks lie side by side, so each
// distinct one is taken once.
void Naming::versions(const Byte* previous_row, const Byte* row, std::vector<Byte>& rows) {
    rows.assign(row, row + site_.size);
    const auto identified = named_by(previous_row, row);
    if (!identified) {
        return;
    }
    const auto& [line, next] = *identified;
    for (std::size_t candidate = next + 1; candidate < line->members.size(); ++candidate) {
        const auto equals_candidate = [&](std::size_t index) {
            return std::memcmp(block(*line, index, rows.data()),
                               block(*line, candidate, rows.data()),
                               site_.members[static_cast<std::size_t>(line->members[index])].size)
                   == 0;
        };
        if (equals_candidate(next) || (candidate > next + 1 && equals_candidate(candidate - 1))) {
            continue;
        }
        const std::size_t position = rows.size();
        rows.resize(position + site_.size);
        std::copy_n(rows.begin(), site_.size, rows.begin() + static_cast<std::ptrdiff_t>(position));
        exchange(line->members[next], line->members[candidate], &rows[position]);
        sort_from(*line, next + 1, &rows[position]);
    }
}

std::vector<std::pair<int, int>> Naming::exchanges(const Byte* previous_row,
                                                   const Byte* row) const {
    std::vector<std::pair<int, int>> swaps;
    if (const auto named = named_by(previous_row, row)) {
        const auto& members = named->line->members;
        for (std::size_t candidate = named->next + 1; candidate < members.size(); ++candidate) {
            swaps.emplace_back(members[named->next], members[candidate]);
        }
    }
    return swaps;
}

void Naming::exchange(int first, int second, Byte* row) const {
    const Member& a = site_.members[static_cast<std::size_t>(first)];
    const Member& b = site_.members[static_cast<std::size_t>(second)];
    std::swap_ranges(row + a.block, row + a.block + a.size, row + b.block);
}

}  // namespace drydock::checker
