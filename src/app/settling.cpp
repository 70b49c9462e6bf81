// What a dead conductor left under way on hosts goes on there. Before the cluster is looked at for
// a way back, it is let end: else a stop that is still at work takes down what the plan found up.
#include "app/internal.h"
#include "transport/local/local.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

using conduct::Reply;
using run::Status;

constexpr std::int64_t k_grace_ms = 20'000;  // on top of what the longest may take
constexpr std::int64_t k_turn_ms = 500;

bool may_be_under_way(Status status) {
    return status == Status::intended || status == Status::lost || status == Status::unheard
           || status == Status::unreached;
}

std::vector<std::size_t> under_way(const Replayed& run) {
    std::vector<std::size_t> actions;
    for (std::size_t i = 0; i < run.state.actions(); ++i) {
        if (may_be_under_way(run.state.status(i))) {
            actions.push_back(i);
        }
    }
    return actions;
}

// Questions that the agents answer once an action has ended.
class Ends {
public:
    Ends(conduct::Hosts& hosts, const Replayed& run) : hosts_(hosts), run_(run) {}

    void ask(std::size_t action) {
        const model::Action& what = run_.plan.actions[action];
        Json request;
        request.set("do", "attach").set("run", run_.plan.run).set("action", what.id);
        request.set("attempt", run_.state.attempt(action));
        asked_[hosts_.ask(what.host, std::move(request))] = action;
    }

    // False: all have ended.
    [[nodiscard]] bool any() const { return !asked_.empty(); }

    [[nodiscard]] const model::Action& first() const {
        return run_.plan.actions[asked_.begin()->second];
    }

    void take(const Reply& reply) {
        const auto it = asked_.find(reply.ticket);
        if (it == asked_.end() || reply.kind == Reply::Kind::progress) {
            return;
        }
        const std::size_t action = it->second;
        asked_.erase(it);
        if (reply.kind == Reply::Kind::lost) {
            ask(action);
        }
    }

private:
    conduct::Hosts& hosts_;
    const Replayed& run_;
    std::map<conduct::Ticket, std::size_t> asked_;
};

Error does_not_tell(const model::Action& action, const std::string& run) {
    return {"downgrade.under_way",
            fmt::format("\"{}\" of run {} may still be under way on host {}, which does not tell",
                        action.title,
                        run,
                        action.host),
            fmt::format("bring host {} back, or the way to it; then again", action.host),
            ErrorClass::transient};
}

}  // namespace

drydock::Status let_work_end(const Options& options, const Replayed& run, Observer& observer) {
    const std::vector<std::size_t> actions = under_way(run);
    if (actions.empty()) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const Json secrets, read_secrets(run.plan.secrets));
    os::RealClock clock;
    transport::LocalTransport transport;
    conduct::Hosts hosts(
        transport, clock, addresses(run.plan.hosts, options, run.plan.state), 0, secrets);
    Ends ends(hosts, run);
    std::int64_t longest_ms = 0;
    for (const std::size_t action : actions) {
        longest_ms = std::max(longest_ms, run.plan.actions[action].within_ms);
        ends.ask(action);
    }
    const std::int64_t deadline = clock.monotonic_ms() + longest_ms + k_grace_ms;
    while (ends.any() && clock.monotonic_ms() < deadline) {
        for (const Reply& reply : hosts.poll(k_turn_ms)) {
            ends.take(reply);
        }
        if (ends.any()) {
            observer.on_wait("the end of: " + ends.first().title, run.plan, run.state);
        }
    }
    return ends.any() ? drydock::Status(tl::unexpected(does_not_tell(ends.first(), run.plan.run)))
                      : drydock::Status();
}

}  // namespace drydock::app
