// The agent's protocol: requests in, answers out, over the interface Host.
//
// handle() returns every answer that is ready at once; tick() returns the others. Two tables keep
// the open requests by number: one for actions, one for sets of probes. A number is in at most one
// of them.
//
// The hard rule is about "none": such an answer lets a conductor begin the action again elsewhere
// or later. So final_answer() buries the key first. As long as a command could still be on its
// way, or the burial fails for the moment, there is no answer. docs/formats/agent-protocol.md has
// the requests.
#include "agent/session.h"

#include "agent/action_key.h"
#include "base/coverage_mark.h"
#include "base/text.h"
#include "model/fact.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_never_ms = -1;
constexpr std::size_t k_answer_bytes_max = 4U << 20U;  // escapes may double it; a frame has 8 MiB
constexpr std::size_t k_fact_overhead_bytes = 512;     // evidence, id and times of one fact
constexpr std::int64_t k_part_bytes_max = 4 << 20;     // base64 of it fits a frame

Json numbered(std::int64_t number, Json answer) {
    answer.set("n", number);
    return answer;
}

Json refusal(std::int64_t number, const Error& error) {
    Json answer;
    answer.set("error", to_json(error));
    return numbered(number, std::move(answer));
}

tl::unexpected<Error> bad_request(std::string message) {
    return fail("agent.bad_request", std::move(message), "use the same drydock on both sides");
}

Json state_answer(const ActionState& state) {
    Json answer;
    answer.set("state", k_action_phases.of(state.phase));
    if (state.phase == ActionPhase::ended) {
        answer.set("result", state.detail);
    }
    return answer;
}

// True if a request names its sender. A survey has no sender and is never refused.
bool has_commander(const Json& frame) {
    return !frame["epoch"].is_null() || !frame["journal"].is_null();
}

Result<Commander> read_commander(const Json& frame) {
    const std::string& journal = frame["journal"].as_string();
    if (!frame["epoch"].is_integer()) {
        return bad_request("a request that changes something has no `epoch`");
    }
    if (journal.size() > k_owner_text_max) {
        return bad_request("the name of a `journal` is too long");
    }
    return Commander{journal, frame["epoch"].as_int()};
}

Json empty_answer() {
    return Json(Json::Object{});
}

// Returns the time until which an action may begin; nothing if it may begin at any time.
std::optional<std::int64_t> begin_by(const Json& frame) {
    return frame["begin_by_ms"].is_integer() ? std::optional(frame["begin_by_ms"].as_int())
                                             : std::nullopt;
}

// Returns the head of a request as a head of its sender's journal.
Result<std::optional<NotedHead>>
noted_head(const Json& frame, const Commander& commander, const ActionKey& key) {
    if (frame["head"].is_null()) {
        return std::nullopt;
    }
    Json head;
    head.set("journal", commander.journal).set("epoch", commander.epoch).set("run", key.run);
    head.set("sequence", frame["head"]["sequence"]).set("hash", frame["head"]["hash"]);
    DRYDOCK_TRY_ASSIGN(NotedHead noted, read_head(head));
    return noted;
}

// Returns the heads as JSON. The newest records of each run come last; surplus heads are left off
// at the front.
Json heads_answer(const std::set<NotedHead>& heads) {
    Json result{Json::Array{}};
    std::size_t surplus = heads.size() - std::min(heads.size(), k_heads_max);
    for (const NotedHead& head : heads) {
        if (surplus == 0) {
            result.push(to_json(head));
        }
        surplus -= surplus == 0 ? 0 : 1;
    }
    return result;
}

// Returns the probes with their secrets. A probe whose secret did not come has the reason under
// "cannot_ask", and the others still run.
Json fill_probes(const Json& probes, const Json& secrets) {
    Json filled{Json::Array{}};
    for (const Json& probe : probes.items()) {
        auto filled_probe = fill_secrets(probe, secrets);
        if (filled_probe) {
            filled.push(std::move(*filled_probe));
        } else {
            Json refused = probe;
            filled.push(refused.set("cannot_ask", filled_probe.error().message));
        }
    }
    return filled;
}

// Replaces values that do not fit into one answer any more by unknown; the other facts stay.
Json fit_in_frame(Json facts) {
    std::size_t used = 0;
    for (const Json& fact : facts.items()) {
        used += k_fact_overhead_bytes + model::weight_of(fact["value"]);
    }
    if (used <= k_answer_bytes_max) {
        return facts;
    }
    Json result{Json::Array{}};
    used = facts.items().size() * k_fact_overhead_bytes;
    for (Json fact : facts.items()) {
        used += model::weight_of(fact["value"]);
        if (used > k_answer_bytes_max) {
            used -= model::weight_of(fact["value"]);
            Json evidence;
            evidence.set("problem", "the answer of this host would be too large with this value");
            fact.set("status", "unknown")
                .set("value", nullptr)
                .set("evidence", std::move(evidence));
        }
        result.push(std::move(fact));
    }
    return result;
}

