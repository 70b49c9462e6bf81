// Sets of probes: their groups, their deadlines and their answers.
//
// A set is split into groups: identical HTTP requests form one, so do readings of the same objects
// of Kubernetes, and every other probe is a group of its own. Each group is one job of the pool.
// The answers are shared by the run that waits and by the jobs, since a job may hang longer than
// the run lives.
//
// Each group is answered exactly once: by its job, or by poll() after the deadline. The first of
// the two wins (`answered`). Probes get k_last_words_ms beyond their deadline, because most know
// why they have no value.
#include "agent/probe.h"
#include "agent/probe_pool.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_deadline_ms = 5000;  // when a probe names none
constexpr std::int64_t k_deadline_ms_max = 600'000;
constexpr std::int64_t k_last_words_ms =
    50;  // for a probe that explains itself why it has no value

struct ProbeKind {
    std::string_view name;
    ProbeResult (*ask)(const Json& probe, std::int64_t timeout_ms);
};

constexpr std::array k_kinds = {
    ProbeKind{"change", probe_change},
    ProbeKind{"command", probe_command},
    ProbeKind{"digest", probe_digest},
    ProbeKind{"disk", probe_disk},
    ProbeKind{"exe", probe_exe},
    ProbeKind{"file", probe_file},
    ProbeKind{"link", probe_link},
    ProbeKind{"process", probe_process},
    ProbeKind{"service", probe_service},
    ProbeKind{"sql", probe_sql},
};

// Probes that share one exchange, and the places of their facts in the answer.
struct Group {
    std::vector<Json> probes;
    std::vector<std::size_t> places;
    std::int64_t asked_ms = 0;  // monotonic, like the next
    std::int64_t deadline_ms = 0;
    bool started = false;
    bool answered = false;
};

// The facts of a set. The run that waits for them and the jobs in the pool share it; any of them
// may live longest.
struct Answers {
    std::mutex mutex;
    std::vector<Group> groups;
    Json::Array facts;
};

// Stores the facts of a group. Does nothing if the group has its answer: the thread hung and comes
// too late.
void store(Answers& answers, std::size_t index, std::vector<ProbeResult> findings) {
    os::RealClock clock;
    const std::lock_guard lock(answers.mutex);
    Group& group = answers.groups[index];
    if (std::exchange(group.answered, true)) {
        return;
    }
    const ReadTime now = {clock.wall_ms(), clock.monotonic_ms() - group.asked_ms};
    for (std::size_t i = 0; i < findings.size(); ++i) {
        answers.facts[group.places[i]] = to_fact(group.probes[i], std::move(findings[i]), now);
    }
}

// Returns a copy, since poll() writes to the group itself when its deadline has passed.
Group take_group(Answers& answers, std::size_t index) {
    const std::lock_guard lock(answers.mutex);
    answers.groups[index].started = true;
    return answers.groups[index];
}

// Probes of such a kind share one exchange if these parts are equal.
struct ExchangeKind {
    std::string_view name;
    std::vector<ProbeResult> (*ask)(const std::vector<Json>& probes, std::int64_t timeout_ms);
    std::initializer_list<const char*> parts;
};

const ExchangeKind* find_exchange(std::string_view name) {
    static const ExchangeKind kinds[] = {
        {"http", probe_http, {"method", "url", "headers", "body", "tls"}},
        {"kubernetes",
         probe_kubernetes,
         {"kubeconfig",
          "context",
          "proxy",
          "namespace",
          "resource",
          "name",
          "labels",
          "may",
          "dry_run",
          "subresource"}},
    };
    const auto* match = std::find_if(std::begin(kinds),
                                     std::end(kinds),
                                     [&](const ExchangeKind& kind) { return kind.name == name; });
    return match == std::end(kinds) ? nullptr : match;
}

// Returns nothing for a probe that cannot be asked, since its secret is missing.
const ExchangeKind* exchange_of(const Json& probe) {
    return probe.contains("cannot_ask") ? nullptr : find_exchange(probe["kind"].as_string());
}

// Runs in a thread of the pool. A job that waited until its deadline is not started at all.
void answer(Answers& answers, std::size_t index, const ProbeRunner& ask) {
    const Group group = take_group(answers, index);
    const auto left_ms = group.deadline_ms - os::RealClock().monotonic_ms();
    std::vector<ProbeResult> findings;
    if (left_ms <= 0) {
        findings.resize(group.probes.size(), cannot_tell("no time left to ask"));
    } else if (const auto* exchange = exchange_of(group.probes.front())) {
        findings = exchange->ask(group.probes, left_ms);
    } else {
        findings.push_back(ask(group.probes.front(), left_ms));
    }
    store(answers, index, std::move(findings));
}

// Returns equal keys for probes that are identical in every part that is sent.
std::string group_key(const Json& probe, std::size_t place) {
    const ExchangeKind* exchange = exchange_of(probe);
    if (exchange == nullptr) {
        return std::to_string(place);
    }
    Json request;
    request.set("kind", probe["kind"]);
    for (const auto* part : exchange->parts) {
        if (probe.contains(part)) {
            request.set(part, probe[part]);
        }
    }
    return request.dump();
}

