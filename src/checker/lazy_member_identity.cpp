// Lazy identity. The constructor finds chains of members. Each member of a chain waits for a link,
// an action that no other member waits for; from the second member on, the link is an action of the
// member before. Two neighbours stay in one chain only if the initial state, the survey and all
// earlier actions treat them alike.
//
// During the search, the members of a chain up to the last link that is over have their identity.
// The blocks behind them are sorted. The argument is in docs/design/0004, "Names that come late".
#include "checker/lazy_member_identity.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <span>
#include <string>

namespace drydock::checker {

namespace {

// Returns the link of a member: the last prerequisite of its first action, if all its actions
// depend on it.
std::optional<std::size_t> link_of(const Model& model, const std::vector<std::size_t>& actions) {
    if (actions.empty() || model.program.predecessors(actions.front()).empty()) {
        return std::nullopt;
    }
    const auto first = model.program.predecessors(actions.front());
    const std::size_t link = *std::max_element(first.begin(), first.end());
    const std::vector<bool> later = dependents_of(model, link);
    const bool is_before_all = std::all_of(
        actions.begin(), actions.end(), [&](std::size_t action) { return later[action]; });
    return is_before_all ? std::optional(link) : std::nullopt;
}

// The facts that the survey observed of each member, without names and numbers. A downgrade is
// compiled from them, too, and may take a leader last; so members with different flags are not
// alike. A value that only one member has is a name, unless it is a boolean.
class ObservedFacts {
public:
    explicit ObservedFacts(const Model& model) {
        for (std::size_t i = 0; i < model.members.size(); ++i) {
            index_[model.members[i].name] = i;
        }
        facts_by_member_.resize(model.members.size());
        for (const model::FactBook* book : {&model.plan.survey_facts, &model.plan.bound_facts}) {
            for (const auto& [key, value] : *book) {
                add_fact(key, value);
            }
        }
    }

    [[nodiscard]] bool alike(Index a, Index b) const { return common_facts(a) == common_facts(b); }

private:
    using FactValue = std::pair<std::string, std::string>;  // the name of a fact, its value

