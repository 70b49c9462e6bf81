// Asks hosts for the work that is under way there, and waits until it has ended.
//
// A stop that is still at work takes a member down after it was seen up, so facts alone do not
// describe a cluster. Each host answers with its running actions and its registered owners; the
// owner of an action is found by the action's journal. A host that does not answer is reported as
// silent, never as idle.
#include "executor/work_on_hosts.h"

#include "base/coverage_mark.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::executor {

namespace {

constexpr std::int64_t k_poll_ms = 300;  // between two readings
constexpr std::int64_t k_turn_ms = 500;

// Finds the registered owner of a journal in a greeting; nothing if the journal is unknown there.
std::optional<agent::Owner> find_owner(const Json& greeting, const std::string& journal) {
    for (const Json& entry : greeting["owners"].items()) {
        if (!journal.empty() && entry["journal"].as_string() == journal) {
            auto owner = agent::read_owner(entry);
            return owner ? std::optional(std::move(*owner)) : std::nullopt;
        }
    }
    return std::nullopt;
}

void take_running(const std::string& host, const Json& body, WorkReport& report) {
    for (const Json& work : body["running"].items()) {
        report.running.push_back({host,
                                  work["run"].as_string(),
                                  work["action"].as_string(),
                                  work["attempt"].as_int(),
                                  find_owner(body, work["journal"].as_string())});
    }
}

void take_reply(const std::string& host, const Reply& reply, WorkReport& report) {
    switch (reply.kind) {
    case Reply::Kind::answer:
        take_running(host, reply.body, report);
        return;
    case Reply::Kind::refused:
    case Reply::Kind::lost:
        COVERAGE_MARK("work: a host does not tell what is under way");
        report.silent.emplace(host, reply.error);
        return;
    case Reply::Kind::progress:
        return;
    }
}

// Lets the whole time pass although the pool returns early.
void pass_time(AgentPool& hosts, os::Clock& clock, std::int64_t ms) {
    const std::int64_t end = clock.monotonic_ms() + ms;
    while (clock.monotonic_ms() < end) {
        hosts.pass_time(end - clock.monotonic_ms());
    }
}

}  // namespace

std::string AttemptOnHost::text() const {
    return fmt::format("{} of run {} on host {}", action, run, host);
}

namespace {

// Asks all hosts at once. The loop ends by the deadlines of the requests, so it needs none of its
// own.
void ask_work(const std::vector<std::string>& names,
              AgentPool& hosts,
              os::Clock& clock,
              WorkReport& report) {
    std::map<RequestId, std::string> hosts_by_ticket;
    const std::int64_t deadline = clock.monotonic_ms() + k_work_answer_ms;
    for (const std::string& host : names) {
        Json hello;
        hello.set("do", "hello");
        hosts_by_ticket.emplace(hosts.submit(host, std::move(hello), deadline), host);
    }
    while (!hosts_by_ticket.empty()) {
        for (const Reply& reply : hosts.poll(k_turn_ms)) {
            const auto entry = hosts_by_ticket.find(reply.ticket);
            if (entry != hosts_by_ticket.end() && reply.kind != Reply::Kind::progress) {
                take_reply(entry->second, reply, report);
                hosts_by_ticket.erase(entry);
            }
        }
    }
}

}  // namespace

WorkReport read_work(AgentPool& hosts, os::Clock& clock) {
    WorkReport report;
    ask_work(hosts.names(), hosts, clock, report);
    return report;
}

WorkReport recall_work(AgentPool& hosts, os::Clock& clock) {
    WorkReport report;
    std::vector<std::string> untried;
    for (const std::string& host : hosts.names()) {
        if (const auto& trouble = hosts.trouble(host)) {
            report.silent.emplace(host, *trouble);
        } else if (hosts.greeting(host).is_null()) {
            untried.push_back(host);
        } else {
            take_running(host, hosts.greeting(host), report);
        }
    }
    ask_work(untried, hosts, clock, report);
    return report;
}

// Work that is allowed does not count. A first report that the caller has saves one reading.
WorkReport await_quiet(AgentPool& hosts,
                       os::Clock& clock,
                       std::int64_t within_ms,
                       const WorkReport* first,
                       const std::function<bool(const AttemptOnHost&)>& allowed,
                       const std::function<bool(const AttemptOnHost&)>& on_wait) {
    const std::int64_t deadline = clock.monotonic_ms() + within_ms;
    while (true) {
        WorkReport report = first != nullptr ? *first : read_work(hosts, clock);
        first = nullptr;
        std::erase_if(report.running, allowed);
        if (report.running.empty() || clock.monotonic_ms() >= deadline) {
            return report;
        }
        COVERAGE_MARK("work: something is still under way");
        if (on_wait && on_wait(report.running.front())) {
            return report;
        }
        pass_time(hosts, clock, k_poll_ms);
    }
}

Error under_way_error(const AttemptOnHost& work, std::int64_t waited_ms) {
    return {"work.under_way",
            fmt::format("{} is under way still, after {} of waiting",
                        work.text(),
                        show_duration(waited_ms)),
            fmt::format("wait until it has ended, or end it on host {}; then the same again",
                        work.host),
            ErrorClass::transient};
}

}  // namespace drydock::executor
