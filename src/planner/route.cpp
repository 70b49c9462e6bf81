// The route: hops between releases that the makers' rules and the packages allow, the fewest first.
//
// A rule is people's word; the content of the packages is a fact. A hop that a fact speaks against
// is forbidden, whatever the rules say. If no route keeps all rules, rules that yield to the
// packages are dropped for hops that the packages show to be clean. The route then shows both.
//
// A route stops only at releases that the cluster file has folders for, if there is such a route: a
// release without a folder cannot be installed. If the packages are known, the rules then do not
// count the other releases either.
#include "model/version.h"
#include "planner/interpolation.h"
#include "planner/route_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace drydock::planner {

namespace {

using model::Pack;

constexpr std::size_t k_told_max = 12;  // forbidden hops in one answer

const model::ProcedureSpec* procedure_for(const Pack& pack,
                                          const std::string& name,
                                          const std::string& from_version,
                                          const std::string& to_version) {
    const auto position = std::find_if(
        pack.procedures.begin(), pack.procedures.end(), [&](const model::ProcedureSpec& procedure) {
            return procedure.name == name
                   && model::version_in_range(procedure.from_range, from_version)
                   && model::version_in_range(procedure.to_range, to_version);
        });
    return position == pack.procedures.end() ? nullptr : &*position;
}

// A hop that was examined.
struct JudgedHop {
    std::optional<Hop> hop;
    std::string failure_reason;
    std::string note;  // a rule that was dropped
};

// A breadth-first search over releases, newest first, with the reasons for each hop it refused.
class Search {
public:
    Search(const Pack& pack,
           std::vector<std::string> releases,
           const std::string& start,
           const std::string& goal,
           const RouteFacts& route_facts)
        : pack_(pack)
        , rules_(pack, releases, route_facts.facts)
        , releases_(std::move(releases))
        , start_(start)
        , goal_(goal)
        , route_facts_(route_facts) {
        std::reverse(releases_.begin(), releases_.end());
    }

    // Excludes a release as a stop; the rules still count it.
    void leave_out(const std::string& release) { left_out_.insert(release); }

    // Notes how many releases are no stops because the cluster file has no folder for them.
    void tell_left_out(std::size_t count) {
        note_ =
            fmt::format("{} releases are no stops: the cluster file has no folder for them", count);
    }

    // Lets rules yield to the packages.
    void let_rules_yield() { rules_yield_ = true; }

    // Searches breadth first, so the first route found is a shortest one. Among equal routes, the
    // one with the newest stops of a series wins.
    void run() {
        std::deque<std::string> queue = {start_};
        while (!queue.empty() && !reached_.contains(goal_)) {
            const std::string stop = queue.front();
            queue.pop_front();
            for (const std::string& release : releases_) {
                if (reached_.contains(release) || left_out_.contains(release)
                    || !lies_between(release, stop)) {
                    continue;
                }
                if (look_at(stop, release)) {
                    queue.push_back(release);
                }
            }
        }
    }

    [[nodiscard]] bool has_route() const { return reached_.contains(goal_); }

    // Builds the route backwards from the goal and collects the notes of its hops.
    Route route() {
        Route route;
        for (std::string stop = goal_; stop != start_ && reached_.contains(stop);
             stop = route.hops.front().from_version) {
            route.hops.insert(route.hops.begin(), *reached_.at(stop).hop);
        }
        for (const Hop& hop : route.hops) {
            if (const std::string& note = reached_.at(hop.to_version).note; !note.empty()) {
                route.notes.push_back(note);
            }
            for (std::string& words : rules_.untold(hop.to_version)) {
                route.notes.push_back(std::move(words));
            }
        }
        if (!note_.empty() && !route.hops.empty()) {
            route.notes.push_back(note_);
        }
        route.forbidden = refused_from(route.hops);
        return route;
    }

    // Returns the newest release that is reached, and a release beyond the goal that one hop
    // reaches.
    [[nodiscard]] std::vector<std::string> alternatives() {
        std::vector<std::string> words;
        std::string newest;
        for (const auto& [release, judged] : reached_) {
            if (newest.empty() || is_older(newest, release) == is_older(start_, goal_)) {
                newest = release;
            }
        }
        if (!newest.empty()) {
            words.push_back(fmt::format("as far as {} a way leads", newest));
        }
        for (auto release = releases_.rbegin(); release != releases_.rend(); ++release) {
            if (is_older(goal_, *release) && is_older(start_, goal_)
                && judge(start_, *release).hop) {
                words.push_back(
                    fmt::format("{} -> {} is one allowed hop, past {}", start_, *release, goal_));
                break;
            }
        }
        return words;
    }

