#include "checker/naming.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>

namespace drydock::checker {

namespace {

// The last action of somebody else behind which all of the member's own come.
std::optional<std::size_t> link_of(const Site& site, const std::vector<std::size_t>& own) {
    if (own.empty() || site.program.after(own.front()).empty()) {
        return std::nullopt;
    }
    const auto first = site.program.after(own.front());
    const std::size_t link = *std::max_element(first.begin(), first.end());
    const std::vector<bool> later = behind(site, link);
    const bool all =
        std::all_of(own.begin(), own.end(), [&](std::size_t one) { return later[one]; });
    return all ? std::optional(link) : std::nullopt;
}

// What was seen of each member beyond what names it or measures it: ways back are compiled from it,
// too, and may take a leader last. A value that nobody else has is a name, unless it is yes or no.
class Seen {
public:
    explicit Seen(const Site& site) {
        for (std::size_t i = 0; i < site.members.size(); ++i) {
            index_[site.members[i].name] = i;
        }
        of_.resize(site.members.size());
        for (const model::FactBook* book : {&site.plan.seen, &site.plan.planned}) {
            for (const auto& [key, value] : *book) {
                take(key, value);
            }
        }
    }

    [[nodiscard]] bool alike(int a, int b) const {
        return told(static_cast<std::size_t>(a)) == told(static_cast<std::size_t>(b));
    }

private:
    using Told = std::pair<std::string, std::string>;  // a fact and its value

    void take(const std::string& key, const model::Observation& value) {
        const std::size_t cut = key.find('/');
        const auto member = index_.find(key.substr(0, cut));
        if (cut != std::string::npos && member != index_.end() && !value.value.is_number()) {
            const bool flag = value.value.is_bool();
            const Told told = {key.substr(cut + 1), show(value)};
            of_[member->second].insert(told);
            count_[told] += flag ? 2 : 1;
        }
    }

    [[nodiscard]] std::vector<Told> told(std::size_t member) const {
        std::vector<Told> found;
        std::copy_if(of_[member].begin(),
                     of_[member].end(),
                     std::back_inserter(found),
                     [&](const Told& one) { return count_.at(one) > 1; });
        return found;
    }

    std::map<std::string, std::size_t, std::less<>> index_;
    std::vector<std::set<Told>> of_;
    std::map<Told, int> count_;
};

// Whether all that may happen before this action is over treats both alike.
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

Naming::Naming(const Site& site, const OwnActions& own, const std::vector<bool>& taken)
    : site_(site) {
    std::map<std::size_t, int> next;  // who comes after each action
    for (std::size_t i = 0; i < site.members.size(); ++i) {
        const auto link = link_of(site, own.of(static_cast<int>(i)));
        if (link && !taken[i]) {
            // Two behind one action are side by side: nobody tells which comes next.
            const auto [at, fresh] = next.emplace(*link, static_cast<int>(i));
            at->second = fresh ? at->second : -1;
        }
    }
    std::erase_if(next, [](const auto& one) { return one.second < 0; });
    const Seen seen(site);
    Line line;
    for (const auto& [link, member] : next) {
        const bool follows = !line.members.empty() && site.acts[link].member == line.members.back();
        const auto fits = [&] {
            const Exchange exchange(site, own, line.members.back(), member);
            return exchange.keeps_the_start() && seen.alike(line.members.back(), member)
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
    std::vector<std::vector<int>> found(lines_.size());
    std::transform(
        lines_.begin(), lines_.end(), found.begin(), [](const Line& line) { return line.members; });
    return found;
}

std::vector<std::vector<int>> Naming::unnamed(const Byte* row) const {
    std::vector<std::vector<int>> found;
    for (const Line& line : lines_) {
        const auto first = static_cast<std::ptrdiff_t>(named(line, row));
        found.emplace_back(line.members.begin() + std::min(first, std::ssize(line.members)),
                           line.members.end());
    }
    return found;
}

Byte* Naming::block(const Line& line, std::size_t i, Byte* row) const {
    return row + site_.members[static_cast<std::size_t>(line.members[i])].block;
}

// How many have their name: those of the front, since each waits for the one before it.
std::size_t Naming::named(const Line& line, const Byte* row) const {
    const auto is_over = [&](std::size_t link) {
        return run::is_over(static_cast<run::Status>(site_.status(row, link)));
    };
    const auto end = std::partition_point(line.links.begin(), line.links.end(), is_over);
    return static_cast<std::size_t>(end - line.links.begin());
}

void Naming::sort_from(const Line& line, std::size_t first, Byte* row) {
    const std::size_t size = site_.members[static_cast<std::size_t>(line.members.front())].size;
    held_.resize(size);
    for (std::size_t i = first + 1; i < line.members.size(); ++i) {
        std::size_t to = i;
        while (to > first && std::memcmp(block(line, to - 1, row), block(line, i, row), size) > 0) {
            --to;
        }
        if (to == i) {
            continue;
        }
        std::memcpy(held_.data(), block(line, i, row), size);
        for (std::size_t k = i; k > to; --k) {
            std::memcpy(block(line, k, row), block(line, k - 1, row), size);
        }
        std::memcpy(block(line, to, row), held_.data(), size);
    }
}

void Naming::sort(Byte* row) {
    for (const Line& line : lines_) {
        sort_from(line, named(line, row), row);
    }
}

// One step ends one action, so it gives a name to one member at most.
std::optional<Naming::Named> Naming::named_by(const Byte* before, const Byte* row) const {
    for (const Line& line : lines_) {
        const std::size_t had = named(line, before);
        if (had + 1 < line.members.size() && named(line, row) > had) {
            return Named{&line, had};
        }
    }
    return std::nullopt;
}

void Naming::versions(const Byte* before, const Byte* row, std::vector<Byte>& out) {
    out.assign(row, row + site_.size);
    const auto found = named_by(before, row);
    if (!found) {
        return;
    }
    const auto& [line, next] = *found;
    for (std::size_t other = next + 1; other < line->members.size(); ++other) {
        const auto as_other = [&](std::size_t one) {
            return std::memcmp(block(*line, one, out.data()),
                               block(*line, other, out.data()),
                               site_.members[static_cast<std::size_t>(line->members[one])].size)
                   == 0;
        };
        if (as_other(next) || (other > next + 1 && as_other(other - 1))) {
            continue;
        }
        const std::size_t at = out.size();
        out.resize(at + site_.size);
        std::copy_n(out.begin(), site_.size, out.begin() + static_cast<std::ptrdiff_t>(at));
        exchange(line->members[next], line->members[other], &out[at]);
        sort_from(*line, next + 1, &out[at]);
    }
}

std::vector<std::pair<int, int>> Naming::exchanges(const Byte* before, const Byte* row) const {
    std::vector<std::pair<int, int>> found;
    if (const auto named = named_by(before, row)) {
        const auto& members = named->line->members;
        for (std::size_t other = named->next + 1; other < members.size(); ++other) {
            found.emplace_back(members[named->next], members[other]);
        }
    }
    return found;
}

void Naming::exchange(int one, int other, Byte* row) const {
    const Member& a = site_.members[static_cast<std::size_t>(one)];
    const Member& b = site_.members[static_cast<std::size_t>(other)];
    std::swap_ranges(row + a.block, row + a.block + a.size, row + b.block);
}

}  // namespace drydock::checker
