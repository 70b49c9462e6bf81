// What people ask of a run that nobody conducts (approve, abort), or of the one who does (pause).
#include "app/conducting.h"
#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace drydock::app {

namespace {

constexpr std::int64_t k_pause_ms_max = 60'000;  // work in flight ends first

tl::unexpected<Failure>
gate_not_open(const Replayed& replayed, const RunStatus& status, const std::string& gate) {
    std::vector<std::string> gates;
    for (const model::Action& action : replayed.plan.actions) {
        if (action.is_gate()) {
            gates.push_back(action.gate);
        }
    }
    std::string why = fmt::format("gate `{}` is not open", gate);
    if (std::find(gates.begin(), gates.end(), gate) == gates.end()) {
        why = fmt::format("the plan has no gate `{}`; it has: {}", gate, join(gates, ", "));
    } else if (status.soak_left_ms > 0) {
        why = fmt::format(
            "gate `{}` opens after the soak, in {}", gate, show_duration(status.soak_left_ms));
    }
    return refuse({"gate.not_open",
                   why,
                   fmt::format("drydock status -c {}", replayed.plan.cluster_file),
                   ErrorClass::permanent});
}

}  // namespace

Answer<RunStatus> approve(const Options& options, const std::string& gate) {
    auto conducting = take_current(options);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    const Replayed& run = conducting->run;
    os::RealClock clock;
    if (const auto open = open_gate(run.plan, run.state, gate)) {
        return options.dry_run ? Answer<RunStatus>(status_of(run, clock.wall_ms()))
                               : record_by_hand(*conducting, approval_of(run.plan, *open));
    }
    return gate_not_open(run, status_of(run, clock.wall_ms()), gate);
}

Answer<RunStatus> abort(const Options& options) {
    auto conducting = take_current(options);
    if (!conducting) {
        return tl::unexpected(conducting.error());
    }
    if (options.dry_run) {
        os::RealClock clock;
        return status_of(conducting->run, clock.wall_ms());
    }
    Json detail;
    detail.set("who", who_am_i());
    return record_by_hand(*conducting, plain_event(run::EventType::run_aborted, std::move(detail)));
}

Answer<RunStatus> pause(const Options& options) {
    auto store = store_of(options);
    if (!store) {
        return tl::unexpected(store.error());
    }
    auto info = store->current_run(false);
    if (!info) {
        return tl::unexpected(info.error());
    }
    if (!info->holder) {
        return refuse({"pause.nobody",
                       fmt::format("nobody conducts run {} right now: there is nothing to pause",
                                   info->run.id),
                       "",
                       ErrorClass::permanent});
    }
    if (options.dry_run) {
        return status(options, info->run.id);
    }
    if (Status asked = os::write_file_durable(store->pause_file(), info->run.id + "\n"); !asked) {
        return refuse(asked.error());
    }
    os::RealClock clock;
    const std::int64_t deadline = clock.monotonic_ms() + k_pause_ms_max;
    while (clock.monotonic_ms() < deadline) {
        auto now = store->journal().find_run(info->run.id);
        if (now && !now->holder) {
            break;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return status(options, info->run.id);
}

}  // namespace drydock::app
