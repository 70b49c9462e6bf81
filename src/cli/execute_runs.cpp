// The commands that work on runs: apply, rehearse, upgrade, resume, downgrade, status, watch, sign.
//
// A command that conducts a run chooses an observer for its terminal, conducts, clears the live
// table, and shows the final status. The exit code is that of the status, not of the command.
#include "app/rehearsal.h"
#include "cli/command.h"
#include "cli/say.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

namespace drydock::cli {

namespace {

using app::AppResult;
using app::RunStatus;

constexpr auto k_watch_interval = std::chrono::milliseconds(500);

// True if a conductor is at work, so that `watch` has something to wait for. Between two runs of a
// journey the conductor of the finished run is at work as well.
bool goes_on(const RunStatus& status) {
    const run::Phase phase = status.state.phase();
    const bool is_between_runs = phase == run::Phase::finished && status.journey
                                 && status.journey->next != run::JourneyStep::none;
    return status.conductor.has_value()
           && (phase == run::Phase::created || phase == run::Phase::running
               || phase == run::Phase::pausing || is_between_runs);
}

}  // namespace

// JSON comes first: a script may run on a terminal, too.
std::unique_ptr<run::Observer> Command::observer() {
    if (invocation_.json) {
        return std::make_unique<JsonLines>(console_.output, console_.clock);
    }
    if (console_.terminal) {
        return std::make_unique<LiveTable>(console_.output, console_.clock, screen_);
    }
    return std::make_unique<PlainLines>(console_.output, console_.clock);
}

// Only the live table leaves lines that must be taken away.
void Command::clear(run::Observer& observer) const {
    if (auto* table = dynamic_cast<LiveTable*>(&observer)) {
        table->clear();
    }
}

// A dry run of a plan that has not begun shows the plan; any other dry run shows the run's status.
std::string Command::status_text(const RunStatus& status) const {
    const bool not_begun = status.state.phase() == run::Phase::created;
    if (invocation_.dry_run) {
        return "Dry run: everything was checked, nothing was done.\n\n"
               + (not_begun ? render_plan(status.plan, screen_) : render_status(status, screen_));
    }
    return render_status(status, screen_);
}

int Command::show_status(const RunStatus& status) {
    console_.output << (invocation_.json ? json_of(status).dump() + "\n" : status_text(status));
    console_.output.flush();
    return status.exit_code;
}

int Command::conduct(const std::function<AppResult<RunStatus>(run::Observer&)>& begin,
                     const std::string& target) {
    const auto watching = observer();
    const auto answer = begin(*watching);
    clear(*watching);
    return answer ? show_status(*answer) : refuse(answer.error(), target);
}

// The path is made absolute, because a resume may run in another directory and compares the file.
int Command::apply() {
    const auto plan = app::read_plan(invocation_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    cluster_file_ = plan->cluster_file;
    app::Options plan_options = options();
    plan_options.policy_file = invocation_.policy_file;
    plan_options.plan_file = std::filesystem::absolute(invocation_.plan_file).string();
    plan_options.allow_unchecked = invocation_.allow_unchecked;
    const auto begin = [&](run::Observer& observer) {
        return app::apply(plan_options, *plan, observer);
    };
    return conduct(begin, plan->to_version);
}

// The plan's own cluster file is used, so the advice after a refusal must name that one.
int Command::rehearse() {
    const auto plan = app::read_plan(invocation_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    cluster_file_ = plan->cluster_file;
    app::Options plan_options = options();
    plan_options.plan_file = std::filesystem::absolute(invocation_.plan_file).string();
    const auto begin = [&](run::Observer& observer) {
        return app::rehearse(plan_options, *plan, observer);
    };
    return conduct(begin, plan->to_version);
}

int Command::upgrade() {
    const app::UpgradeRequest request = {invocation_.to, invocation_.through};
    const auto begin = [&](run::Observer& observer) {
        return app::upgrade(options(), request, observer);
    };
    return conduct(begin, invocation_.to);
}

// Signs the plan as it was read, so a file that is not a plan is refused before a key is used.
int Command::sign() {
    const auto plan = app::read_plan(invocation_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    if (const Status written = app::sign_plan(*plan, invocation_.plan_file, invocation_.key);
        !written) {
        return refuse({app::k_exit_no, {written.error()}});
    }
    console_.output << say("Signed: {0}.sig. Next: drydock apply {0}\n", invocation_.plan_file);
    return app::k_exit_done;
}

// Returns the version that the run leads to, for the advice after a refusal. Empty if it is
// unknown.
std::string Command::goal() const {
    const auto status = app::status(options());
    return status ? status->plan.to_version : "";
}

// The target is read before the run ends: the advice after a refusal needs it.
int Command::resume() {
    const auto begin = [&](run::Observer& observer) { return app::resume(options(), observer); };
    return conduct(begin, goal());
}

// Shows the plan of the first downgrade, and how far the further ones lead.
int Command::show_way_back(const model::Plan& plan) {
    if (invocation_.json) {
        console_.output << model::to_json(plan).pretty() + "\n";
        return app::k_exit_done;
    }
    const auto status = app::status(options());
    console_.output << render_plan(plan, screen_)
                    << (status && status->journey ? render_reach(*status->journey, screen_) : "");
    return app::k_exit_done;
}

// A dry run plans the downgrade and shows it. The real command plans again, from the facts of then.
int Command::downgrade() {
    app::Options limited_options = options();
    limited_options.back_to = invocation_.to;
    if (invocation_.dry_run) {
        const auto plan = app::plan_downgrade(limited_options);
        return plan ? show_way_back(*plan) : refuse(plan.error(), goal());
    }
    const auto begin = [&](run::Observer& observer) {
        return app::downgrade(limited_options, observer);
    };
    return conduct(begin, goal());
}

int Command::status() {
    const auto answer = app::status(options(), invocation_.run);
    return answer ? show_status(*answer) : refuse(answer.error());
}

// Polls the status, since no process sends events to a watcher, and prints it when it has changed.
// On a terminal it draws over the text before.
int Command::watch() {
    std::string shown;
    std::size_t lines = 0;
    while (true) {
        const auto answer = app::status(options(), invocation_.run);
        if (!answer) {
            return refuse(answer.error());
        }
        const std::string text =
            invocation_.json ? json_of(*answer).dump() + "\n" : render_status(*answer, screen_);
        if (text != shown) {
            const bool redraws = console_.terminal && !invocation_.json && lines > 0;
            console_.output << (redraws ? say("\x1b[{}A\x1b[J", lines) : "") << text;
            console_.output.flush();
            lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
            shown = text;
        }
        if (!goes_on(*answer)) {
            return answer->exit_code;
        }
        std::this_thread::sleep_for(k_watch_interval);
    }
}

}  // namespace drydock::cli
