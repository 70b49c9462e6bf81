// Processes, leaders and the level: what moves by itself.
#include "fake_etcd/fake_etcd.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace drydock::fake_etcd {

namespace {

constexpr std::int64_t k_ready_ms = 87;            // start until it serves
constexpr std::int64_t k_refuses_ms = 100;         // start until a release that may not start exits
constexpr std::int64_t k_election_ms = 1000;       // after a leader that died
constexpr std::int64_t k_raise_ms_max = 4200;      // the leader looks every 4 s
constexpr std::int64_t k_write_every_ms = 100;     // the client's pace
constexpr std::int64_t k_fresh_death_ms = 20'000;  // a death that a guard may not have seen
constexpr int k_old_writes = 4000;                 // an old cluster's revisions
constexpr std::int64_t k_never = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t k_first_cluster = 11096014504023916406ULL;

bool older(const std::string& version, const std::string& than) {
    return version != than && model::compare_versions(version, than) < 0;
}

agent::ActionResult refused(std::string code, std::string message) {
    return agent::failed({std::move(code), std::move(message), "look at the member's log"});
}

}  // namespace

void Writes::add(int first, int count) {
    size_ += static_cast<std::uint64_t>(count);
    if (!ranges_.empty() && ranges_.back().first + ranges_.back().count == first) {
        ranges_.back().count += count;
    } else {
        ranges_.push_back({first, count});
    }
}

Writes Writes::first(std::uint64_t count) const {
    Writes kept;
    for (const Range& range : ranges_) {
        const std::uint64_t room = count - kept.size_;
        const auto taken = std::min(room, static_cast<std::uint64_t>(range.count));
        if (taken > 0) {
            kept.add(range.first, static_cast<int>(taken));
        }
    }
    return kept;
}

std::uint64_t Writes::missing_in(const Writes& other) const {
    std::uint64_t held = 0;
    for (const Range& mine : ranges_) {
        for (const Range& one : other.ranges_) {
            const int from = std::max(mine.first, one.first);
            const int to = std::min(mine.first + mine.count, one.first + one.count);
            held += static_cast<std::uint64_t>(std::max(to - from, 0));
        }
    }
    return size_ - held;
}

std::string series_of(const std::string& version) {
    return version.substr(0, version.find('.', version.find('.') + 1));
}