std::int64_t deadline_of(const Json& probe) {
    return std::clamp<std::int64_t>(
        probe["deadline_ms"].as_int(k_deadline_ms), 0, k_deadline_ms_max);
}

// A group has the latest deadline of its probes.
std::vector<Group> group(const Json& probes) {
    const auto now_ms = os::RealClock().monotonic_ms();
    std::map<std::string, Group> groups;
    for (std::size_t i = 0; i < probes.items().size(); ++i) {
        const auto& probe = probes.items()[i];
        Group& group = groups[group_key(probe, i)];
        group.asked_ms = now_ms;
        group.deadline_ms = std::max(group.deadline_ms, now_ms + deadline_of(probe));
        group.probes.push_back(probe);
        group.places.push_back(i);
    }
    std::vector<Group> result;
    for (auto& [key, entry] : groups) {
        result.push_back(std::move(entry));
    }
    return result;
}

// Says whether the probe hung itself or only waited behind others that hang.
std::string why_silent(const Group& group, std::size_t lost) {
    const auto within_ms = group.deadline_ms - group.asked_ms;
    return group.started
               ? fmt::format("did not answer within {} ms", within_ms)
               : fmt::format("was not asked within {} ms: {} earlier probes hang on this host",
                             within_ms,
                             lost);
}

class Run final : public ProbeRun {
public:
    Run(std::shared_ptr<Answers> answers, std::shared_ptr<ProbePool> pool)
        : answers_(std::move(answers))
        , pool_(std::move(pool)) {}

    std::optional<Json> poll() override {
        const auto now_ms = os::RealClock().monotonic_ms();
        pool_->replace_lost(now_ms);
        for (const std::size_t index : overdue(now_ms)) {
            give_up(index, pool_->lost_threads(now_ms));
        }
        const std::lock_guard lock(answers_->mutex);
        const auto& groups = answers_->groups;
        const bool complete = std::all_of(
            groups.begin(), groups.end(), [](const Group& group) { return group.answered; });
        return complete ? std::optional(Json(answers_->facts)) : std::nullopt;
    }

    [[nodiscard]] std::optional<std::int64_t> next_deadline_ms() const override {
        std::optional<std::int64_t> next;
        const std::lock_guard lock(answers_->mutex);
        for (const Group& group : answers_->groups) {
            const auto end_ms = group.deadline_ms + k_last_words_ms + 1;
            if (!group.answered && (!next || end_ms < *next)) {
                next = end_ms;
            }
        }
        return next;
    }

private:
    [[nodiscard]] std::vector<std::size_t> overdue(std::int64_t now_ms) const {
        std::vector<std::size_t> places;
        const std::lock_guard lock(answers_->mutex);
        for (std::size_t i = 0; i < answers_->groups.size(); ++i) {
            const Group& group = answers_->groups[i];
            if (!group.answered && now_ms > group.deadline_ms + k_last_words_ms) {
                places.push_back(i);
            }
        }
        return places;
    }

    [[nodiscard]] Group copy_of(std::size_t index) const {
        const std::lock_guard lock(answers_->mutex);
        return answers_->groups[index];
    }

    void give_up(std::size_t index, std::size_t lost) {
        const Group group = copy_of(index);
        store(*answers_,
              index,
              std::vector<ProbeResult>(group.probes.size(), cannot_tell(why_silent(group, lost))));
    }

    std::shared_ptr<Answers> answers_;
    std::shared_ptr<ProbePool> pool_;
};

}  // namespace

ProbeResult run_probe(const Json& probe, std::int64_t timeout_ms) {
    if (probe.contains("cannot_ask")) {
        return cannot_tell(probe["cannot_ask"].as_string());
    }
    const std::string& kind_name = probe["kind"].as_string();
    for (const auto& kind : k_kinds) {
        if (kind.name == kind_name) {
            return kind.ask(probe, timeout_ms);
        }
    }
    return cannot_tell(fmt::format("this agent knows no probe of kind `{}`", kind_name));
}

Prober::Prober(std::function<void()> woken, ProbeRunner ask)
    : pool_(std::make_shared<ProbePool>(std::move(woken)))
    , run_probe_(std::move(ask)) {
}

Prober::~Prober() {
    pool_->close();
}

std::unique_ptr<ProbeRun> Prober::start(const Json& probes) {
    auto answers = std::make_shared<Answers>();
    answers->facts.resize(probes.items().size());
    answers->groups = group(probes);
    std::vector<std::int64_t> deadlines;
    for (const Group& group : answers->groups) {
        deadlines.push_back(group.deadline_ms + k_last_words_ms);
    }
    for (std::size_t i = 0; i < deadlines.size(); ++i) {
        pool_->add({[answers, i, ask = run_probe_] { answer(*answers, i, ask); }, deadlines[i]});
    }
    return std::make_unique<Run>(std::move(answers), pool_);
}

}  // namespace drydock::agent
