// FakeHost: attempts, fences and files in maps, and the faults that can hit them.
//
// An attempt goes through three moments: begin() plans two events, take_effect() in the middle of
// the action's time and finish() at its end. At each moment a fault may interrupt the attempt, as
// a real supervisor may die there.
//
// The registry of owners is the agent's own class, and facts are made by the agent's to_fact(). So
// the rules of fencing and of facts under simulation are those of the real agent.
#include "transport/fake/fake_host.h"

#include "agent/action_key.h"
#include "base/check.h"
#include "base/coverage_mark.h"
#include "base/hash.h"

#include <fmt/format.h>

namespace drydock::transport {

namespace {

using agent::ActionKey;
using agent::ActionPhase;
using agent::ActionResult;

Json to_json(const ActionResult& result, std::int64_t started_ms, std::int64_t ended_ms) {
    Json json;
    json.set("outcome", agent::k_outcomes.of(result.outcome)).set("evidence", result.evidence);
    if (result.error) {
        json.set("error", agent::to_json(*result.error));
    }
    return json.set("started_ms", started_ms).set("ended_ms", ended_ms);
}

// Probes read the system at the moment of the request; slow ones answer later with the facts of
// that moment.
class FakeProbes final : public agent::ProbeRun {
public:
    FakeProbes(Json facts, os::Clock& clock, std::int64_t ready_ms)
        : facts_(std::move(facts))
        , clock_(clock)
        , ready_ms_(ready_ms) {}