// Redacts values and evidence; ids stay as they are.
Json redact_facts(const Redactor& redactor, const Json& facts) {
    Json result{Json::Array{}};
    for (Json fact : facts.items()) {
        for (const char* part : {"evidence", "value"}) {
            if (fact.contains(part)) {
                fact.set(part, redactor.redact(fact[part]));
            }
        }
        result.push(std::move(fact));
    }
    return result;
}

}  // namespace

std::vector<Json> Session::handle(const Json& frame) {
    if (!frame["n"].is_integer()) {
        return {refusal(0, bad_request("a request has no number `n`").value())};
    }
    const auto number = frame["n"].as_int();
    if (pending_actions_.contains(number) || pending_probes_.contains(number)) {
        return {refusal(number, bad_request("that number still waits for an answer").value())};
    }
    auto answered = answer(number, frame);
    if (!answered) {
        return {refusal(number, answered.error())};
    }
    return *answered ? Answers{numbered(number, std::move(**answered))} : Answers{};
}

Result<std::optional<Json>> Session::answer(std::int64_t number, const Json& frame) {
    const std::string_view verb = frame["do"].as_string();
    if (pending_actions_.size() + pending_probes_.size() >= k_pending_max) {
        return fail("agent.busy",
                    fmt::format("{} requests wait for an answer", k_pending_max),
                    "wait for some of them",
                    ErrorClass::transient);
    }
    if (verb == "hello") {
        return hello(frame);
    }
    if (verb == "ping") {
        return with_clock(empty_answer());
    }
    if (verb == "fence") {
        return fence(frame);
    }
    if (verb == "probe") {
        return probe(number, frame);
    }
    if (verb == "put" || verb == "get") {
        return move_file(frame, verb == "put");
    }
    return handle_action(number, frame);
}

Result<Json> Session::fence(const Json& frame) {
    DRYDOCK_TRY_ASSIGN(Owner owner, read_owner(frame["owner"]));
    DRYDOCK_TRY_ASSIGN(const auto commander, read_commander(frame));
    owner.epoch = commander.epoch;
    owner.since_ms = clock_.wall_ms();
    // The host obeyed this conductor before and does not know its journal now: all is forgotten.
    owner.since_epoch = owner.epoch + (frame["again"].as_bool() ? 1 : 0);
    const bool take_over = frame["take_over"].as_bool();
    DRYDOCK_TRY_ASSIGN(const auto epoch, host_.fence(std::move(owner), take_over));
    return with_clock(empty_answer().set("fence", epoch));
}

// Refuses a displaced conductor also when it only reads, so that it notices. A survey names no
// epoch and is never refused.
Status Session::check(const Json& frame) {
    if (!has_commander(frame)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const auto commander, read_commander(frame));
    return host_.check(commander);
}

std::optional<Json> Session::PendingProbes::poll() const {
    auto facts = run->poll();
    if (facts && redactor.hides_something()) {
        facts = redact_facts(redactor, *facts);
    }
    return facts ? std::optional(fit_in_frame(std::move(*facts))) : facts;
}

Result<std::optional<Json>> Session::probe(std::int64_t number, const Json& frame) {
    DRYDOCK_TRY(check(frame));
    PendingProbes probing = {host_.probe(fill_probes(frame["probes"], frame["secrets"])),
                             Redactor(frame["secrets"])};
    auto facts = probing.poll();
    if (facts) {
        return with_clock(empty_answer().set("facts", std::move(*facts)));
    }
    pending_probes_.emplace(number, std::move(probing));
    return std::nullopt;
}

// Handles exec, attach and cancel. Returns nothing if the answer comes later.
Result<std::optional<Json>> Session::handle_action(std::int64_t number, const Json& frame) {
    const std::string_view verb = frame["do"].as_string();
    if (verb != "exec" && verb != "attach" && verb != "cancel") {
        return bad_request(fmt::format("there is no request `{}`", verb));
    }
    DRYDOCK_TRY_ASSIGN(const ActionKey key, read_key(frame));
    if (verb == "attach") {
        return attach(number, frame, key);
    }
    DRYDOCK_TRY_ASSIGN(const auto commander, read_commander(frame));
    if (verb == "cancel") {
        DRYDOCK_TRY(host_.cancel(commander, key));
        return empty_answer();
    }
    if (!frame["request"].is_object()) {
        return bad_request("`exec` has no `request`");
    }
    DRYDOCK_TRY_ASSIGN(auto head, noted_head(frame, commander, key));
    const Permit permit = {commander, std::move(head), begin_by(frame)};
    DRYDOCK_TRY(host_.begin(permit, key, frame["request"], frame["secrets"]));
    return wait_for(number, {key, clock_.monotonic_ms(), k_never_ms});
}

Result<std::optional<Json>>
Session::attach(std::int64_t number, const Json& frame, const ActionKey& key) {
    DRYDOCK_TRY(check(frame));
    if (!frame["wait"].as_bool(true)) {
        return state_answer(host_.query(key));
    }
    return wait_for(number, {key, clock_.monotonic_ms(), begin_by(frame).value_or(k_never_ms)});
}

