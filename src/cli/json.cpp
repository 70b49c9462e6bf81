// The content of the screens as JSON, one value for each answer.
//
// Keys are an interface: scripts read them. A new key is harmless; a renamed one breaks scripts, so
// names in the code may change while keys stay.
#include "cli/json.h"

#include "cli/progress.h"

namespace drydock::cli {

namespace {

// Makes an empty array: a default Json is null.
Json list() {
    return Json::Array{};
}

Json texts(const std::vector<std::string>& values) {
    Json json = list();
    for (const std::string& value : values) {
        json.push(value);
    }
    return json;
}

// The class tells a script whether to try again: only transient errors may go away by themselves.
Json json_of_error(const Error& error) {
    const char* kind = error.kind == ErrorClass::permanent   ? "permanent"
                       : error.kind == ErrorClass::transient ? "transient"
                                                             : "unknown_outcome";
    Json json;
    json.set("code", error.code).set("message", error.message);
    json.set("remedy", error.remedy).set("class", kind);
    return json;
}

// An expectation and an observation are texts for people; `cannot_tell` marks a fact that could not
// be read.
Json json_of_drift(const run::Drift& drift) {
    Json json;
    json.set("fact", drift.key).set("expected", drift.expected).set("found", drift.actual);
    json.set("evidence", drift.evidence).set("cannot_tell", drift.cannot_tell);
    return json;
}

Json json_of_drift(const std::vector<run::Drift>& facts) {
    Json drift = list();
    for (const run::Drift& difference : facts) {
        drift.push(json_of_drift(difference));
    }
    return drift;
}

Json json_of_way(const model::RecoveryOption& way) {
    Json json;
    json.set("while", way.phase).set("kind", std::string(name_of(way.kind)));
    json.set("cost", way.cost).set("command", way.command);
    return json;
}

// Gives the same columns as the live table.
Json members_json(const app::RunStatus& status) {
    Json json = list();
    for (const MemberProgress& member : members_of(status.plan, status.state)) {
        Json entry;
        entry.set("name", member.name).set("version", member.version);
        entry.set("ready", member.ready).set("step", member.step);
        json.push(std::move(entry));
    }
    return json;
}

// Null if no process holds the run's lease.
Json conductor_json(const app::RunStatus& status) {
    Json json;
    if (status.conductor) {
        json.set("host", status.conductor->host).set("pid", status.conductor->pid);
        json.set("since_ms", status.conductor->since_ms);
    }
    return json;
}

// Empty texts stand for runs that do not exist yet.
Json hops_json(const run::Journey& journey) {
    Json hops = list();
    for (const run::JourneyHop& hop : journey.hops) {
        Json entry;
        entry.set("from", hop.from).set("to", hop.to);
        entry.set("run", hop.run).set("state", hop.state);
        entry.set("back", hop.back).set("back_state", hop.return_state);
        hops.push(std::move(entry));
    }
    return hops;
}

// The part of a plan that identifies it; `plan --json` prints the whole.
Json plan_json(const model::Plan& plan) {
    Json json;
    json.set("cluster", plan.cluster).set("system", plan.system);
    json.set("from", plan.from_version).set("to", plan.to_version);
    json.set("procedure", plan.procedure).set("digest", plan.digest());
    return json;
}

}  // namespace

// Facts stand by key with their evidence, as in the plan's file.
Json json_of(const app::Survey& survey) {
    Json facts = Json::Object{};
    for (const auto& [key, observation] : survey.facts) {
        facts.set(key, model::to_json(observation));
    }
    Json unreachable = list();
    for (const Error& error : survey.unreachable) {
        unreachable.push(json_of_error(error));
    }
    Json json;
    json.set("cluster", survey.cluster.name).set("system", survey.cluster.system);
    json.set("facts", std::move(facts)).set("unreachable", std::move(unreachable));
    return json.set("took_ms", survey.took_ms);
}

Json json_of(const app::RouteAnswer& answer) {
    Json hops = list();
    for (const planner::Hop& hop : answer.route.hops) {
        Json entry;
        entry.set("from", hop.from_version).set("to", hop.to_version);
        entry.set("procedure", hop.procedure).set("because", hop.because);
        hops.push(std::move(entry));
    }
    Json json;
    json.set("from", answer.start).set("to", answer.target).set("hops", std::move(hops));
    json.set("notes", texts(answer.route.notes)).set("alternative", answer.route.alternative);
    return json.set("forbidden", texts(answer.route.forbidden));
}

// Hops are counted from 1, as on the screens.
Json json_of(const run::Journey& journey) {
    const bool is_back = journey.next == run::JourneyStep::back;
    const bool is_forward = journey.next == run::JourneyStep::forward;
    Json json;
    json.set("id", journey.id).set("from", journey.hops.front().from);
    json.set("to", journey.hops.back().to).set("hops", hops_json(journey));
    json.set("hop", std::uint64_t{journey.hop + 1}).set("newest", journey.newest);
    json.set("next", is_back ? "back" : is_forward ? "forward" : "none");
    return json.set("reaches", journey.reaches).set("closed", journey.closed);
}

// The key `exit_code` repeats the exit code of the command.
Json json_of(const app::RunStatus& status) {
    const Progress progress = progress_of(status.plan, status.state, status.progress);
    Json json;
    json.set("run", status.run).set("plan", plan_json(status.plan));
    json.set("phase", std::string(word_of(status.state.phase())));
    json.set("members", members_json(status));
    json.set("steps_done", std::uint64_t{progress.steps_done})
        .set("steps", std::uint64_t{progress.steps});
    json.set("left_ms", progress.left_ms).set("soak_left_ms", status.soak_left_ms);
    json.set("under_way", texts(in_flight_lines(status.plan, status.state, status.progress)));
    json.set("progress", progress_list(status.plan, status.state, status.progress));
    json.set("left_out", texts(failed_optional_lines(status.plan, status.state)));
    json.set("way_back", way_back_now(status.plan, status.state));
    json.set("open_gate", status.open_gate).set("open_gate_words", status.open_gate_words);
    json.set("gate_since_ms", status.gate_since_ms);
    json.set("gate_facts", status.gate_facts).set("gate_facts_ms", status.gate_facts_ms);
    json.set("paused", status.paused);
    json.set("cause", status.cause).set("remedy", status.remedy);
    if (!status.left_behind.empty()) {
        json.set("left_behind", json_of_drift(status.left_behind));
    }
    json.set("conductor", conductor_json(status)).set("epoch", status.epoch);
    json.set("created_ms", status.created_ms).set("last_ms", status.last_ms);
    json.set("records", status.records).set("head", status.head);
    json.set("journey", status.journey ? json_of(*status.journey) : Json());
    return json.set("exit_code", status.exit_code);
}

// Lines and columns count from 1; 0 means that the position is not known.
Json json_of(const Diagnostics& diagnostics) {
    Json json = list();
    for (const Diagnostic& diagnostic : diagnostics.all()) {
        Json entry;
        entry.set("severity", diagnostic.severity == Severity::error ? "error" : "warning");
        entry.set("code", diagnostic.code).set("summary", diagnostic.summary);
        entry.set("file", diagnostic.position.file).set("line", diagnostic.position.line);
        entry.set("column", diagnostic.position.column).set("suggestion", diagnostic.suggestion);
        json.push(std::move(entry));
    }
    return json;
}

// All parts are there in each failure, empty or not, so that a script needs no test for a key.
Json json_of(const app::Failure& failure) {
    Json errors = list();
    for (const Error& error : failure.errors) {
        errors.push(json_of_error(error));
    }
    Json recovery_options = list();
    for (const model::RecoveryOption& way : failure.recovery_options) {
        recovery_options.push(json_of_way(way));
    }
    Json json;
    json.set("exit_code", failure.exit_code).set("errors", std::move(errors));
    json.set("diagnostics", json_of(failure.diagnostics))
        .set("drift", json_of_drift(failure.drift));
    return json.set("ways_left", std::move(recovery_options));
}

// Each event is the journal's own, with the number and the time of its record added.
Json json_of(const std::vector<app::LogLine>& lines) {
    Json events = list();
    for (const app::LogLine& line : lines) {
        Json event = line.event;
        event.set("sequence", line.sequence).set("wall_ms", line.wall_ms);
        events.push(std::move(event));
    }
    Json json;
    return json.set("events", std::move(events));
}

Json json_of(const app::VerifiedJournal& journal) {
    Json verified = list();
    for (const app::VerifiedRun& run : journal.runs) {
        Json entry;
        entry.set("run", run.run).set("records", run.records).set("head", run.head);
        verified.push(std::move(entry));
    }
    Json hosts = list();
    for (const app::VerifiedHost& host : journal.hosts) {
        Json entry;
        entry.set("host", host.host).set("heads", std::uint64_t{host.heads});
        hosts.push(entry.set("others", std::uint64_t{host.other_heads}));
    }
    Json json;
    return json.set("verified", std::move(verified)).set("hosts", std::move(hosts));
}

}  // namespace drydock::cli
