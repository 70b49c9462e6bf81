// The command `drydock journal verify`: tests whether a journal was changed.
//
// Three checks, each stronger than the one before. The chain of hashes shows a record that was
// changed or dropped. The grammar shows records that no conductor writes. Heads that were noted
// elsewhere, by people or hosts, show a journal that was rewritten as a whole.
// docs/design/0007-trust.md lists the places of noted heads.
#include "agent/heads.h"
#include "app/agent_program.h"
#include "app/internal.h"
#include "executor/agent_pool.h"
#include "executor/noted_heads_check.h"
#include "run/grammar.h"
#include "transport/ssh/ssh.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::app {

namespace {

constexpr std::size_t k_head_digits_min = 16;
constexpr std::int64_t k_answer_ms_max = 20'000;  // that a host may take to tell its heads
constexpr std::int64_t k_turn_ms = 500;

// Replays the run's events through the grammar of run/grammar.h. The chain proves that no record
// was changed; the grammar tells whether each had a meaning when it was written. Runs of older
// versions name no grammar and are passed.
Status check_grammar(StateDir& state_dir, const model::Plan& plan) {
    const run::EventCodec codec(plan);
    const run::Program program(plan);
    run::Grammar grammar(program);
    DRYDOCK_TRY_ASSIGN(const auto records, state_dir.journal().read(plan.run));
    for (const journal::Record& record : records) {
        DRYDOCK_TRY_ASSIGN(const auto events, executor::events_of(record, codec));
        for (const run::Event& event : events) {
            if (event.type == run::EventType::run_created
                && event.detail["grammar"].as_int(0) != k_grammar) {
                return {};
            }
            if (const auto objection = grammar.accept(event)) {
                return fail(
                    "journal.grammar",
                    fmt::format("run {}, record {}: {}", plan.run, record.sequence, *objection),
                    "keep the journal as evidence: a conductor of this version does not "
                    "write such a record");
            }
        }
    }
    return {};
}

Result<bool> has_head(StateDir& state_dir, const std::string& run, const std::string& head) {
    DRYDOCK_TRY_ASSIGN(const auto records, state_dir.journal().read(run));
    return std::any_of(records.begin(), records.end(), [&](const journal::Record& record) {
        return to_hex(record.hash).starts_with(head);
    });
}

// Looks for a head that was noted outside of the journal. The chain alone would be whole, too, if
// all of it had been written anew. Short prefixes are refused, since they would match by chance.
Status
find_head(StateDir& state_dir, const std::vector<journal::RunInfo>& runs, const std::string& head) {
    if (head.size() < k_head_digits_min) {
        return fail("journal.head_short",
                    fmt::format("`{}` is too short for a head", head),
                    fmt::format("give {} digits of it at least", k_head_digits_min));
    }
    for (const journal::RunInfo& info : runs) {
        DRYDOCK_TRY_ASSIGN(const bool has_match, has_head(state_dir, info.run.id, head));
        if (has_match) {
            return {};
        }
    }
    return fail("journal.head_gone",
                fmt::format("no record of this journal has the head {}", head),
                "if it was noted from this journal, the journal was written anew since");
}

// Checks every run: its chain, its plan's digest, and its grammar.
AppResult<std::vector<VerifiedRun>> verify_runs(StateDir& state_dir,
                                                const std::vector<journal::RunInfo>& runs) {
    std::vector<VerifiedRun> verified;
    for (const journal::RunInfo& info : runs) {
        DRYDOCK_TRY_ASSIGN(auto whole, state_dir.journal().verify(info.run.id));
        DRYDOCK_TRY_ASSIGN(auto plan, state_dir.load_plan(info));
        DRYDOCK_TRY(check_grammar(state_dir, plan));
        verified.push_back({info.run.id, whole.records, to_hex(whole.hash)});
    }
    return verified;
}

using HeadsByRun = std::map<std::string, executor::RecordHashes>;

Result<HeadsByRun> heads_of(const StateDir& state_dir, const std::vector<VerifiedRun>& runs) {
    HeadsByRun heads;
    for (const VerifiedRun& run : runs) {
        executor::RecordHashes& hashes_of_run = heads[run.run];
        DRYDOCK_TRY_ASSIGN(const auto records, state_dir.journal().read(run.run));
        for (const journal::Record& record : records) {
            hashes_of_run.add({record.sequence, record.hash});
        }
    }
    return heads;
}

using RepliesByHost = std::map<std::string, executor::Reply>;  // by host

// The loop ends, because every request has a deadline and the pool answers each one there.
RepliesByHost await_replies(executor::AgentPool& hosts,
                            const std::map<executor::RequestId, std::string>& host_by_ticket) {
    RepliesByHost replies;
    while (replies.size() < host_by_ticket.size()) {
        for (executor::Reply& reply : hosts.poll(k_turn_ms)) {
            const auto host = host_by_ticket.find(reply.ticket);
            if (host != host_by_ticket.end() && reply.kind != executor::Reply::Kind::progress) {
                replies.emplace(host->second, std::move(reply));
            }
        }
    }
    return replies;
}

// Asks every host at once for all heads that it noted. One silent host costs its own time-out only.
RepliesByHost ask_heads(const Options& options, const model::Cluster& cluster) {
    os::RealClock clock;
    transport::SshTransport transport(agent_program(options.program));
    executor::AgentPool hosts(
        transport, clock, addresses(cluster.hosts, options, cluster.state_dir));
    std::map<executor::RequestId, std::string> host_by_ticket;
    for (const std::string& host : hosts.names()) {
        Json hello;
        hello.set("do", "hello").set("heads_of", "");
        host_by_ticket.emplace(
            hosts.submit(host, std::move(hello), clock.monotonic_ms() + k_answer_ms_max), host);
    }
    return await_replies(hosts, host_by_ticket);
}

// Returns an error if the host obeys another journal of the same cluster. Two journals of one
// cluster mean two conductors, and one of them is not the true one.
std::optional<Error>
find_other_journal(const Json& greeting, const std::string& cluster, const std::string& journal) {
    for (const Json& owner : greeting["owners"].items()) {
        if (owner["cluster"].as_string() == cluster && owner["journal"].as_string() != journal) {
            return Error{"journal.other",
                         fmt::format("this host obeys another journal of cluster `{}` ({:.8}, {}), "
                                     "and not this one",
                                     cluster,
                                     owner["journal"].as_string(),
                                     owner["who"].as_string()),
                         "find out who works with that journal, and which of the two is the true "
                         "one",
                         ErrorClass::permanent};
        }
    }
    return std::nullopt;
}

// Compares the heads of one host with those of the journal. Heads of another journal, or of this
// one before a take-over, are only counted: this journal cannot vouch for them.
class HostComparison {
public:
    HostComparison(const StateDir& state_dir, std::string cluster, HeadsByRun heads)
        : journal_(state_dir.journal().id())
        , cluster_(std::move(cluster))
        , heads_(std::move(heads)) {}