    [[nodiscard]] std::optional<Json> poll() override {
        return clock_.monotonic_ms() >= ready_ms_ ? std::optional(facts_) : std::nullopt;
    }

private:
    Json facts_;
    os::Clock& clock_;
    std::int64_t ready_ms_;
};

std::string id_of(const ActionKey& key) {
    return key.run + ":" + key.action;
}

}  // namespace

ActionResult
FakeSystem::act(const std::string& host, const std::string& /*action*/, const Json& request) {
    const std::string& kind = request["kind"].as_string();
    if (kind == "service_start") {
        return start(host, request["service"]);
    }
    if (kind == "service_stop") {
        return stop(host, request["service"]);
    }
    if (kind == "link") {
        return link(host, request["link"].as_string(), request["target"].as_string());
    }
    if (kind == "command") {
        return command(host, request);
    }
    CHECK(kind == "http" || kind == "kubernetes");  // a request to a server, either way
    return http(host, request);
}

Json FakeHost::facts() {
    Json facts;
    facts.set("host", name_).set("version", "0.1.0");
    facts.set("boot_id", fmt::format("boot-{}", boots_)).set("wall_ms", clock_.wall_ms());
    facts.set("protocol", agent::k_protocol).set("owners", fences_.owners());
    return facts.set("fence", fences_.highest());
}

Result<std::int64_t> FakeHost::fence(agent::Owner owner, bool take_over) {
    return fences_.fence(std::move(owner), take_over);
}

// Counts refusals, for tests that expect a displaced conductor to be refused.
Status FakeHost::count(Status checked) {
    refused_ += checked ? 0 : 1;
    return checked;
}

Status FakeHost::check(const agent::Commander& commander) {
    return count(fences_.check(commander));
}

Status FakeHost::admit(const agent::Commander& commander) {
    return count(fences_.admit(commander, clock_.wall_ms()));
}

// Adds a tombstone: the key is known, and nothing of it ever runs.
Status FakeHost::bury(const ActionKey& key) {
    attempts_.try_emplace(key, Attempt{ActionPhase::none, {}, {}, {}, clock_.wall_ms()});
    return {};
}

// True if the host reboots in the middle of a write, and the system can do without it.
bool FakeHost::goes_down() {
    return faults_.should_inject(Fault::writes_lost) && system_.host_dies(name_);
}

// Makes the checks of LocalHost::begin() that need no files, in the same order.
Status FakeHost::begin(const agent::Permit& permit,
                       const ActionKey& key,
                       const Json& request,
                       const Json&) {
    DRYDOCK_TRY(admit(permit.commander));
    if (permit.head) {
        fences_.note(*permit.head);
    }
    if (attempts_.contains(key)) {
        return {};
    }
    if (const auto running_attempt = find_running_attempt(key)) {
        return agent::attempt_running(*running_attempt);
    }
    if (permit.is_late(clock_.monotonic_ms())) {
        COVERAGE_MARK("agent: a request to begin came too late");
        return bury(key);
    }
    if (faults_.should_inject(Fault::disk_full)) {
        COVERAGE_MARK("host: its disk is full");
        return fail("os.write",
                    "the action's folder: No space left on device",
                    "free some disk on that host, then drydock resume");
    }
    attempts_.emplace(key,
                      Attempt{ActionPhase::running,
                              request,
                              {},
                              {},
                              clock_.wall_ms(),
                              permit.commander.journal,
                              permit.head});
    if (is_held_) {
        system_.begin(key.action);
    } else {
        schedule_events(key, request);
    }
    return {};
}

std::optional<ActionKey> FakeHost::find_running_attempt(const ActionKey& key) const {
    auto entry = attempts_.lower_bound({key.run, key.action, 0});
    for (; entry != attempts_.end() && entry->first.run == key.run
           && entry->first.action == key.action;
         ++entry) {
        if (entry->second.phase == ActionPhase::running) {
            return entry->first;
        }
    }
    return std::nullopt;
}

// Plans the effect and the end of the action, unless a fault strikes first. After a reboot the
// folder of the attempt may be there or not, since it was not synced.
void FakeHost::schedule_events(const ActionKey& key, const Json& request) {
    if (goes_down()) {
        if (faults_.between(0, 1) == 1) {
            COVERAGE_MARK("host: a folder that was not synced is gone");
            attempts_.erase(key);
        }
        reboots_();  // an empty folder says nothing
        return;
    }
    system_.begin(key.action);
    if (faults_.should_inject(Fault::interrupted_at_once)) {
        interrupt(key);
        return;
    }
    const std::int64_t now = clock_.monotonic_ms();
    const std::int64_t takes = std::max<std::int64_t>(system_.takes_ms(request), 2);
    schedule_(now + takes / 2, [this, key] { take_effect(key); });
    schedule_(now + takes, [this, key] { finish(key); });
}

// Interrupts every attempt that runs. The conductor notices it by the new boot id.
void FakeHost::reboot() {
    ++boots_;
    for (auto& [key, attempt] : attempts_) {
        if (attempt.phase == ActionPhase::running) {
            stop_attempt(key, attempt, ActionPhase::interrupted);
        }
    }
}

// Every attempt that was begun ends here, in whatever way.
void FakeHost::forget_effects(const ActionKey& key) {
    effects_.erase(id_of(key));
}

void FakeHost::stop_attempt(const ActionKey& key, Attempt& attempt, ActionPhase phase) {
    attempt.phase = phase;
    system_.end(key.action);
}

void FakeHost::interrupt(const ActionKey& key) {
    stop_attempt(key, attempts_.at(key), ActionPhase::interrupted);
    changed_();
}

void FakeHost::set_progress(const ActionKey& key, Json progress) {
    attempts_.at(key).progress = std::move(progress);
    changed_();
}

// Lets the action change the system. Faults may come before the effect, in place of it, or right
// after it; the last one leaves an effect without a result.
void FakeHost::take_effect(const ActionKey& key) {
    Attempt& attempt = attempts_.at(key);
    if (attempt.phase != ActionPhase::running) {
        return;
    }
    if (faults_.should_inject(Fault::interrupted_before_effect)) {
        interrupt(key);
        return;
    }
    system_.advance(clock_.monotonic_ms());
    if (faults_.should_inject(Fault::action_fails)) {
        refuse(attempt);
        return;
    }
    ++effects_[id_of(key)];
    attempt.result = to_json(
        system_.act(name_, key.action, attempt.request), attempt.started_ms, clock_.wall_ms());
    if (faults_.should_inject(Fault::interrupted_after_effect)) {
        interrupt(key);
    }
}

void FakeHost::refuse(Attempt& attempt) {
    attempt.result =
        to_json(agent::failed({"command.failed", "it said no (exit status 1)", "see its output"}),
                attempt.started_ms,
                clock_.wall_ms());
}

void FakeHost::fail_action(const ActionKey& key) {
    refuse(attempts_.at(key));
}

// Ends the attempt with its result. A reboot at this moment may lose the result, but not the
// effect.
void FakeHost::finish(const ActionKey& key) {
    Attempt& attempt = attempts_.at(key);
    if (attempt.phase != ActionPhase::running) {
        return;
    }
    if (faults_.should_inject(Fault::interrupted_before_result)) {
        interrupt(key);
        return;
    }
    const bool is_rebooting = goes_down();
    const bool is_result_lost = is_rebooting && faults_.between(0, 1) == 1;
    if (is_result_lost) {
        COVERAGE_MARK("host: a result that was not synced is gone");
        stop_attempt(key, attempt, ActionPhase::interrupted);
    } else {
        stop_attempt(key, attempt, ActionPhase::ended);
        attempt.request = {};
    }
    if (is_rebooting) {
        reboots_();
    }
    changed_();
}

agent::ActionState FakeHost::query(const ActionKey& key) {
    const auto entry = attempts_.find(key);
    if (entry == attempts_.end()) {
        return {};
    }
    const Attempt& match = entry->second;
    return {match.phase,
            match.phase == ActionPhase::ended     ? match.result
            : match.phase == ActionPhase::running ? match.progress
                                                  : Json()};
}

// Ends a running attempt as unknown: its effect may have taken place or not. A command with a time
// to stop pauses, unless it has had its effect already.
Status FakeHost::cancel(const agent::Commander& commander, const ActionKey& key) {
    DRYDOCK_TRY(admit(commander));
    const auto entry = attempts_.find(key);
    if (entry == attempts_.end() || entry->second.phase != ActionPhase::running) {
        return {};
    }
    Attempt& attempt = entry->second;
    Json evidence = Json::Object{};
    if (!attempt.progress.is_null()) {
        evidence.set("progress", attempt.progress).set("cursor", true);
    }
    const Error ended = {"command.ended_early", "it was cancelled", "", {}};
    const bool can_pause = attempt.request["stop_within_ms"].as_int() > 0;
    const bool has_effect = attempt.result.is_object();
    if (can_pause && has_effect) {
        finish(key);
        return {};
    }
    const agent::ActionResult result =
        can_pause ? agent::ActionResult{agent::Outcome::paused, std::move(evidence)}
                  : agent::unknown(ended, std::move(evidence));
    attempt.result = to_json(result, attempt.started_ms, clock_.wall_ms());
    attempt.result.set("cancelled", true);
    stop_attempt(key, attempt, ActionPhase::ended);
    changed_();
    return {};
}

Result<std::vector<agent::RunningAction>> FakeHost::running() {
    std::vector<agent::RunningAction> actions;
    for (const auto& [key, attempt] : attempts_) {
        if (attempt.phase == ActionPhase::running) {
            actions.push_back({key, attempt.journal});
        }
    }
    return actions;
}

std::set<agent::NotedHead> FakeHost::heads(const std::string& run) {
    auto heads = run.empty() ? fences_.heads() : std::set<agent::NotedHead>();
    for (const auto& [key, attempt] : attempts_) {
        if (attempt.head && (run.empty() || key.run == run)) {
            heads.insert(*attempt.head);
        }
    }
    return heads;
}

// The set is complete when its slowest probe is, as on a real host.
std::unique_ptr<agent::ProbeRun> FakeHost::probe(const Json& probes) {
    system_.advance(clock_.monotonic_ms());
    Json::Array facts;
    facts.reserve(probes.items().size());
    std::int64_t slowest = 0;
    for (const Json& probe_request : probes.items()) {
        std::int64_t takes = 0;
        auto finding = system_.probe(name_, probe_request, takes);
        facts.push_back(
            agent::to_fact(probe_request, std::move(finding), {clock_.wall_ms(), takes}));
        slowest = std::max(slowest, takes);
    }
    const std::int64_t ready = clock_.monotonic_ms() + slowest;
    if (slowest > 0) {
        schedule_(ready, [this] { changed_(); });
    }
    return std::make_unique<FakeProbes>(Json(std::move(facts)), clock_, ready);
}

// Collects portions under a part name; the last one checks the digest and gives the file its name.
Status FakeHost::put(const agent::Commander& commander, const agent::PutPart& part) {
    DRYDOCK_TRY(admit(commander));
    std::string& file = files_[part.path + ".part"];
    file.resize(static_cast<std::size_t>(part.offset));
    file += part.bytes;
    if (!part.last) {
        return {};
    }
    if (sha256_hex(file) != *part.last) {
        return fail("agent.digest", fmt::format("{} arrived damaged", part.path), "send it again");
    }
    files_[part.path] = std::move(file);
    files_.erase(part.path + ".part");
    return {};
}

Result<agent::FilePart>
FakeHost::get(const std::string& path, std::int64_t offset, std::int64_t size) {
    const auto file = files_.find(path);
    if (file == files_.end()) {
        return fail("os.missing", fmt::format("there is no file {}", path));
    }
    const std::string& bytes = file->second;
    const auto first = std::min(static_cast<std::size_t>(offset), bytes.size());
    return agent::FilePart{bytes.substr(first, static_cast<std::size_t>(size)),
                           static_cast<std::int64_t>(bytes.size())};
}

}  // namespace drydock::transport
