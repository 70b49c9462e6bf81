#include "cli/execute.h"

#include "app/app.h"
#include "cli/completion.h"
#include "cli/json.h"
#include "cli/observers.h"
#include "cli/render.h"
#include "os/files.h"
#include "pack/pack.h"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <ostream>
#include <thread>

namespace drydock::cli {

namespace {

using app::Answer;
using app::Failure;
using app::RunStatus;

constexpr auto k_watch_interval = std::chrono::milliseconds(500);

// One command in the making: what was typed, and where it speaks.
class Command {
public:
    Command(const Invocation& typed, Console& console)
        : typed_(typed)
        , console_(console)
        , cluster_file_(typed.cluster_file)
        , screen_{wants_color(typed.color, console.terminal, console.no_color), console.width} {}

    int survey() {
        return show(app::survey(options()),
                    [&](const app::Survey& survey) { return render_survey(survey, screen_); });
    }

    int route() {
        return show(app::route(options(), typed_.to),
                    [&](const app::RouteAnswer& answer) { return render_route(answer, screen_); });
    }

    int plan();
    int check();
    int guide();
    int sim();
    int apply();
    int resume();
    int downgrade();

    int pause() { return changed(app::pause(options())); }

    int approve() { return changed(app::approve(options(), typed_.gate)); }

    int abort() { return changed(app::abort(options())); }

    int status();
    int watch();

    int log() {
        return show(app::log(options(), typed_.run), [&](const std::vector<app::LogLine>& lines) {
            return render_log(lines, screen_);
        });
    }

    int verify();
    int list_packs();
    int lint_pack();
    int schema();
    int version();

    int completion() {
        console_.out << render_completion(typed_.shell, command_table());
        return app::k_exit_done;
    }

private:
    [[nodiscard]] app::Options options() const {
        return {cluster_file_, console_.program, typed_.dry_run, {}, typed_.approve};
    }

    int refuse(const Failure& failure, const std::string& to = {});
    int refuse_use(const std::string& message, const std::string& remedy);
    int conduct(const std::function<Answer<RunStatus>(app::Observer&)>& begin,
                const std::string& to);
    std::unique_ptr<app::Observer> observer();
    void clear(app::Observer& observer) const;
    [[nodiscard]] std::string status_text(const RunStatus& status) const;
    int show_status(const RunStatus& status);
    int write_out(const std::string& text);
    [[nodiscard]] std::string goal() const;

    // The answer as JSON or by `render`; or the failure. Exit code 0.
    template <class T, class Render>
    int show(const Answer<T>& answer, Render render) {
        if (!answer) {
            return refuse(answer.error());
        }
        console_.out << (typed_.json ? json_of(*answer).pretty() + "\n" : render(*answer));
        return app::k_exit_done;
    }

    // A change that was asked for and made is a success, whatever the run waits for next.
    int changed(const Answer<RunStatus>& answer) {
        return show(answer, [&](const RunStatus& status) { return status_text(status); });
    }