    // Returns the obstacles before the goal: the hops to it, and the hops from the start.
    [[nodiscard]] std::vector<std::string> obstacles() const {
        std::vector<std::string> words;
        for (const auto& [hop, why] : refused_) {
            if (hop.second == goal_ || hop.first == start_) {
                words.push_back(why);
            }
        }
        return shortened(std::move(words));
    }

private:
    // True if the version is a step towards the goal and not past it.
    [[nodiscard]] bool lies_between(const std::string& version, const std::string& stop) const {
        const bool forward = is_older(stop, goal_);
        return forward ? is_older(stop, version) && !is_older(goal_, version)
                       : is_older(version, stop) && !is_older(version, goal_);
    }

    bool look_at(const std::string& from_version, const std::string& to_version) {
        JudgedHop judged = judge(from_version, to_version);
        if (!judged.hop) {
            refused_.emplace(std::pair(from_version, to_version), std::move(judged.failure_reason));
            return false;
        }
        reached_.emplace(to_version, std::move(judged));
        return true;
    }

    // Judges one hop: rules that never yield, then the procedure, then the packages.
    [[nodiscard]] JudgedHop judge(const std::string& from_version,
                                  const std::string& to_version) const {
        const bool forward = is_older(from_version, to_version);
        const std::string name(forward ? model::k_upgrade : model::k_downgrade);
        std::string rules;
        std::string yielding;
        for (const Objection& objection : rules_.objections(from_version, to_version)) {
            std::string& words = objection.yields_to_chain ? yielding : rules;
            words += (words.empty() ? "" : "; ") + objection.text;
        }
        if (std::string reason = rules_.unavailable(to_version); !reason.empty()) {
            return {std::nullopt, std::move(reason), {}};
        }
        if (!rules.empty()) {
            return {std::nullopt, std::move(rules), {}};
        }
        const auto* procedure = procedure_for(pack_, name, from_version, to_version);
        if (procedure == nullptr) {
            return {std::nullopt,
                    fmt::format("{} -> {}: the pack has no {} procedure for it",
                                from_version,
                                to_version,
                                name),
                    {}};
        }
        return weigh(from_version,
                     to_version,
                     *procedure,
                     forward ? ask_chain(from_version, to_version) : ChainVerdict(),
                     yielding);
    }

    [[nodiscard]] ChainVerdict ask_chain(const std::string& from_version,
                                         const std::string& to_version) const {
        return route_facts_.chain ? route_facts_.chain(from_version, to_version) : ChainVerdict();
    }

    // Weighs the packages against the rules: facts beat rules.
    [[nodiscard]] JudgedHop weigh(const std::string& from_version,
                                  const std::string& to_version,
                                  const model::ProcedureSpec& procedure,
                                  const ChainVerdict& word,
                                  const std::string& yielding) const {
        if (word.is_known && !word.is_clean) {
            return {std::nullopt,
                    fmt::format("{} -> {}: {} the packages: {}",
                                from_version,
                                to_version,
                                yielding.empty() ? "the rules allow it, but by" : "by",
                                word.text),
                    {}};
        }
        if (!yielding.empty() && !(word.is_known && rules_yield_)) {
            return {std::nullopt, yielding, {}};
        }
        JudgedHop judged;
        judged.hop = Hop{from_version,
                         to_version,
                         procedure.name,
                         fmt::format("{} ({})", procedure.title, place(pack_, procedure.position))};
        if (!yielding.empty()) {
            judged.note = fmt::format(
                "a rule speaks against it: {}; the packages show the hop to be clean", yielding);
        }
        return judged;
    }

    // Returns the refused hops from the stops of the route.
    [[nodiscard]] std::vector<std::string> refused_from(const std::vector<Hop>& hops) const {
        std::vector<std::string> words;
        for (const auto& entry : refused_) {
            const std::string& from_version = entry.first.first;
            const bool is_stop = std::any_of(hops.begin(), hops.end(), [&](const Hop& hop) {
                return hop.from_version == from_version;
            });
            if (is_stop) {
                words.push_back(entry.second);
            }
        }
        return shortened(std::move(words));
    }

    // Sorts the words, removes duplicates and keeps a readable number of them.
    static std::vector<std::string> shortened(std::vector<std::string> words) {
        std::sort(words.begin(), words.end());
        words.erase(std::unique(words.begin(), words.end()), words.end());
        if (words.size() > k_told_max) {
            const std::size_t surplus = words.size() - k_told_max;
            words.resize(k_told_max);
            words.push_back(fmt::format("and {} more", surplus));
        }
        return words;
    }

