// What etcd answers: the requests that the pack's probes and steps make, with bodies as they were
// read from 3.4.23 and 3.5.16; and the pack's scripts.
#include "base/hash.h"
#include "base/text.h"
#include "fake_etcd/fake_etcd.h"
#include "model/version.h"

#include <fmt/format.h>

namespace drydock::fake_etcd {

namespace {

using agent::ProbeResult;

constexpr std::int64_t k_free_bytes = 50'000'000'000;
constexpr std::uint64_t k_bytes_a_write = 200;

Json refusal(int code, const std::string& message) {
    Json body;
    return body.set("code", code).set("error", message).set("message", message);
}

// 64-bit numbers are texts in etcd's JSON.
Json text_of(std::uint64_t number) {
    return {std::to_string(number)};
}

std::string file_key(const std::string& host, const std::string& path) {
    return host + ":" + path;
}

Json hash_body(std::int64_t revision, std::int64_t asked) {
    Json header;
    header.set("revision", revision);
    Json body;
    body.set("header", std::move(header)).set("compact_revision", -1);
    const auto hash = static_cast<std::uint32_t>(asked * 2'654'435'761);
    return body.set("hash", static_cast<std::int64_t>(hash));
}

// What a pattern finds in a text is the same each time, and looking for it is slow.
ProbeResult pick_from_text(const Json& probe, const std::string& text) {
    static std::map<std::pair<std::string, std::string>, ProbeResult> found;
    if (!probe.contains("regex")) {
        return agent::extract(probe, text);
    }
    const auto [it, fresh] = found.try_emplace({probe["regex"].as_string(), text});
    if (fresh) {
        it->second = agent::extract(probe, text);
    }
    return it->second;
}

}  // namespace

// What a probe's `absent_status` and `status_map` say of an answer, else what it picks from it.
ProbeResult FakeEtcd::judge(const Json& probe, const Answer& answer) {
    const auto& absent = probe["absent_status"].items();
    const std::string status = std::to_string(answer.status);
    if (std::find(absent.begin(), absent.end(), Json(answer.status)) != absent.end()) {
        return agent::absent("status " + status);
    }
    if (const Json& map = probe["status_map"]; map.is_object()) {
        return map.contains(status) ? agent::known(map[status])
                                    : agent::cannot_tell("status " + status);
    }
    if (answer.status != 200) {
        return agent::cannot_tell("status " + status);
    }
    auto picked = agent::extract_from_json(probe, answer.body);
    return picked ? std::move(*picked)
                  : pick_from_text(
                        probe, answer.text.empty() ? answer.body.dump() : std::string(answer.text));
}

Node* FakeEtcd::by_url(std::string_view url, std::string_view& path, bool& peer) {
    for (auto& [name, node] : nodes_) {
        for (const std::string* base : {&node.client_url, &node.peer_url}) {
            if (url.starts_with(*base) && url.substr(base->size()).starts_with('/')) {
                path = url.substr(base->size());
                peer = base == &node.peer_url;
                return &node;
            }
        }
    }
    return nullptr;
}

FakeEtcd::Page& FakeEtcd::page(const std::string& url) {
    const auto [it, fresh] = pages_.try_emplace(url);
    if (fresh) {
        std::string_view path;
        it->second.node = by_url(url, path, it->second.peer);
        it->second.path = path;
    }
    return it->second;
}

FakeEtcd::Reply FakeEtcd::ask(const Page& page, const Json& body) {
    if (page.node == nullptr || page.node->running.empty() || page.node->exits_at_ms != 0
        || page.node->serves_at_ms > now_ms_) {
        return {};
    }
    Node& node = *page.node;
    const bool leaderless = stores_.at(node.cluster_id).leader.empty();
    const bool waits_for_quorum = leaderless && (page.path.starts_with("/v3/kv/") || !node.joined);
    if (waits_for_quorum) {
        return {std::nullopt, true};
    }
    const Call call = {node, page.path, body};
    return {page.peer ? peer_call(call) : client_call(call), false};
}

FakeEtcd::Answer FakeEtcd::client_call(const Call& call) {
    if (call.path == "/version") {
        return version_of(call.node);
    }
    if (call.path == "/v3/kv/range") {
        return auth_ ? Answer{400, refusal(3, "etcdserver: user name is empty"), {}}
                     : Answer{200, Json(Json::Object{}), {}};
    }
    if (call.path == "/v3/maintenance/status") {
        return status_of(call.node);
    }
    if (call.path == "/v3/cluster/member/list") {
        return member_list();
    }
    if (call.path == "/metrics") {
        return {200, {}, "etcd_server_quota_backend_bytes 2.147483648e+09\n"};
    }
    if (call.path == "/v3/maintenance/transfer-leadership") {
        return transfer(call);
    }
    if (call.path == "/v3/maintenance/downgrade") {
        return downgrade(call);
    }
    return {404, {}, "404 page not found"};
}

FakeEtcd::Answer FakeEtcd::peer_call(const Call& call) {
    const Store& store = stores_.at(call.node.cluster_id);
    if (call.path == "/downgrade/enabled") {
        const bool knows = series_of(call.node.running) != "3.4";
        return knows ? Answer{200, !store.downgrade_target.empty(), {}}
                     : Answer{404, {}, "404 page not found"};
    }
    if (call.path == "/members/hashkv") {
        const std::int64_t asked = call.body["revision"].as_int();
        const auto has = static_cast<std::int64_t>(call.node.applied);
        return asked <= has
                   ? Answer{200, hash_body(has, asked), {}}
                   : Answer{400, refusal(11, "mvcc: required revision is a future revision"), {}};
    }
    return {404, {}, "404 page not found"};
}

FakeEtcd::Answer FakeEtcd::version_of(Node& node) {
    const std::string& level = stores_.at(node.cluster_id).level;
    const auto& [told_release, told_level] = node.version.key;
    if (node.version.body.is_null() || told_release != node.running || told_level != level) {
        node.version.key = {node.running, level};
        node.version.body = {};
        node.version.body.set("etcdserver", node.running);
        node.version.body.set("etcdcluster", level.empty() ? "not_decided" : level + ".0");
    }
    return {200, node.version.body, {}};
}

FakeEtcd::Answer FakeEtcd::status_of(Node& node) {
    const Store& store = stores_.at(node.cluster_id);
    const StatusKey& last = node.status.key;
    const bool same = !node.status.body.is_null()
                      && std::tie(last.applied, last.term, last.cluster_id, last.no_space)
                             == std::tie(node.applied, store.term, node.cluster_id, no_space_)
                      && last.leader == store.leader && last.running == node.running;
    if (!same) {
        node.status = {
            {node.applied, store.term, node.cluster_id, store.leader, node.running, no_space_},
            make_status(node)};
    }
    return {200, node.status.body, {}};
}

// The keys of both come in order.
Json FakeEtcd::make_status(const Node& node) {
    const Store& store = stores_.at(node.cluster_id);
    const Json term = text_of(store.term);
    const Json index = text_of(node.applied + 7);
    Json::Object header;
    header.reserve(4);
    header.append("cluster_id", text_of(node.cluster_id));
    header.append("member_id", id_of(node));
    header.append("raft_term", term);
    header.append("revision", text_of(node.applied));
    Json::Object body;
    body.reserve(8);
    body.append("dbSize", text_of(node.applied * k_bytes_a_write));
    if (Json errors = errors_of(node); !errors.items().empty()) {
        body.append("errors", std::move(errors));
    }
    body.append("header", std::move(header));
    if (!store.leader.empty()) {
        body.append("leader", id_of(nodes_.at(store.leader)));
    }
    body.append("raftAppliedIndex", index);
    body.append("raftIndex", index);
    body.append("raftTerm", term);
    body.append("version", node.running);
    return body;
}

Json FakeEtcd::errors_of(const Node& node) const {
    Json errors{Json::Array{}};
    if (stores_.at(node.cluster_id).leader.empty()) {
        errors.push("etcdserver: no leader");
    }
    if (no_space_) {
        errors.push(fmt::format("memberID:{} alarm:NOSPACE ", member_id(node)));
    }
    return errors;
}

const Json& FakeEtcd::id_of(const Node& node) {
    Told<std::uint64_t>& told = ids_[&node];
    if (told.body.is_null() || told.key != node.cluster_id) {
        told = {node.cluster_id, text_of(member_id(node))};
    }
    return told.body;
}

FakeEtcd::Answer FakeEtcd::member_list() {
    if (!members_told_.is_null()) {
        return {200, members_told_, {}};
    }
    Json members{Json::Array{}};
    for (const auto& [name, node] : nodes_) {
        Json one;
        one.set("ID", text_of(member_id(node))).set("name", name);
        one.set("clientURLs", Json::Array{node.member->settings.at("client_url")});
        members.push(one.set("peerURLs", Json::Array{node.member->settings.at("peer_url")}));
    }
    members_told_ = Json(Json::Object{{"members", std::move(members)}});
    return {200, members_told_, {}};
}

FakeEtcd::Answer FakeEtcd::transfer(const Call& call) {
    Store& store = stores_.at(call.node.cluster_id);
    if (store.leader != call.node.name) {
        return {400, refusal(9, "etcdserver: not leader"), {}};
    }
    for (const Node* other : live(store)) {
        if (text_of(member_id(*other)) == call.body["targetID"]) {
            hand_over(store, call.node, other->name);
            return {200, Json(Json::Object{}), {}};
        }
    }
    return {503, refusal(14, "etcdserver: request timed out, waiting for the transfer"), {}};
}

// 3.6 lowers the level at once; 3.5 takes the call, answers that it timed out, and then no member
// can start any more.
FakeEtcd::Answer FakeEtcd::downgrade(const Call& call) {
    Store& store = stores_.at(call.node.cluster_id);
    const std::string series = series_of(call.node.running);
    if (series == "3.4") {
        return {404, {}, "404 page not found"};
    }
    if (call.body["action"] == Json("CANCEL")) {
        unsettled_ = true;
        store.downgrade_target.clear();
        return {200, Json(Json::Object{}), {}};
    }
    if (!store.downgrade_target.empty()) {
        return {400, refusal(9, "etcdserver: cluster has a downgrade job in progress"), {}};
    }
    unsettled_ = true;
    store.downgrade_target = series_of(call.body["version"].as_string());
    store.raise_at_ms = 0;
    if (series == "3.5") {
        return {503, refusal(14, "etcdserver: request timed out"), {}};
    }
    store.level = store.downgrade_target;
    return {200, Json(Json::Object{{"version", Json(store.level + ".0")}}), {}};
}

agent::ActionResult FakeEtcd::http(const std::string&, const Json& request) {
    ++moment_;
    const Reply reply = ask(page(request["url"].as_string()), request["body"]);
    if (reply.hangs) {
        return agent::unknown({"http.no_answer", "no answer in time", "look whether it happened"});
    }
    if (!reply.answer) {
        return agent::failed({"http.not_sent", "nobody listens", "see that the server listens"});
    }
    Json evidence;
    evidence.set("status", reply.answer->status).set("body_head", reply.answer->body.dump());
    if (reply.answer->status == 200) {
        return {agent::Outcome::done, std::move(evidence)};
    }
    Error error = {"http.status", fmt::format("status {}", reply.answer->status), "see the body"};
    return reply.answer->status >= 500 ? agent::unknown(std::move(error), std::move(evidence))
                                       : agent::failed(std::move(error), std::move(evidence));
}

FakeEtcd::Heard FakeEtcd::call(const std::string& url, const Json& body) {
    ++moment_;
    const Reply reply = ask(page(url), body);
    if (!reply.answer) {
        return {reply.hangs ? 0 : -1, ""};
    }
    const Answer& answer = *reply.answer;
    return {answer.status, answer.text.empty() ? answer.body.dump() : std::string(answer.text)};
}

bool FakeEtcd::listens(const std::string& name) const {
    const Node& node = nodes_.at(name);
    return !node.running.empty() && node.exits_at_ms == 0 && node.serves_at_ms <= now_ms_;
}

// Asks again if something may have changed since.
void FakeEtcd::refresh(Page& page, const Json& body) {
    if (page.moment == moment_) {
        return;
    }
    page.moment = moment_;
    Reply reply = ask(page, body);
    if (page.edition == 0 || !(reply == page.reply)) {
        page.reply = std::move(reply);
        ++page.edition;
    }
}

ProbeResult FakeEtcd::probe_http(Asked& asked, std::int64_t& takes_ms) {
    static const ProbeResult k_nobody = agent::absent("nobody listens there");
    Page& at = *asked.page;
    refresh(at, asked.probe["body"]);
    if (at.reply.hangs) {
        takes_ms = asked.probe["deadline_ms"].as_int(2000);
        return agent::cannot_tell("no answer in time");
    }
    if (!at.reply.answer) {
        return k_nobody;
    }
    if (asked.edition != at.edition) {
        asked.finding = judge(asked.probe, *at.reply.answer);
        asked.edition = at.edition;
    }
    return asked.finding;
}

// Probes that are sent again and again are the same values, not only equal ones.
ProbeResult FakeEtcd::probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) {
    const auto [it, fresh] = asked_.try_emplace(&probe.members());
    Asked& asked = it->second;
    if (fresh) {
        asked.probe = probe;
        asked.page = probe["kind"] == Json("http") ? &page(probe["url"].as_string()) : nullptr;
    }
    return asked.page != nullptr ? probe_http(asked, takes_ms) : probe_host(host, probe);
}

ProbeResult FakeEtcd::probe_host(const std::string& host, const Json& probe) {
    const std::string_view kind = probe["kind"].as_string();
    if (kind == "service") {
        return agent::known(by_service(probe["service"]).running.empty() ? "stopped" : "running");
    }
    if (kind == "process") {
        const Node& node = by_service(probe["service"]);
        return node.running.empty() ? agent::absent("it does not run") : agent::known(node.pid);
    }
    if (kind == "link") {
        for (const auto& [name, node] : nodes_) {
            for (const auto& [version, folder] : probe["versions"].members()) {
                if (node.member->link == probe["link"].as_string() && node.member->host == host
                    && folder.as_string() == node.target) {
                    return agent::known(version);
                }
            }
        }
        return agent::cannot_tell("it points to no known version");
    }
    if (kind == "disk") {
        return agent::known(k_free_bytes);
    }
    if (kind == "digest") {
        return agent::known(sha256_hex(probe["path"].as_string()));
    }
    const auto file = files_.find(file_key(host, probe["path"].as_string()));
    return file == files_.end() ? agent::absent("there is no such file")
                                : agent::extract(probe, file->second);
}

agent::ActionResult FakeEtcd::command(const std::string& host, const Json& request) {
    const std::string& script = request["script"]["name"].as_string();
    if (script == "snapshot.sh") {
        return snapshot(host, request["argv"]);
    }
    if (script == "restore-member.sh") {
        return restore(host, request["argv"]);
    }
    return agent::failed({"command.failed", "no such program", "see the argument vector"});
}

// snapshot.sh ETCDCTL ENDPOINT COPY
agent::ActionResult FakeEtcd::snapshot(const std::string& host, const Json& argv) {
    std::string_view path;
    bool peer = false;
    const std::string endpoint = argv.items().at(2).as_string() + "/";
    const Node* node = by_url(endpoint, path, peer);
    if (node == nullptr || !node->joined) {
        return agent::failed({"command.failed", "the endpoint does not answer", "start it"});
    }
    const std::string key = file_key(host, argv.items().at(3).as_string());
    snapshots_[key] = stores_.at(node->cluster_id).log.first(node->applied);
    Json proved;
    proved.set("hash", 1).set("revision", node->applied).set("totalKey", node->applied);
    files_[key + ".proved"] = proved.dump();
    return {agent::Outcome::done};
}

// restore-member.sh ETCDCTL COPY MEMBER DATA_DIR INITIAL_CLUSTER PEER_URL RUN
agent::ActionResult FakeEtcd::restore(const std::string& host, const Json& argv) {
    Node& node = nodes_.at(argv.items().at(3).as_string());
    const std::string& run = argv.items().at(7).as_string();
    const auto copy = snapshots_.find(file_key(host, argv.items().at(2).as_string()));
    if (node.restored_by == run) {
        return {agent::Outcome::done};
    }
    if (copy == snapshots_.end()) {
        return agent::failed({"command.failed", "there is no such copy here", "bring it here"});
    }
    const std::string token = "drydock-" + run;
    const auto id = xxh3({reinterpret_cast<const std::uint8_t*>(token.data()), token.size()});
    Store& store = stores_[id];
    store.cluster_id = id;
    if (store.log.size() == 0) {
        store.log = copy->second;
    }
    node.cluster_id = id;
    members_told_ = {};
    unsettled_ = true;
    node.applied = copy->second.size();
    node.restored_by = run;
    return {agent::Outcome::done};
}

}  // namespace drydock::fake_etcd