    const Invocation& typed_;
    Console& console_;
    std::string cluster_file_;  // as typed, or the plan's own
    Screen screen_;
};

int Command::refuse(const Failure& failure, const std::string& to) {
    if (typed_.json) {
        console_.out << json_of(failure).dump() << "\n";
    } else {
        const Asked asked = {typed_.command, cluster_file_, to};
        console_.err << render_failure(failure, asked, screen_);
    }
    return failure.exit_code;
}

int Command::refuse_use(const std::string& message, const std::string& remedy) {
    Failure failure;
    failure.exit_code = app::k_exit_usage;
    failure.errors.push_back({"usage", message, remedy, ErrorClass::permanent});
    return refuse(failure);
}

int Command::plan() {
    const bool way_back = typed_.rebuild || !typed_.restore.empty();
    if (typed_.to.empty() && !way_back) {
        return refuse_use("plan: to which version?", "say --to VERSION");
    }
    auto answer = app::make_plan(options(), {typed_.to, typed_.rebuild, typed_.restore});
    if (!answer) {
        return refuse(answer.error());
    }
    const app::Checked checked = app::check_soon(options(), *answer);
    answer->check = app::verdict_of(checked, *answer);
    const bool holds = checked.report.verdict == checker::Verdict::holds;
    const bool proved = holds || answer->procedure != "upgrade";
    if (!typed_.output.empty()) {
        if (const auto written = app::write_plan(*answer, typed_.output); !written) {
            return refuse({app::k_exit_no, {written.error()}});
        }
    }
    if (typed_.json) {
        console_.out << model::to_json(*answer).pretty() << "\n";
        return proved ? app::k_exit_done : app::k_exit_no;
    }
    console_.out << render_plan(*answer, screen_, typed_.risks) << "\n"
                 << (holds ? render_checked(checked, screen_) : render_check(checked, screen_))
                 << (typed_.output.empty()
                         ? "\nNothing was written; -o plan.json keeps this plan.\n"
                         : fmt::format("\nWritten: {}. Next: drydock apply {}\n",
                                       typed_.output,
                                       typed_.output));
    return proved ? app::k_exit_done : app::k_exit_no;
}

int Command::check() {
    const auto plan = app::read_plan(typed_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    checker::Options how;
    const auto faults = checker::faults_from(typed_.faults);
    if (!faults) {
        return refuse({app::k_exit_usage, {faults.error()}});
    }
    how.faults = *faults;
    for (const std::string& name : typed_.properties) {
        how.properties.push_back(*checker::property_from(name));
    }
    const app::Checked checked = app::check(options(), *plan, how);
    Json json = checker::to_json(checked.report);
    json.set("took_ms", checked.took_ms).set("plan", plan->digest());
    if (!typed_.trace.empty()) {
        const auto written = os::write_file_durable(typed_.trace, json.pretty() + "\n", 0644);
        if (!written) {
            return refuse({app::k_exit_no, {written.error()}});
        }
    }
    console_.out << (typed_.json ? json.pretty() + "\n" : render_check(checked, screen_));
    return checked.report.verdict == checker::Verdict::holds ? app::k_exit_done : app::k_exit_no;
}

int Command::write_out(const std::string& text) {
    if (typed_.output.empty()) {
        console_.out << text;
        return app::k_exit_done;
    }
    const auto written = os::write_file_durable(typed_.output, text, 0644);
    return written ? app::k_exit_done : refuse({app::k_exit_no, {written.error()}});
}

int Command::guide() {
    const auto plan = app::read_plan(typed_.plan_file);
    return plan ? write_out(render_guide(*plan)) : refuse(plan.error());
}

std::unique_ptr<app::Observer> Command::observer() {
    if (typed_.json) {
        return std::make_unique<JsonLines>(console_.out, console_.clock);
    }
    if (console_.terminal) {
        return std::make_unique<LiveTable>(console_.out, console_.clock, screen_);
    }
    return std::make_unique<PlainLines>(console_.out, console_.clock);
}

void Command::clear(app::Observer& observer) const {
    if (auto* table = dynamic_cast<LiveTable*>(&observer)) {
        table->clear();
    }
}

// A dry run of a plan that has not begun shows what it would do; any other where the run stands.
std::string Command::status_text(const RunStatus& status) const {
    const bool not_begun = status.state.phase() == run::Phase::created;
    if (typed_.dry_run) {
        return "Dry run: everything was checked, nothing was done.\n\n"
               + (not_begun ? render_plan(status.plan, screen_) : render_status(status, screen_));
    }
    return render_status(status, screen_);
}

int Command::show_status(const RunStatus& status) {
    console_.out << (typed_.json ? json_of(status).dump() + "\n" : status_text(status));
    console_.out.flush();
    return status.exit_code;
}

int Command::conduct(const std::function<Answer<RunStatus>(app::Observer&)>& begin,
                     const std::string& to) {
    const auto watching = observer();
    const auto answer = begin(*watching);
    clear(*watching);
    return answer ? show_status(*answer) : refuse(answer.error(), to);
}

int Command::sim() {
    const auto plan = app::read_plan(typed_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    const auto tell = [&](const std::string& line) { console_.out << line << "\n"; };
    const bool story = typed_.verbose && !typed_.json;
    const auto all = story ? app::simulate(*plan, typed_.seed, 1, tell)
                           : app::simulate(*plan, typed_.seed, typed_.runs, {});
    const int shown = show(all, [&](const app::Simulation& simulation) {
        return (story ? "\n" : "") + render_simulation(simulation, typed_.plan_file, screen_);
    });
    return all && all->wrong > 0 ? app::k_exit_no : shown;
}

int Command::apply() {
    const auto plan = app::read_plan(typed_.plan_file);
    if (!plan) {
        return refuse(plan.error());
    }
    cluster_file_ = plan->cluster_file;
    app::Options with_plan = options();
    with_plan.plan_file = std::filesystem::absolute(typed_.plan_file).string();
    with_plan.unproved = typed_.unproved;
    const auto begin = [&](app::Observer& observer) {
        return app::apply(with_plan, *plan, observer);
    };
    return conduct(begin, plan->to);
}

// Where the run goes to, for the advice after a refusal.
std::string Command::goal() const {
    const auto status = app::status(options());
    return status ? status->plan.to : "";
}

int Command::resume() {
    const auto begin = [&](app::Observer& observer) { return app::resume(options(), observer); };
    return conduct(begin, goal());
}

int Command::downgrade() {
    if (typed_.dry_run) {
        const auto plan = app::plan_downgrade(options());
        if (!plan) {
            return refuse(plan.error(), goal());
        }
        console_.out << (typed_.json ? model::to_json(*plan).pretty() + "\n"
                                     : render_plan(*plan, screen_));
        return app::k_exit_done;
    }
    const auto begin = [&](app::Observer& observer) { return app::downgrade(options(), observer); };
    return conduct(begin, goal());
}

int Command::status() {
    const auto answer = app::status(options(), typed_.run);
    return answer ? show_status(*answer) : refuse(answer.error());
}

bool goes_on(const RunStatus& status) {
    const run::Phase phase = status.state.phase();
    return status.conductor.has_value()
           && (phase == run::Phase::created || phase == run::Phase::running
               || phase == run::Phase::pausing);
}

// Nobody tells a watcher of events: it asks again, and shows what has changed.
int Command::watch() {
    std::string shown;
    std::size_t lines = 0;
    while (true) {
        const auto answer = app::status(options(), typed_.run);
        if (!answer) {
            return refuse(answer.error());
        }
        const std::string text =
            typed_.json ? json_of(*answer).dump() + "\n" : render_status(*answer, screen_);
        if (text != shown) {
            const bool redraws = console_.terminal && !typed_.json && lines > 0;
            console_.out << (redraws ? fmt::format("\x1b[{}A\x1b[J", lines) : "") << text;
            console_.out.flush();
            lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
            shown = text;
        }
        if (!goes_on(*answer)) {
            return answer->exit_code;
        }
        std::this_thread::sleep_for(k_watch_interval);
    }
}

int Command::verify() {
    const auto answer = app::verify_journal(options());
    return show(answer, [](const std::vector<app::Verified>& runs) {
        Table table;
        for (const app::Verified& one : runs) {
            table.add({one.run, counted(one.records, "record") + ", whole", "head " + one.head});
        }
        return runs.empty() ? std::string("no runs\n") : table.text(0);
    });
}

int Command::list_packs() {
    const auto packs = app::list_packs(console_.program);
    Json json = Json::Array{};
    for (const std::string& pack : packs) {
        json.push(pack);
        console_.out << (typed_.json ? "" : pack + "\n");
    }
    console_.out << (typed_.json ? json.dump() + "\n" : "");
    return app::k_exit_done;
}

int Command::lint_pack() {
    const auto pack = app::lint_pack(typed_.pack, console_.program);
    if (!pack) {
        return refuse(pack.error());
    }
    if (typed_.json) {
        Json json;
        json.set("pack", pack->name).set("digest", pack->digest).set("problems", Json::Array{});
        console_.out << json.dump() << "\n";
        return app::k_exit_done;
    }
    console_.out << fmt::format("{}: no problems ({}, {}, {})\n",
                                pack->folder,
                                counted(pack->facts.size(), "fact"),
                                counted(pack->releases.size(), "release"),
                                counted(pack->procedures.size(), "procedure"));
    return app::k_exit_done;
}

int Command::schema() {
    const Json schema = typed_.schema == "pack"        ? pack::pack_schema()
                        : typed_.schema == "procedure" ? pack::procedure_schema()
                        : typed_.schema == "releases"  ? pack::releases_schema()
                                                       : pack::cluster_schema();
    console_.out << schema.pretty() << "\n";
    return app::k_exit_done;
}

int Command::version() {
    Json json;
    json.set("version", DRYDOCK_VERSION);
    console_.out << (typed_.json ? json.dump() : "drydock " DRYDOCK_VERSION) << "\n";
    return app::k_exit_done;
}

using Handler = int (Command::*)();

struct Entry {
    const char* name;
    Handler handler;
    bool needs_cluster;
};

constexpr Entry k_entries[] = {
    {"survey", &Command::survey, true},
    {"route", &Command::route, true},
    {"plan", &Command::plan, true},
    {"check", &Command::check, false},
    {"guide", &Command::guide, false},
    {"sim", &Command::sim, false},
    {"apply", &Command::apply, false},
    {"resume", &Command::resume, true},
    {"pause", &Command::pause, true},
    {"approve", &Command::approve, true},
    {"downgrade", &Command::downgrade, true},
    {"abort", &Command::abort, true},
    {"status", &Command::status, true},
    {"watch", &Command::watch, true},
    {"log", &Command::log, true},
    {"journal verify", &Command::verify, true},
    {"pack list", &Command::list_packs, false},
    {"pack lint", &Command::lint_pack, false},
    {"pack schema", &Command::schema, false},
    {"version", &Command::version, false},
    {"completion", &Command::completion, false},
};

}  // namespace

int execute(const Invocation& invocation, Console& console) {
    for (const Entry& entry : k_entries) {
        if (invocation.command != entry.name) {
            continue;
        }
        if (entry.needs_cluster && invocation.cluster_file.empty()) {
            console.err << fmt::format("drydock: {}: of which cluster? Say -c FILE, or set "
                                       "DRYDOCK_CLUSTER\n",
                                       invocation.command);
            return app::k_exit_usage;
        }
        Command command(invocation, console);
        return (command.*entry.handler)();
    }
    console.err << fmt::format("drydock: {} is for drydock itself\n", invocation.command);
    return app::k_exit_usage;
}

int run(std::vector<std::string> arguments, Console& console) {
    auto parsed = parse(std::move(arguments));
    if (const auto* stop = std::get_if<Stop>(&parsed)) {
        (stop->exit_code == 0 ? console.out : console.err) << stop->text;
        return stop->exit_code;
    }
    return execute(std::get<Invocation>(parsed), console);
}

}  // namespace drydock::cli
