// FakeEtcd: an etcd cluster as it was seen to behave, in simulated time: processes, leaders, one
// raft log, the cluster version that rises by itself, and a client that never stops writing.
//
// What is modelled: a release refuses to start on a level above its own; the leader raises the
// level 0 to 4.2 s after the last member joined on the new release, or at once when leadership
// changes or the leader gets SIGTERM; without quorum reads hang and members that start answer
// nothing; 3.6's downgrade window; snapshots and restores by the pack's scripts. What is not:
// disks, slow members, real elections. It counts what was done to it, for tests to judge.
#pragma once

#include "model/cluster.h"
#include "transport/fake/fake_system.h"
#include "transport/fake/faults.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace drydock::fake_etcd {

// Writes by their ids, which count up: a client writes many, so whole ranges are kept.
class Writes {
public:
    void add(int first, int count);
    // Without what came after the first `count`.
    [[nodiscard]] Writes first(std::uint64_t count) const;
    // How many of these `other` does not have.
    [[nodiscard]] std::uint64_t missing_in(const Writes& other) const;

    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    struct Range {
        int first;
        int count;
    };

    std::vector<Range> ranges_;
    std::uint64_t size_ = 0;
};

// One cluster's data, as its raft log holds it. Restoring a snapshot makes a new one.
struct Store {
    std::uint64_t cluster_id = 0;
    std::string level;             // "3.4"; empty: not decided yet
    std::string downgrade_target;  // of the open downgrade window; empty: none
    Writes log;
    std::uint64_t term = 1;
    std::string leader;            // name; empty: none
    std::int64_t elect_at_ms = 0;  // 0: no election under way
    std::int64_t raise_at_ms = 0;  // 0: the law's condition does not hold
};

// What a member's status is made of.
struct StatusKey {
    std::uint64_t applied = 0;
    std::uint64_t term = 0;
    std::uint64_t cluster_id = 0;
    std::string leader;
    std::string running;
    bool no_space = false;
    bool operator==(const StatusKey&) const = default;
};

// What was told last, and of what it was made: it is asked for much more often than it changes.
template <class Key>
struct Told {
    Key key;
    Json body;  // null: nothing yet
};

struct Node {
    std::string name;
    std::string client_url;
    std::string peer_url;
    const model::Member* member = nullptr;  // as the cluster file has it
    std::string target;                     // where its release link points
    std::string running;                    // release of its process; empty: none
    std::int64_t serves_at_ms = 0;
    std::int64_t exits_at_ms = 0;  // a process that refused to start; 0: it stays
    bool joined = false;           // was part of a quorum since it started
    std::uint64_t cluster_id = 0;  // whose data it has
    std::string restored_by;       // the run that restored it
    std::uint64_t applied = 0;     // entries of the log
    int starts = 0;
    int stops = 0;
    int refusals = 0;  // starts on a level that the release cannot read
    int pid = 0;
    Told<StatusKey> status;
    Told<std::pair<std::string, std::string>> version;  // its release, and the level
};

class FakeEtcd final : public transport::FakeSystem {
public:
    // Every member runs `version` and serves. `faults` gives the latencies. Both must outlive this.
    FakeEtcd(const model::Cluster& cluster, const std::string& version, transport::Faults& faults);

    void advance(std::int64_t now_ms) override;
    agent::ActionResult start(const std::string& host, const Json& service) override;
    agent::ActionResult stop(const std::string& host, const Json& service) override;
    agent::ActionResult
    link(const std::string& host, const std::string& link, const std::string& target) override;
    agent::ActionResult command(const std::string& host, const Json& request) override;
    agent::ActionResult http(const std::string& host, const Json& request) override;
    [[nodiscard]] std::int64_t takes_ms(const Json& request) override;
    agent::ProbeResult
    probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) override;
    bool kill_one(std::int64_t choice) override;
    bool host_dies(const std::string& host) override;

    // What a client hears, for servers of real sockets. Status 0: no answer; -1: nobody listens.
    struct Heard {
        int status = 0;
        std::string body;
    };

    [[nodiscard]] Heard call(const std::string& url, const Json& body);
    [[nodiscard]] bool listens(const std::string& name) const;

    // What a person does by hand.
    void start_by_hand(const std::string& name);
    void stop_by_hand(const std::string& name);
    void link_by_hand(const std::string& name, const std::string& version);

    void set_auth(bool on) { auth_ = on; }

    void set_no_space(bool on) { no_space_ = on; }

    void set_writing(bool on) { writing_ = on; }

    [[nodiscard]] const Node& node(const std::string& name) const { return nodes_.at(name); }

    [[nodiscard]] const std::map<std::string, Node>& nodes() const { return nodes_; }

    // The data that the first member has.
    [[nodiscard]] const Store& store() const;
    [[nodiscard]] int serving() const;  // members that serve

    [[nodiscard]] std::size_t acknowledged() const { return acknowledged_.size(); }

    // Acknowledged writes that the cluster no longer holds.
    [[nodiscard]] std::uint64_t lost_writes() const;

    // Stops that took the quorum although no member had died shortly before.
    [[nodiscard]] int quorum_losses() const { return quorum_losses_; }