Result<Json> Session::move_file(const Json& frame, bool write) {
    const std::string& path = frame["path"].as_string();
    const auto offset = frame["offset"].as_int();
    if (path.empty() || path.front() != '/' || path.find("/../") != path.npos || offset < 0) {
        return bad_request("a file needs an absolute path without `..` and an offset from 0");
    }
    DRYDOCK_TRY_ASSIGN(const auto commander, read_commander(frame));
    if (!write) {
        DRYDOCK_TRY(host_.check(commander));
        const auto size =
            std::clamp<std::int64_t>(frame["size"].as_int(k_part_bytes_max), 0, k_part_bytes_max);
        DRYDOCK_TRY_ASSIGN(const FilePart part, host_.get(path, offset, size));
        Json answer;
        answer.set("data", base64_encode(part.bytes));
        return answer.set("size", part.size);
    }
    DRYDOCK_TRY_ASSIGN(std::string bytes, base64_decode(frame["data"].as_string()));
    PutPart part{path, offset, std::move(bytes), 0600, std::nullopt};
    part.mode = static_cast<unsigned>(frame["mode"].as_int(0600)) & 0777U;
    if (frame["last"].is_string()) {
        part.last = frame["last"].as_string();
    }
    DRYDOCK_TRY(host_.put(commander, part));
    return empty_answer();
}

// True if the action runs, or if the command that begins it may still come on a broken connection.
bool Session::is_awaited(const PendingAction& wait, ActionPhase phase) const {
    return phase == ActionPhase::running
           || (phase == ActionPhase::none && clock_.monotonic_ms() <= wait.begin_by_ms);
}

// Buries the key before it answers "none", so that no late command can begin the action. Returns
// nothing while the burial fails for the moment.
std::optional<Json> Session::final_answer(const ActionKey& key, ActionState state) {
    if (state.phase == ActionPhase::none) {
        const auto buried = host_.bury(key);
        if (!buried && buried.error().kind == ErrorClass::transient) {
            return std::nullopt;
        }
        if (!buried) {
            Error error = buried.error();
            error.kind = ErrorClass::unknown_outcome;  // an `exec` that waits here was accepted
            Json answer;
            return answer.set("error", to_json(error));
        }
        state = host_.query(key);
    }
    return state.phase == ActionPhase::running ? std::nullopt : std::optional(state_answer(state));
}

// Returns the answer, or notes the wait and returns nothing.
std::optional<Json> Session::wait_for(std::int64_t number, PendingAction wait) {
    auto state = host_.query(wait.key);
    auto answer =
        is_awaited(wait, state.phase) ? std::nullopt : final_answer(wait.key, std::move(state));
    if (!answer) {
        pending_actions_[number] = std::move(wait);
    }
    return answer;
}

// Returns the answer of a wait, its progress, or nothing.
std::optional<Json> Session::poll(PendingAction& wait) {
    auto state = host_.query(wait.key);
    if (!is_awaited(wait, state.phase)) {
        return final_answer(wait.key, std::move(state));
    }
    const auto now_ms = clock_.monotonic_ms();
    if (now_ms - wait.progress_ms < k_progress_every_ms) {
        return std::nullopt;
    }
    wait.progress_ms = now_ms;
    return empty_answer().set("progress", state.detail);
}

std::vector<Json> Session::tick() {
    Answers answers;
    for (auto entry = pending_probes_.begin(); entry != pending_probes_.end();) {
        auto facts = entry->second.poll();
        if (facts) {
            answers.push_back(
                numbered(entry->first, with_clock(empty_answer().set("facts", std::move(*facts)))));
        }
        entry = facts ? pending_probes_.erase(entry) : std::next(entry);
    }
    for (auto entry = pending_actions_.begin(); entry != pending_actions_.end();) {
        auto answer = poll(entry->second);
        const bool ended = answer && !answer->contains("progress");
        if (answer) {
            answers.push_back(numbered(entry->first, std::move(*answer)));
        }
        entry = ended ? pending_actions_.erase(entry) : std::next(entry);
    }
    return answers;
}

std::optional<std::int64_t> Session::next_deadline_ms() const {
    std::optional<std::int64_t> next;
    for (const auto& [number, run] : pending_probes_) {
        const auto deadline = run.run->next_deadline_ms();
        next = deadline && (!next || *deadline < *next) ? deadline : next;
    }
    return next;
}

Result<Json> Session::hello(const Json& frame) {
    Json answer = host_.facts();
    if (frame["heads_of"].is_string()) {
        const std::string& run = frame["heads_of"].as_string();
        if (!run.empty() && !is_plain_name(run, "-_.")) {
            return bad_request("`heads_of` names no run");
        }
        answer.set("heads", heads_answer(host_.heads(run)));
    }
    Json running{Json::Array{}};
    DRYDOCK_TRY_ASSIGN(const auto actions, host_.running());
    for (const auto& action : actions) {
        running.push(to_json(action.key).set("journal", action.journal));
    }
    answer.set("running", std::move(running));
    return with_clock(std::move(answer));
}

// Adds this host's monotonic clock, to which `begin_by_ms` refers.
Json Session::with_clock(Json answer) const {
    answer.set("clock_ms", clock_.monotonic_ms());
    return answer;
}

}  // namespace drydock::agent
