#include "agent/probe.h"
#include "os/clock.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace drydock::agent {
namespace {

constexpr std::size_t k_threads_max = 16;     // probes mostly wait; a host has few services
constexpr std::int64_t k_deadline_ms = 5000;  // when a probe names none

struct ProbeKind {
    std::string_view name;
    Finding (*ask)(const Json& probe, std::int64_t timeout_ms);
};

constexpr std::array k_kinds = {
    ProbeKind{"command", probe_command},
    ProbeKind{"digest", probe_digest},
    ProbeKind{"disk", probe_disk},
    ProbeKind{"exe", probe_exe},
    ProbeKind{"file", probe_file},
    ProbeKind{"link", probe_link},
    ProbeKind{"process", probe_process},
    ProbeKind{"service", probe_service},
};

Finding ask(const Json& probe, std::int64_t timeout_ms) {
    const std::string& wanted = probe["kind"].as_string();
    for (const auto& kind : k_kinds) {
        if (kind.name == wanted) {
            return kind.ask(probe, timeout_ms);
        }
    }
    return cannot_tell(fmt::format("this agent knows no probe of kind `{}`", wanted));
}

// Probes that one exchange answers, and where in the answer their facts go.
struct Group {
    std::vector<Json> probes;
    std::vector<std::size_t> places;
    std::int64_t asked_ms = 0;  // monotonic, like the next
    std::int64_t deadline_ms = 0;
};

// The facts of a set, filled by the pool's threads. Shared by the run that waits for them and by
// the jobs in the pool, whichever lives longer.
struct Answers {
    std::mutex mutex;
    Json::Array facts;
    std::size_t groups_left = 0;
};

void answer(const Group& group, Answers& answers) {
    os::RealClock clock;
    const auto left_ms = group.deadline_ms - clock.monotonic_ms();
    std::vector<Finding> findings;
    if (left_ms <= 0) {
        findings.resize(group.probes.size(), cannot_tell("no time left to ask"));
    } else if (group.probes.front()["kind"].as_string() == "http") {
        findings = probe_http(group.probes, left_ms);
    } else {
        findings.push_back(ask(group.probes.front(), left_ms));
    }
    const ReadAt now = {clock.wall_ms(), clock.monotonic_ms() - group.asked_ms};
    const std::lock_guard lock(answers.mutex);
    for (std::size_t i = 0; i < findings.size(); ++i) {
        answers.facts[group.places[i]] = to_fact(group.probes[i], std::move(findings[i]), now);
    }
    --answers.groups_left;
}

// Identical HTTP requests are one group; everything else is a group of its own.
std::string group_key(const Json& probe, std::size_t place) {
    if (probe["kind"].as_string() != "http") {
        return std::to_string(place);
    }
    Json request;
    for (const auto* part : {"method", "url", "headers", "body", "tls"}) {
        request.set(part, probe[part]);
    }
    return request.dump();
}

std::map<std::string, Group> group(const Json& probes) {
    const auto now_ms = os::RealClock().monotonic_ms();
    std::map<std::string, Group> groups;
    for (std::size_t i = 0; i < probes.items().size(); ++i) {
        const auto& probe = probes.items()[i];
        Group& group = groups[group_key(probe, i)];
        const auto deadline_ms = now_ms + probe["deadline_ms"].as_int(k_deadline_ms);
        group.asked_ms = now_ms;
        group.deadline_ms = std::max(group.deadline_ms, deadline_ms);
        group.probes.push_back(probe);
        group.places.push_back(i);
    }
    return groups;
}

class Run final : public ProbeRun {
public:
    explicit Run(std::shared_ptr<Answers> answers) : answers_(std::move(answers)) {}

    std::optional<Json> poll() override {
        const std::lock_guard lock(answers_->mutex);
        return answers_->groups_left > 0 ? std::nullopt : std::optional(Json(answers_->facts));
    }

private:
    std::shared_ptr<Answers> answers_;
};

}  // namespace

class Prober::Pool {
public:
    explicit Pool(std::function<void()> woken) : woken_(std::move(woken)) {}

    ~Pool() {
        const std::lock_guard lock(mutex_);
        jobs_.clear();
        for (auto& thread : threads_) {
            thread.request_stop();
        }
    }

    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    void add(std::function<void()> job) {
        const std::lock_guard lock(mutex_);
        jobs_.push_back(std::move(job));
        if (idle_ < jobs_.size() && threads_.size() < k_threads_max) {
            threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
        }
        changed_.notify_one();
    }

private:
    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (true) {
            ++idle_;
            const bool some = changed_.wait(lock, stop, [this] { return !jobs_.empty(); });
            --idle_;
            if (!some) {
                return;
            }
            const auto job = std::move(jobs_.front());
            jobs_.pop_front();
            lock.unlock();
            job();
            woken_();
            lock.lock();
        }
    }

    std::function<void()> woken_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<std::function<void()>> jobs_;
    std::size_t idle_ = 0;
    std::vector<std::jthread> threads_;  // last: they end before the rest goes
};

Prober::Prober(std::function<void()> woken) : pool_(std::make_unique<Pool>(std::move(woken))) {
}

Prober::~Prober() = default;

std::unique_ptr<ProbeRun> Prober::start(const Json& probes) {
    auto groups = group(probes);
    auto answers = std::make_shared<Answers>();
    answers->facts.resize(probes.items().size());
    answers->groups_left = groups.size();
    for (auto& [key, each] : groups) {
        pool_->add([one = std::move(each), answers] { answer(one, *answers); });
    }
    return std::make_unique<Run>(std::move(answers));
}

}  // namespace drydock::agent
