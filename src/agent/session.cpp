#include "agent/session.h"

#include "agent/key.h"
#include "base/probe.h"
#include "base/text.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

constexpr std::int64_t k_never_ms = -1;
constexpr std::int64_t k_part_bytes_max = 4 << 20;  // base64 of it fits a frame

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

std::string_view phase_name(ActionPhase phase) {
    switch (phase) {
    case ActionPhase::none:
        return "none";
    case ActionPhase::running:
        return "running";
    case ActionPhase::ended:
        return "ended";
    case ActionPhase::torn:
        return "torn";
    }
    return "";
}

Json state_answer(const ActionState& state) {
    Json answer;
    answer.set("state", phase_name(state.phase));
    if (state.phase == ActionPhase::ended) {
        answer.set("result", state.detail);
    }
    return answer;
}

Result<std::int64_t> epoch_of(const Json& frame) {
    if (!frame["epoch"].is_integer()) {
        return bad_request("a request that changes something has no `epoch`");
    }
    return frame["epoch"].as_int();
}

Json done() {
    return Json(Json::Object{});
}

// Until when an action may begin; by default at any time.
std::int64_t begin_by(const Json& frame, std::int64_t by_default) {
    return frame["begin_by_ms"].is_integer() ? frame["begin_by_ms"].as_int() : by_default;
}

}  // namespace

std::vector<Json> Session::handle(const Json& frame) {
    if (!frame["n"].is_integer()) {
        return {refusal(0, bad_request("a request has no number `n`").value())};
    }
    const auto number = frame["n"].as_int();
    if (waits_.contains(number) || probes_.contains(number)) {
        return {refusal(number, bad_request("that number still waits for an answer").value())};
    }
    auto answered = answer(number, frame);
    if (!answered) {
        return {refusal(number, answered.error())};
    }
    return *answered ? Answers{numbered(number, std::move(**answered))} : Answers{};
}

Result<std::optional<Json>> Session::answer(std::int64_t number, const Json& frame) {
    const std::string_view what = frame["do"].as_string();
    if (waits_.size() + probes_.size() >= k_pending_max) {
        return fail("agent.busy",
                    fmt::format("{} requests wait for an answer", k_pending_max),
                    "wait for some of them",
                    ErrorClass::transient);
    }
    if (what == "hello") {
        return hello();
    }
    if (what == "fence") {
        DRYDOCK_TRY_ASSIGN(const auto epoch, epoch_of(frame));
        DRYDOCK_TRY_ASSIGN(const auto fence, host_.fence(epoch));
        return stamped(done().set("fence", fence));
    }
    if (what == "probe") {
        auto run = host_.probe(frame["probes"]);
        auto facts = run->poll();
        if (facts) {
            return stamped(done().set("facts", std::move(*facts)));
        }
        probes_.emplace(number, std::move(run));
        return std::nullopt;
    }
    if (what == "put" || what == "get") {
        return move_file(frame, what == "put");
    }
    return act(number, frame);
}

Result<std::optional<Json>> Session::act(std::int64_t number, const Json& frame) {
    const std::string_view what = frame["do"].as_string();
    if (what != "exec" && what != "attach" && what != "cancel") {
        return bad_request(fmt::format("there is no request `{}`", what));
    }
    DRYDOCK_TRY_ASSIGN(const ActionKey key, read_key(frame));
    if (what == "attach" && !frame["wait"].as_bool(true)) {
        return state_answer(host_.look(key));
    }
    if (what == "attach") {
        return wait_for(number, {key, clock_.monotonic_ms(), begin_by(frame, k_never_ms)});
    }
    DRYDOCK_TRY_ASSIGN(const auto epoch, epoch_of(frame));
    if (what == "cancel") {
        DRYDOCK_TRY(host_.cancel(epoch, key));
        return done();
    }
    if (!frame["request"].is_object()) {
        return bad_request("`exec` has no `request`");
    }
    const auto now_ms = clock_.monotonic_ms();
    if (now_ms > begin_by(frame, now_ms) && host_.look(key).phase == ActionPhase::none) {
        PROBE("agent: a request to begin came too late");
        return state_answer({});
    }
    DRYDOCK_TRY(host_.begin(epoch, key, frame["request"], frame["secrets"]));
    return wait_for(number, {key, now_ms, k_never_ms});
}

Result<Json> Session::move_file(const Json& frame, bool write) {
    const std::string& path = frame["path"].as_string();
    const auto offset = frame["offset"].as_int();
    if (path.empty() || path.front() != '/' || path.find("/../") != path.npos || offset < 0) {
        return bad_request("a file needs an absolute path without `..` and an offset from 0");
    }
    if (!write) {
        const auto size =
            std::clamp<std::int64_t>(frame["size"].as_int(k_part_bytes_max), 0, k_part_bytes_max);
        DRYDOCK_TRY_ASSIGN(const FilePart part, host_.get(path, offset, size));
        Json answer;
        answer.set("data", base64_encode(part.bytes));
        return answer.set("size", part.size);
    }
    DRYDOCK_TRY_ASSIGN(const auto epoch, epoch_of(frame));
    DRYDOCK_TRY_ASSIGN(std::string bytes, base64_decode(frame["data"].as_string()));
    PutPart part{path, offset, std::move(bytes), 0600, std::nullopt};
    part.mode = static_cast<unsigned>(frame["mode"].as_int(0600)) & 0777U;
    if (frame["last"].is_string()) {
        part.last = frame["last"].as_string();
    }
    DRYDOCK_TRY(host_.put(epoch, part));
    return done();
}

// It runs, or the command that begins it may still be on its way, on a connection that broke.
bool Session::is_awaited(const Wait& wait, ActionPhase phase) const {
    return phase == ActionPhase::running
           || (phase == ActionPhase::none && clock_.monotonic_ms() <= wait.begin_by_ms);
}

// The answer, if the action needs no more waiting.
std::optional<Json> Session::wait_for(std::int64_t number, Wait wait) {
    const auto state = host_.look(wait.key);
    if (!is_awaited(wait, state.phase)) {
        return state_answer(state);
    }
    waits_[number] = std::move(wait);
    return std::nullopt;
}

std::vector<Json> Session::tick() {
    Answers answers;
    const auto now_ms = clock_.monotonic_ms();
    for (auto at = probes_.begin(); at != probes_.end();) {
        auto facts = at->second->poll();
        if (facts) {
            answers.push_back(numbered(at->first, stamped(done().set("facts", std::move(*facts)))));
        }
        at = facts ? probes_.erase(at) : std::next(at);
    }
    for (auto at = waits_.begin(); at != waits_.end();) {
        auto& [number, wait] = *at;
        const auto state = host_.look(wait.key);
        const bool awaited = is_awaited(wait, state.phase);
        if (!awaited) {
            answers.push_back(numbered(number, state_answer(state)));
        } else if (now_ms - wait.progress_ms >= k_progress_every_ms) {
            wait.progress_ms = now_ms;
            answers.push_back(numbered(number, done().set("progress", state.detail)));
        }
        at = awaited ? std::next(at) : waits_.erase(at);
    }
    return answers;
}

Json Session::hello() {
    Json answer = host_.facts();
    Json running{Json::Array{}};
    for (const auto& key : host_.running()) {
        running.push(to_json(key));
    }
    answer.set("running", std::move(running));
    return stamped(std::move(answer));
}

// With this host's monotonic clock, which `begin_by_ms` speaks of.
Json Session::stamped(Json answer) const {
    answer.set("clock_ms", clock_.monotonic_ms());
    return answer;
}

}  // namespace drydock::agent