    [[nodiscard]] Result<VerifiedHost> compare(const std::string& host,
                                               const executor::Reply& reply) const {
        if (reply.kind != executor::Reply::Kind::answer) {
            return tl::unexpected(reply.error);
        }
        if (auto other_journal = find_other_journal(reply.body, cluster_, journal_)) {
            return tl::unexpected(std::move(*other_journal));
        }
        DRYDOCK_TRY(compare_own(reply.body["heads"]));
        VerifiedHost verified = {host};
        for (const Json& head : reply.body["heads"].items()) {
            ++(is_own(head) ? verified.heads : verified.other_heads);
        }
        return verified;
    }

private:
    [[nodiscard]] bool is_own(const Json& head) const {
        return head["journal"].as_string() == journal_;
    }

    // Fails if a head that this journal noted on the host is no longer in it. That is the trace of
    // a journal that was rewritten or put back from a backup.
    [[nodiscard]] Status compare_own(const Json& heads) const {
        std::set<std::string> runs;
        for (const Json& head : heads.items()) {
            if (is_own(head)) {
                runs.insert(head["run"].as_string());
            }
        }
        for (const std::string& run : runs) {
            const auto entry = heads_.find(run);
            const executor::RecordHashes& hashes_of_run =
                entry == heads_.end() ? no_heads_ : entry->second;
            if (auto missing_head = hashes_of_run.find_gone(journal_, run, heads)) {
                return tl::unexpected(std::move(*missing_head));
            }
        }
        return {};
    }

    std::string journal_;
    std::string cluster_;
    HeadsByRun heads_;
    executor::RecordHashes no_heads_;  // of a run that this journal does not have
};

// Collects the errors of all hosts, because a person wants to see them together.
AppResult<std::vector<VerifiedHost>> compare_all(const HostComparison& comparison,
                                                 const RepliesByHost& replies) {
    std::vector<VerifiedHost> verified;
    Failure failure;
    for (const auto& [host, reply] : replies) {
        auto compared = comparison.compare(host, reply);
        if (compared) {
            verified.push_back(std::move(*compared));
        } else {
            failure.errors.push_back(compared.error().with_context("host " + host));
        }
    }
    return failure.errors.empty() ? AppResult<std::vector<VerifiedHost>>(std::move(verified))
                                  : tl::unexpected(std::move(failure));
}

AppResult<std::vector<VerifiedHost>> verify_hosts(const Options& options,
                                                  const StateDir& state_dir,
                                                  const std::vector<VerifiedRun>& runs) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    const model::Cluster& cluster = project.cluster;
    DRYDOCK_TRY(check_trust(options, project));
    DRYDOCK_TRY_ASSIGN(auto heads, heads_of(state_dir, runs));
    const HostComparison comparison(state_dir, cluster.name, std::move(heads));
    return compare_all(comparison, ask_heads(options, cluster));
}

}  // namespace

// The journal's own chains are verified first. Comparing heads of a broken journal would only add
// noise.
AppResult<VerifiedJournal>
verify_journal(const Options& options, const std::string& head, bool with_hosts) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    DRYDOCK_TRY_ASSIGN(auto runs, state_dir.journal().list_runs());
    DRYDOCK_TRY_ASSIGN(auto verified, verify_runs(state_dir, runs));
    if (!head.empty()) {
        DRYDOCK_TRY(find_head(state_dir, runs, head));
    }
    DRYDOCK_TRY_ASSIGN(auto hosts,
                       with_hosts ? verify_hosts(options, state_dir, verified)
                                  : AppResult<std::vector<VerifiedHost>>());
    return VerifiedJournal{std::move(verified), std::move(hosts)};
}

}  // namespace drydock::app