    const Pack& pack_;
    RouteRules rules_;
    std::vector<std::string> releases_;  // newest first
    const std::string& start_;
    const std::string& goal_;
    const RouteFacts& route_facts_;
    std::set<std::string> left_out_;
    bool rules_yield_ = false;
    std::string note_;
    std::map<std::string, JudgedHop> reached_;
    std::map<std::pair<std::string, std::string>, std::string> refused_;
};

// Returns the releases that every member has a folder for; a member without folders offers all.
std::vector<std::string> offered_releases(const model::Cluster& cluster,
                                          std::vector<std::string> releases) {
    std::erase_if(releases, [&](const std::string& release) {
        return std::any_of(
            cluster.members.begin(), cluster.members.end(), [&](const model::Member& member) {
                return !member.versions.empty() && !member.versions.contains(release);
            });
    });
    return releases;
}

// Searches for the best route in four steps, each less strict than the one before:
//
//   1. stops and rules over releases with folders only, if the packages are known
//   2. stops with folders, rules over all releases
//   3. stops at any release
//   4. rules that yield to the packages do so
Search search_for(const Pack& pack,
                  const model::Cluster& cluster,
                  const std::string& from_version,
                  const std::string& to_version,
                  const RouteFacts& route_facts,
                  const std::string& left_out) {
    const auto releases = known_releases(pack, cluster, from_version, to_version);
    const auto offered = offered_releases(cluster, releases);
    if (route_facts.chain && offered.size() < releases.size()) {
        Search near(pack, offered, from_version, to_version, route_facts);
        near.leave_out(left_out);
        near.run();
        if (near.has_route()) {
            near.tell_left_out(releases.size() - offered.size());
            return near;
        }
    }
    Search at_hand(pack, releases, from_version, to_version, route_facts);
    at_hand.leave_out(left_out);
    for (const std::string& release : releases) {
        if (release != to_version
            && std::find(offered.begin(), offered.end(), release) == offered.end()) {
            at_hand.leave_out(release);
        }
    }
    at_hand.run();
    if (at_hand.has_route()) {
        return at_hand;
    }
    Search strict(pack, releases, from_version, to_version, route_facts);
    strict.leave_out(left_out);
    strict.run();
    if (strict.has_route()) {
        return strict;
    }
    Search yielding(pack, releases, from_version, to_version, route_facts);
    yielding.leave_out(left_out);
    yielding.let_rules_yield();
    yielding.run();
    return yielding.has_route() ? yielding : strict;
}

// Returns the best route that avoids the first stop: a person may not want that release.
std::string without_first_stop(const Pack& pack,
                               const model::Cluster& cluster,
                               const Route& route,
                               const RouteFacts& route_facts) {
    if (route.hops.size() < 2) {
        return {};
    }
    const std::string& from_version = route.hops.front().from_version;
    const std::string& to_version = route.hops.back().to_version;
    Search search = search_for(
        pack, cluster, from_version, to_version, route_facts, route.hops.front().to_version);
    std::string words;
    for (const Hop& hop : search.route().hops) {
        words += (words.empty() ? hop.from_version : "") + " -> " + hop.to_version;
    }
    return words;
}

}  // namespace

Result<Route> find_route(const Pack& pack,
                         const model::Cluster& cluster,
                         const std::string& from_version,
                         const std::string& to_version,
                         const RouteFacts& route_facts) {
    for (const std::string& version : {from_version, to_version}) {
        if (series_of(pack, version).empty()) {
            return fail(
                "route.unknown",
                fmt::format("the {} pack knows no series that {} belongs to", pack.name, version),
                fmt::format("it knows {}", fmt::join(pack.series_order, ", ")));
        }
    }
    if (from_version == to_version) {
        return Route{};
    }
    Search search = search_for(pack, cluster, from_version, to_version, route_facts, {});
    Route route = search.route();
    if (!route.hops.empty()) {
        route.alternative = without_first_stop(pack, cluster, route, route_facts);
        return route;
    }
    const auto alternatives = search.alternatives();
    return fail("route.none",
                fmt::format("no way leads from {} to {}: {}{}{}",
                            from_version,
                            to_version,
                            fmt::join(search.obstacles(), "; "),
                            alternatives.empty() ? "" : ". Near by: ",
                            fmt::join(alternatives, "; ")),
                "name another version, or add the releases in between to `release: versions:` of "
                "the cluster file");
}

}  // namespace drydock::planner