private:
    // What a server says: JSON, or a text that is none.
    struct Answer {
        int status = 0;
        Json body;
        std::string_view text;  // a literal
        bool operator==(const Answer&) const = default;
    };

    struct Reply {
        std::optional<Answer> answer;  // none: nobody listens, or it hangs
        bool hangs = false;
        bool operator==(const Reply&) const = default;
    };

    struct Call {
        Node& node;
        std::string_view path;
        const Json& body;
    };

    // One URL: who answers there, and what.
    struct Page {
        Node* node = nullptr;  // null: nobody has that address
        std::string path;
        bool peer = false;
        std::uint64_t moment = 0;   // of the reply
        std::uint64_t edition = 0;  // moves when the reply changes
        Reply reply;
    };

    // A probe that was asked, and what it found. The same answer gives the same finding.
    struct Asked {
        Json probe;                 // held, so that no other one gets its place in memory
        Page* page = nullptr;       // null: it asks no server
        std::uint64_t edition = 0;  // of the page that it was found in; 0: not yet
        agent::ProbeResult finding;
    };

    void settle();
    void settle(Store& store);
    void elect(Store& store, const std::vector<Node*>& live);
    void consider_level(Store& store, const std::vector<Node*>& live, bool at_once);
    void write_until(std::int64_t now_ms);
    [[nodiscard]] std::int64_t next_change_ms() const;
    [[nodiscard]] std::vector<Node*> live(const Store& store);

    [[nodiscard]] bool has_quorum(std::size_t count) const { return count * 2 > nodes_.size(); }

    void begin_process(Node& node);
    void end_process(Node& node);
    void hand_over(Store& store, const Node& from, const std::string& to);
    [[nodiscard]] Node& by_service(const Json& service);
    [[nodiscard]] Node* by_url(std::string_view url, std::string_view& path, bool& peer);
    [[nodiscard]] bool may_start(const Node& node) const;
    [[nodiscard]] Page& page(const std::string& url);
    [[nodiscard]] Reply ask(const Page& page, const Json& body);
    [[nodiscard]] Answer client_call(const Call& call);
    [[nodiscard]] Answer peer_call(const Call& call);
    [[nodiscard]] Answer version_of(Node& node);
    [[nodiscard]] Answer status_of(Node& node);
    [[nodiscard]] Json make_status(const Node& node);
    [[nodiscard]] Json errors_of(const Node& node) const;
    [[nodiscard]] const Json& id_of(const Node& node);
    [[nodiscard]] Answer transfer(const Call& call);
    [[nodiscard]] Answer downgrade(const Call& call);
    [[nodiscard]] Answer member_list();
    static agent::ProbeResult judge(const Json& probe, const Answer& answer);
    void refresh(Page& page, const Json& body);
    agent::ProbeResult probe_http(Asked& asked, std::int64_t& takes_ms);
    agent::ProbeResult probe_host(const std::string& host, const Json& probe);
    agent::ActionResult snapshot(const std::string& host, const Json& argv);
    agent::ActionResult restore(const std::string& host, const Json& argv);

    transport::Faults& faults_;
    std::map<std::string, Node> nodes_;
    std::map<std::uint64_t, Store> stores_;
    std::map<std::string, Writes> snapshots_;   // by host and path
    std::map<std::string, std::string> files_;  // by host and path
    Writes acknowledged_;
    int last_write_ = 0;
    std::map<std::string, Page> pages_;  // by URL
    std::unordered_map<const Json::Object*, Asked> asked_;
    std::uint64_t moment_ = 1;                        // moves whenever something may have changed
    std::map<const Node*, Told<std::uint64_t>> ids_;  // looked up only
    Json members_told_;                               // null: they have changed since
    bool unsettled_ = true;  // something was done that may have more come of it
    bool writing_ = true;
    bool auth_ = false;
    bool no_space_ = false;
    int quorum_losses_ = 0;
    int pids_ = 1000;
    std::int64_t now_ms_ = 0;
    std::int64_t written_ms_ = 0;
    std::int64_t died_ms_ = -1'000'000;
};

// "3.5" of "3.5.16".
[[nodiscard]] std::string series_of(const std::string& version);
[[nodiscard]] std::uint64_t member_id(const Node& node);

}  // namespace drydock::fake_etcd