std::uint64_t member_id(const Node& node) {
    const std::string text = fmt::format("{}@{}", node.name, node.cluster_id);
    return xxh3({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

FakeEtcd::FakeEtcd(const model::Cluster& cluster,
                   const std::string& version,
                   transport::Faults& faults)
    : faults_(faults) {
    for (const model::Member& member : cluster.members) {
        Node node;
        node.name = member.name;
        node.member = &member;
        node.client_url = member.settings.at("client_url");
        node.peer_url = member.settings.at("peer_url");
        node.target = member.versions.at(version);
        node.running = version;
        node.joined = true;
        node.cluster_id = k_first_cluster;
        node.pid = ++pids_;
        nodes_.emplace(member.name, std::move(node));
    }
    Store& store = stores_[k_first_cluster];
    store.cluster_id = k_first_cluster;
    store.level = series_of(version);
    store.leader = cluster.members.front().name;
    store.log.add(-k_old_writes, k_old_writes);
    settle();
}

const Store& FakeEtcd::store() const {
    return stores_.at(nodes_.begin()->second.cluster_id);
}

std::vector<Node*> FakeEtcd::live(const Store& store) {
    std::vector<Node*> found;
    for (auto& [name, node] : nodes_) {
        const bool serves =
            !node.running.empty() && node.exits_at_ms == 0 && node.serves_at_ms <= now_ms_;
        if (serves && node.cluster_id == store.cluster_id) {
            found.push_back(&node);
        }
    }
    return found;
}

int FakeEtcd::serving() const {
    int count = 0;
    for (const auto& [name, node] : nodes_) {
        const Store& store = stores_.at(node.cluster_id);
        count += node.joined && !node.running.empty() && !store.leader.empty() ? 1 : 0;
    }
    return count;
}

std::uint64_t FakeEtcd::lost_writes() const {
    return acknowledged_.missing_in(store().log);
}

std::int64_t FakeEtcd::next_change_ms() const {
    std::int64_t next = k_never;
    const auto consider = [&](std::int64_t at) { next = at > now_ms_ ? std::min(next, at) : next; };
    for (const auto& [name, node] : nodes_) {
        consider(node.serves_at_ms);
        consider(node.exits_at_ms);
    }
    for (const auto& [id, store] : stores_) {
        consider(store.elect_at_ms);
        consider(store.raise_at_ms);
    }
    return next;
}

void FakeEtcd::advance(std::int64_t now_ms) {
    ++moment_;
    while (now_ms_ < now_ms) {
        const std::int64_t change = next_change_ms();
        const std::int64_t next = std::min(change, now_ms);
        unsettled_ = unsettled_ || change == next;
        write_until(next);
        now_ms_ = next;
        if (std::exchange(unsettled_, false)) {
            settle();
        }
    }
}

// Clients get an answer only from a cluster with a leader.
void FakeEtcd::write_until(std::int64_t now_ms) {
    const auto count = static_cast<int>((now_ms - written_ms_) / k_write_every_ms);
    written_ms_ += count * k_write_every_ms;
    for (auto& [id, store] : stores_) {
        if (count > 0 && writing_ && !no_space_ && !store.leader.empty()) {
            store.log.add(last_write_ + 1, count);
            acknowledged_.add(last_write_ + 1, count);
            last_write_ += count;
        }
    }
    for (auto& [name, node] : nodes_) {
        const Store& store = stores_.at(node.cluster_id);
        if (node.joined && !node.running.empty() && !store.leader.empty()) {
            node.applied = store.log.size();
        }
    }
}

void FakeEtcd::settle() {
    for (auto& [name, node] : nodes_) {
        if (node.exits_at_ms != 0 && node.exits_at_ms <= now_ms_) {
            end_process(node);
        }
    }
    for (auto& [id, store] : stores_) {
        settle(store);
    }
}

void FakeEtcd::settle(Store& store) {
    const auto members = live(store);
    if (!has_quorum(members.size())) {
        store.leader.clear();
        store.elect_at_ms = 0;
        store.raise_at_ms = 0;
        return;
    }
    elect(store, members);
    if (store.leader.empty()) {
        return;
    }
    for (Node* node : members) {
        node->joined = true;
        node->applied = store.log.size();
    }
    consider_level(store, members, false);
}

void FakeEtcd::elect(Store& store, const std::vector<Node*>& members) {
    const bool led = std::any_of(members.begin(), members.end(), [&](const Node* node) {
        return node->name == store.leader;
    });
    if (led) {
        return;
    }
    store.leader.clear();
    if (store.elect_at_ms == 0) {
        store.elect_at_ms = now_ms_ + k_election_ms;
    }
    if (store.elect_at_ms <= now_ms_) {
        const auto chosen = faults_.between(0, static_cast<std::int64_t>(members.size()) - 1);
        store.elect_at_ms = 0;
        store.leader = members.at(static_cast<std::size_t>(chosen))->name;
        ++store.term;
        consider_level(store, members, true);
    }
}

// No decision while a member is unreachable. A new leader decides at its first commit, a settled
// one within 4.2 s. 3.4 knows no level above its own, whoever leads.
void FakeEtcd::consider_level(Store& store, const std::vector<Node*>& members, bool at_once) {
    std::string lowest = series_of(members.front()->running);
    for (const Node* node : members) {
        const std::string series = series_of(node->running);
        lowest = older(series, lowest) ? series : lowest;
    }
    if (store.level.empty()) {
        store.level = lowest;
    }
    if (lowest == store.downgrade_target && members.size() == nodes_.size()) {
        store.downgrade_target.clear();  // everybody is back: the window closes by itself
    }
    const bool holds = members.size() == nodes_.size() && older(store.level, lowest)
                       && store.downgrade_target.empty();
    if (!holds) {
        store.raise_at_ms = 0;
        return;
    }
    if (store.raise_at_ms == 0) {
        store.raise_at_ms = now_ms_ + faults_.between(0, k_raise_ms_max);
    }
    if (at_once || store.raise_at_ms <= now_ms_) {
        store.level = lowest;
        store.raise_at_ms = 0;
    }
}

// Before it goes, or gives up the lead, a leader lets the next one decide.
void FakeEtcd::hand_over(Store& store, const Node& from, const std::string& to) {
    unsettled_ = true;
    if (store.leader != from.name) {
        return;
    }
    store.leader = to;
    ++store.term;
    const auto members = live(store);
    if (has_quorum(members.size())) {
        consider_level(store, members, true);
    }
}

bool FakeEtcd::may_start(const Node& node) const {
    const Store& store = stores_.at(node.cluster_id);
    const std::string series = series_of(node.running);
    const bool bricked =
        series == "3.5" && older(store.downgrade_target, "3.5") && !store.downgrade_target.empty();
    return !bricked && (store.level.empty() || !older(series, store.level));
}

void FakeEtcd::begin_process(Node& node) {
    for (const auto& [version, folder] : node.member->versions) {
        node.running = folder == node.target ? version : node.running;
    }
    CHECK(!node.running.empty());
    unsettled_ = true;
    ++node.starts;
    node.pid = ++pids_;
    node.joined = false;
    if (may_start(node)) {
        node.serves_at_ms = now_ms_ + k_ready_ms;
        node.exits_at_ms = 0;
    } else {
        ++node.refusals;
        node.exits_at_ms = now_ms_ + k_refuses_ms;
        node.serves_at_ms = k_never;
    }
}

void FakeEtcd::end_process(Node& node) {
    unsettled_ = true;
    node.running.clear();
    node.joined = false;
    node.serves_at_ms = 0;
    node.exits_at_ms = 0;
    settle(stores_.at(node.cluster_id));
}

Node& FakeEtcd::by_service(const Json& service) {
    for (auto& [name, node] : nodes_) {
        if (node.member->service["pid_file"] == service["pid_file"]) {
            return node;
        }
    }
    CHECK(false);
    return nodes_.begin()->second;
}

agent::ActionResult FakeEtcd::start(const std::string&, const Json& service) {
    Node& node = by_service(service);
    const auto wanted = node.member->versions.find(node.running);
    if (wanted != node.member->versions.end() && wanted->second == node.target) {
        return {agent::Outcome::done, Json(Json::Object{{"adopted", true}})};
    }
    if (!node.running.empty()) {
        return refused("service.already_running", fmt::format("{} runs already", node.name));
    }
    begin_process(node);
    return {agent::Outcome::done, Json(Json::Object{{"pid", Json(node.pid)}})};
}

agent::ActionResult FakeEtcd::stop(const std::string&, const Json& service) {
    Node& node = by_service(service);
    if (node.running.empty()) {
        return {agent::Outcome::done, Json(Json::Object{{"note", Json("was not running")}})};
    }
    const auto members = live(stores_.at(node.cluster_id));
    const bool serves = std::find(members.begin(), members.end(), &node) != members.end();
    const bool takes_it = serves && has_quorum(members.size()) && !has_quorum(members.size() - 1);
    quorum_losses_ += takes_it && now_ms_ - died_ms_ > k_fresh_death_ms ? 1 : 0;
    stop_by_hand(node.name);
    return {agent::Outcome::done};
}

void FakeEtcd::stop_by_hand(const std::string& name) {
    Node& node = nodes_.at(name);
    Store& store = stores_.at(node.cluster_id);
    for (const Node* other : live(store)) {
        if (other != &node && store.leader == name) {
            hand_over(store, node, other->name);
        }
    }
    ++node.stops;
    end_process(node);
}

void FakeEtcd::start_by_hand(const std::string& name) {
    begin_process(nodes_.at(name));
}

void FakeEtcd::link_by_hand(const std::string& name, const std::string& version) {
    Node& node = nodes_.at(name);
    node.target = node.member->versions.at(version);
}

agent::ActionResult
FakeEtcd::link(const std::string& host, const std::string& link, const std::string& target) {
    for (auto& [name, node] : nodes_) {
        if (node.member->host == host && node.member->link == link) {
            node.target = target;
            return {agent::Outcome::done};
        }
    }
    return refused("link.no_target", fmt::format("{} is no link of a member", link));
}

bool FakeEtcd::kill_one(std::int64_t choice) {
    const auto members = live(stores_.at(nodes_.begin()->second.cluster_id));
    if (members.empty() || !has_quorum(members.size() - 1)) {
        return false;
    }
    died_ms_ = now_ms_;
    end_process(*members.at(static_cast<std::size_t>(choice) % members.size()));
    return true;
}

bool FakeEtcd::host_dies(const std::string& host) {
    std::vector<Node*> there;
    for (auto& [name, node] : nodes_) {
        if (node.member->host == host && !node.running.empty()) {
            there.push_back(&node);
        }
    }
    const auto members = live(stores_.at(nodes_.begin()->second.cluster_id));
    const auto serving = std::count_if(there.begin(), there.end(), [&](Node* node) {
        return std::find(members.begin(), members.end(), node) != members.end();
    });
    if (!has_quorum(members.size() - static_cast<std::size_t>(serving))) {
        return false;
    }
    for (Node* node : there) {
        died_ms_ = now_ms_;
        end_process(*node);
    }
    return true;
}

std::int64_t FakeEtcd::takes_ms(const Json& request) {
    const std::string& kind = request["kind"].as_string();
    if (kind == "service_stop") {
        return faults_.between(16, 1020);
    }
    return kind == "command" ? faults_.between(50, 2000) : faults_.between(2, 30);
}

}  // namespace drydock::fake_etcd
