// One `hello`, one `ping` and one `probe` to each host, all hosts at once.
//
// The time of a `hello` has the connection in it; that of a `ping` is one way there and back. What
// the agent has no probe for is told by one command of the shell.
#include "app/hosts_check.h"

#include "app/agent_program.h"
#include "app/internal.h"
#include "app/trust.h"
#include "base/text.h"
#include "executor/agent_pool.h"
#include "transport/ssh/ssh.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <map>

namespace drydock::app {

namespace {

constexpr std::int64_t k_contact_ms_max = 120'000;  // an agent may have to be copied first
constexpr std::int64_t k_answer_ms_max = 20'000;
constexpr int k_turn_ms = 1000;
constexpr std::int64_t k_skew_ms_max = 1'000;
constexpr std::int64_t k_room_bytes_min = 64'000'000;
constexpr const char* k_facts_script =
    "echo user=$(id -un); echo machine=$(uname -m); "
    "[ -d /run/systemd/system ] && echo services=systemd || echo services=none; "
    "command -v dpkg >/dev/null && echo packages=dpkg || { command -v rpm >/dev/null && echo "
    "packages=rpm || echo packages=none; }";

using SteadyTime = std::chrono::steady_clock::time_point;

struct Timed {
    executor::Reply reply;
    double took_ms = 0;
    std::int64_t wall_ms = 0;  // our clock when the reply came
};

// Sends one request to each of the hosts, and returns the final replies.
std::map<std::string, Timed> ask_all(executor::AgentPool& hosts,
                                     os::Clock& clock,
                                     const std::map<std::string, Json>& requests,
                                     std::int64_t within_ms) {
    std::map<executor::RequestId, std::string> host_by_ticket;
    const SteadyTime asked = std::chrono::steady_clock::now();
    for (const auto& [host, request] : requests) {
        host_by_ticket[hosts.submit(host, request, clock.monotonic_ms() + within_ms)] = host;
    }
    std::map<std::string, Timed> replies;
    while (replies.size() < host_by_ticket.size()) {
        for (executor::Reply& reply : hosts.poll(k_turn_ms)) {
            const auto host = host_by_ticket.find(reply.ticket);
            if (host != host_by_ticket.end() && reply.kind != executor::Reply::Kind::progress) {
                const std::chrono::duration<double, std::milli> took =
                    std::chrono::steady_clock::now() - asked;
                replies[host->second] = {std::move(reply), took.count(), clock.wall_ms()};
            }
        }
    }
    return replies;
}

Json request_of(const char* verb) {
    return Json::Object{{"do", verb}};
}

Json probe_of(const std::string& id, const char* kind, const char* type) {
    return Json::Object{{"id", id}, {"kind", kind}, {"type", type}, {"deadline_ms", 5000}};
}

Json probes_of(const HostReport& report, const model::Policy& policy) {
    Json probes = Json::Array{};
    for (const char* key : {"user", "machine", "services", "packages"}) {
        Json argv = Json::Array{"sh", "-c", k_facts_script};
        probes.push(probe_of(key, "command", "text").set("argv", std::move(argv)).set("key", key));
    }
    probes.push(
        probe_of("state", "disk", "integer").set("path", report.state).set("as", "free_bytes"));
    probes.push(probe_of("backups", "disk", "integer")
                    .set("path", policy.backup_path)
                    .set("as", "free_bytes"));
    return request_of("probe").set("probes", std::move(probes));
}

void take_fact(const Json& fact, HostReport& report) {
    const std::map<std::string, std::string HostReport::*> texts = {
        {"user", &HostReport::user},
        {"machine", &HostReport::machine},
        {"services", &HostReport::services},
        {"packages", &HostReport::packages}};
    const std::string& id = fact["id"].as_string();
    const bool is_known = fact["status"].as_string() == "known";
    if (const auto text = texts.find(id); text != texts.end()) {
        report.*text->second = is_known ? fact["value"].as_string() : "?";
    } else if (is_known && fact["value"].is_integer()) {
        (id == "state" ? report.state_free_bytes : report.backup_free_bytes) =
            fact["value"].as_int();
    }
}

void find_problems(HostReport& report) {
    if (std::abs(report.skew_ms) > k_skew_ms_max) {
        report.problems.push_back(
            {"host.clock",
             fmt::format("its clock is {:.1f} s {} ours",
                         std::abs(static_cast<double>(report.skew_ms)) / 1000,
                         report.skew_ms > 0 ? "ahead of" : "behind"),
             "set the clocks, as by NTP: times of logs and certificates mislead else",
             ErrorClass::permanent});
    }
    const std::pair<const std::optional<std::int64_t>*, const char*> folders[] = {
        {&report.state_free_bytes, "state"}, {&report.backup_free_bytes, "backup"}};
    for (const auto& [free, folder] : folders) {
        if (*free && **free < k_room_bytes_min) {
            report.problems.push_back(
                {"host.room",
                 fmt::format("its {} folder has {} MB left", folder, **free / 1'000'000),
                 "free disk there",
                 ErrorClass::permanent});
        }
    }
}

std::vector<HostReport> reports_of(const model::Cluster& cluster, const Options& options) {
    std::vector<HostReport> reports;
    for (const auto& [name, address] : addresses(cluster.hosts, options, cluster.state_dir)) {
        HostReport report;
        report.name = name;
        report.state = address.state;
        std::vector<std::string> words = address.connect;
        if (transport::has_ssh_name(address)) {
            words.front() = "ssh";
        }
        words.insert(words.end(), address.become.begin(), address.become.end());
        report.way = words.empty() ? "this machine" : join(words, " ");
        for (const model::Member& member : cluster.members) {
            if (member.host == name) {
                report.members.push_back(member.name);
            }
        }
        reports.push_back(std::move(report));
    }
    return reports;
}

void take_greeting(const executor::AgentPool& hosts, const Timed& timed, HostReport& report) {
    report.is_reached = timed.reply.kind == executor::Reply::Kind::answer;
    report.connect_ms = timed.took_ms;
    if (!report.is_reached) {
        report.problems.push_back(hosts.trouble(report.name).value_or(timed.reply.error));
        return;
    }
    report.version = timed.reply.body["version"].as_string();
    report.skew_ms = timed.reply.body["wall_ms"].as_int() - timed.wall_ms;
}

// Asks those that answered: how long a call takes, and what is there.
void look_closer(executor::AgentPool& hosts,
                 os::Clock& clock,
                 const model::Policy& policy,
                 std::vector<HostReport>& reports) {
    std::map<std::string, Json> pings;
    std::map<std::string, Json> probes;
    for (const HostReport& report : reports) {
        if (report.is_reached) {
            pings.emplace(report.name, request_of("ping"));
            probes.emplace(report.name, probes_of(report, policy));
        }
    }
    const auto pongs = ask_all(hosts, clock, pings, k_answer_ms_max);
    const auto facts = ask_all(hosts, clock, probes, k_answer_ms_max);
    for (HostReport& report : reports) {
        if (!report.is_reached) {
            continue;
        }
        report.call_ms = pongs.at(report.name).took_ms;
        for (const Json& fact : facts.at(report.name).reply.body["facts"].items()) {
            take_fact(fact, report);
        }
        find_problems(report);
    }
}

}  // namespace

AppResult<std::vector<HostReport>> list_hosts(const Options& options) {
    DRYDOCK_TRY_ASSIGN(const auto project, open_project(options));
    return reports_of(project.cluster, options);
}

AppResult<std::vector<HostReport>> check_hosts(const Options& options) {
    DRYDOCK_TRY_ASSIGN(const auto project, open_project(options));
    DRYDOCK_TRY(check_trust(options, project));
    const model::Cluster& cluster = project.cluster;
    std::vector<HostReport> reports = reports_of(cluster, options);
    DRYDOCK_TRY(transport::LocalTransport::reserve(reports.size()));
    os::RealClock clock;
    transport::SshTransport transport(agent_program(options.program));
    executor::AgentPool hosts(
        transport, clock, addresses(cluster.hosts, options, cluster.state_dir));
    std::map<std::string, Json> greetings;
    for (const HostReport& report : reports) {
        greetings.emplace(report.name, request_of("hello"));
    }
    const auto greeted = ask_all(hosts, clock, greetings, k_contact_ms_max);
    for (HostReport& report : reports) {
        take_greeting(hosts, greeted.at(report.name), report);
    }
    look_closer(hosts, clock, cluster.policy, reports);
    return reports;
}

}  // namespace drydock::app