    void add_fact(const std::string& key, const model::Observation& value) {
        const std::size_t cut = key.find('/');
        const auto member = index_.find(key.substr(0, cut));
        if (cut != std::string::npos && member != index_.end() && !value.value.is_number()) {
            const bool flag = value.value.is_bool();
            const FactValue fact = {key.substr(cut + 1), to_text(value)};
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
bool are_alike_until(const Model& model, const Swap& exchange, std::size_t link) {
    const std::vector<bool> later = dependents_of(model, link);
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        if (!later[i] && !exchange.commutes_with(i)) {
            return false;
        }
    }
    return true;
}

}  // namespace

LazyMemberIdentity::LazyMemberIdentity(const Model& model,
                                       const ActionsByMember& member_actions,
                                       const std::vector<bool>& excluded)
    : model_(model) {
    std::map<std::size_t, Index> next;  // by link: the member behind it; k_no_index: several
    for (std::size_t i = 0; i < model.members.size(); ++i) {
        const auto link = link_of(model, member_actions.of(i));
        if (link && !excluded[i]) {
            // Two members behind one link run side by side: neither is the next one.
            const auto [entry, fresh] = next.emplace(*link, i);
            entry->second = fresh ? entry->second : k_no_index;
        }
    }
    std::erase_if(next, [](const auto& entry) { return entry.second == k_no_index; });
    const ObservedFacts observed(model);
    Chain line;
    for (const auto& [link, member] : next) {
        const bool follows =
            !line.members.empty() && model.actions[link].member == line.members.back();
        const auto fits = [&] {
            const Swap exchange(model, member_actions, line.members.back(), member);
            return exchange.is_automorphism_of_start()
                   && observed.alike(line.members.back(), member)
                   && are_alike_until(model, exchange, line.links.back());
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

void LazyMemberIdentity::add(Chain line) {
    if (line.members.size() > 1) {
        chains_.push_back(std::move(line));
    }
}

std::vector<std::vector<Index>> LazyMemberIdentity::lines() const {
    std::vector<std::vector<Index>> chains(chains_.size());
    std::transform(chains_.begin(), chains_.end(), chains.begin(), [](const Chain& line) {
        return line.members;
    });
    return chains;
}

std::vector<std::vector<Index>> LazyMemberIdentity::unnamed(const Byte* row) const {
    std::vector<std::vector<Index>> chains;
    for (const Chain& line : chains_) {
        const std::size_t first = std::min(named(line, row), line.members.size());
        const auto unnamed_members = std::span(line.members).subspan(first);
        chains.emplace_back(unnamed_members.begin(), unnamed_members.end());
    }
    return chains;
}

Byte* LazyMemberIdentity::block(const Chain& line, std::size_t i, Byte* row) const {
    return row + model_.members[line.members[i]].block;
}

// Returns the number of members with an identity. They are the front of the chain, since each
// member waits for its predecessor.
std::size_t LazyMemberIdentity::named(const Chain& line, const Byte* row) const {
    const auto is_over = [&](std::size_t link) { return run::is_over(model_.status(row, link)); };
    return distance_between(line.links.begin(),
                            std::partition_point(line.links.begin(), line.links.end(), is_over));
}

// Insertion sort: a step changes few blocks of a sorted row.
void LazyMemberIdentity::sort_from(const Chain& line, std::size_t first, Byte* row) {
    const std::size_t size = model_.members[line.members.front()].size;
    block_buffer_.resize(size);
    for (std::size_t i = first + 1; i < line.members.size(); ++i) {
        std::size_t position = i;
        while (position > first
               && std::memcmp(block(line, position - 1, row), block(line, i, row), size) > 0) {
            --position;
        }
        if (position == i) {
            continue;
        }
        std::memcpy(block_buffer_.data(), block(line, i, row), size);
        for (std::size_t k = i; k > position; --k) {
            std::memcpy(block(line, k, row), block(line, k - 1, row), size);
        }
        std::memcpy(block(line, position, row), block_buffer_.data(), size);
    }
}

void LazyMemberIdentity::sort(Byte* row) {
    for (const Chain& line : chains_) {
        sort_from(line, named(line, row), row);
    }
}

// One step ends one action, so at most one member gets its identity. The last member of a chain is
// not returned: only one block is left for it.
std::optional<LazyMemberIdentity::IdentifiedMember>
LazyMemberIdentity::identified_by(const Byte* previous_row, const Byte* row) const {
    for (const Chain& line : chains_) {
        const std::size_t previous_count = named(line, previous_row);
        if (previous_count + 1 < line.members.size() && named(line, row) > previous_count) {
            return IdentifiedMember{&line, previous_count};
        }
    }
    return std::nullopt;
}

// The next member may have any of the blocks that are left. Equal blocks lie side by side, so each
// distinct one is taken once.
void LazyMemberIdentity::versions(const Byte* previous_row,
                                  const Byte* row,
                                  std::vector<Byte>& rows) {
    rows.assign(row, row + model_.size);
    const auto identified = identified_by(previous_row, row);
    if (!identified) {
        return;
    }
    const auto& [line, next] = *identified;
    for (std::size_t candidate = next + 1; candidate < line->members.size(); ++candidate) {
        const auto equals_candidate = [&](std::size_t index) {
            return std::memcmp(block(*line, index, rows.data()),
                               block(*line, candidate, rows.data()),
                               model_.members[line->members[index]].size)
                   == 0;
        };
        if (equals_candidate(next) || (candidate > next + 1 && equals_candidate(candidate - 1))) {
            continue;
        }
        const std::size_t position = rows.size();
        rows.resize(position + model_.size);
        std::copy_n(rows.data(), model_.size, &rows[position]);
        exchange(line->members[next], line->members[candidate], &rows[position]);
        sort_from(*line, next + 1, &rows[position]);
    }
}

std::vector<std::pair<Index, Index>> LazyMemberIdentity::exchanges(const Byte* previous_row,
                                                                   const Byte* row) const {
    std::vector<std::pair<Index, Index>> swaps;
    if (const auto named = identified_by(previous_row, row)) {
        const auto& members = named->line->members;
        for (std::size_t candidate = named->next + 1; candidate < members.size(); ++candidate) {
            swaps.emplace_back(members[named->next], members[candidate]);
        }
    }
    return swaps;
}

void LazyMemberIdentity::exchange(Index first, Index second, Byte* row) const {
    const Member& a = model_.members[first];
    const Member& b = model_.members[second];
    std::swap_ranges(row + a.block, row + a.block + a.size, row + b.block);
}

}  // namespace drydock::checker
