// Reads journeys from the journal: the position of a run in its journey, the next hop, and how far
// a downgrade leads back.
//
// Nothing here is stored apart. Each run tells its journey in run.created, with the id of the run
// before it. So the runs form a list, and it is read from the newest. The newest run decides what
// is next. docs/design/0011-journeys.md has the table of cases.
#include "app/journey.h"

#include "app/planning.h"
#include "planner/rehearsal.h"
#include "run/return_point.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

constexpr std::size_t k_runs_max = 1000;  // of one journey, there and back; bounds the reading

Json list_of(const std::vector<std::string>& texts) {
    Json list = Json::Array{};
    for (const std::string& text : texts) {
        list.push(text);
    }
    return list;
}

std::vector<std::string> texts_of(const Json& list) {
    std::vector<std::string> texts;
    for (const Json& text : list.items()) {
        texts.push_back(text.as_string());
    }
    return texts;
}

// True if the run reverts another run. A plan of a downgrade that names no run is none in this
// sense.
bool is_way_back(const ReplayedRun& run) {
    return !run.plan.reverts_run.empty();
}

bool is_finished(const ReplayedRun& run) {
    return run.history.state.phase() == run::Phase::finished;
}

// Follows the links from the newest run to the first. The limit bounds how much a damaged record
// could make it read.
AppResult<std::vector<ReplayedRun>> read_runs(StateDir& state_dir, const ReplayedRun& newest) {
    std::vector<ReplayedRun> runs = {newest};
    std::string previous = record_of(newest)->previous_run;
    while (!previous.empty() && runs.size() < k_runs_max) {
        DRYDOCK_TRY_ASSIGN(const auto info, state_dir.journal().find_run(previous));
        DRYDOCK_TRY_ASSIGN(auto run, replay(state_dir, info));
        const auto record = record_of(run);
        previous = record ? record->previous_run : "";
        runs.push_back(std::move(run));
    }
    return runs;
}

// Returns the journal's newest run if it belongs to the same journey, else the run itself. So the
// status of an old run shows the journey as it stands now.
AppResult<ReplayedRun> find_newest(StateDir& state_dir, const ReplayedRun& run) {
    auto info = newest_cluster_run(state_dir);
    if (!info || info->run.id == run.info.run.id) {
        return run;
    }
    DRYDOCK_TRY_ASSIGN(auto newest, replay(state_dir, *info));
    const auto record = record_of(newest);
    return record && record->id == record_of(run)->id ? std::move(newest) : run;
}

// Keeps the newest run of each direction: the runs come from new to old, so the first one wins.
void record_run_in_hop(const ReplayedRun& run, run::JourneyHop& hop) {
    const bool is_back = is_way_back(run);
    std::string& id = is_back ? hop.back : hop.run;
    if (id.empty()) {
        id = run.info.run.id;
        (is_back ? hop.return_state : hop.state) = run.info.state.word;
    }
}

// Returns the newest run that went forward over the hop, or null.
const ReplayedRun* find_way_forward(const std::vector<ReplayedRun>& runs, std::size_t hop) {
    const auto match = std::find_if(runs.begin(), runs.end(), [&](const ReplayedRun& run) {
        return !is_way_back(run) && record_of(run)->hop == hop;
    });
    return match == runs.end() ? nullptr : &*match;
}

// Returns the reason why the way back over the run is closed, by the actions that it has begun.
// Empty if it is open. The facts may close it all the same; the compiler tells that later.
std::string words_if_closed(const ReplayedRun& run) {
    const model::Plan& plan = run.plan;
    if (const auto closed = run::closed_by(plan, run.history.state)) {
        return why_closed(plan, plan.actions[*closed]);
    }
    const bool has_way = std::any_of(
        plan.ways_back.begin(), plan.ways_back.end(), [](const model::RecoveryOption& way) {
            return way.kind == model::RecoveryKind::downgrade;
        });
    return has_way ? "" : fmt::format("the plan of run {} has no downgrade", run.info.run.id);
}

// Walks from the newest hop towards the first until a hop is closed. A hop whose downgrade is under
// way counts as taken back.
void measure_return(const std::vector<ReplayedRun>& runs, run::Journey& journey) {
    std::size_t hop = journey.hop + 1;
    if (is_way_back(runs.front())) {
        --hop;  // is being taken back already
    }
    journey.reaches = hop == journey.hops.size() ? journey.hops.back().to : journey.hops[hop].from;
    while (hop > 0 && journey.closed.empty()) {
        --hop;
        const ReplayedRun* run = find_way_forward(runs, hop);
        journey.closed = run == nullptr ? "no run of this journey led here" : words_if_closed(*run);
        journey.reaches = journey.closed.empty() ? journey.hops[hop].from : journey.reaches;
    }
}

// Only a finished run leads on. A run that was halted, aborted or paused is a person's decision.
run::JourneyStep
find_next(const ReplayedRun& newest, const JourneyRecord& record, const run::Journey& journey) {
    if (!is_finished(newest)) {
        return run::JourneyStep::none;
    }
    if (!is_way_back(newest)) {
        const bool is_last = record.hop + 2 == record.stops.size();
        return is_last ? run::JourneyStep::none : run::JourneyStep::forward;
    }
    const std::string& position = newest.plan.to_version;
    return position != record.back_to && position != journey.reaches ? run::JourneyStep::back
                                                                     : run::JourneyStep::none;
}

}  // namespace

Json to_json(const JourneyRecord& record) {
    Json json;
    json.set("id", record.id).set("stops", list_of(record.stops));
    json.set("through", list_of(record.through)).set("hop", std::uint64_t{record.hop + 1});
    return json.set("back_to", record.back_to).set("before", record.previous_run);
}

// Hops are counted from 1 in the journal and from 0 in memory. A record with a hop outside of its
// stops is no record: the detail of a run may come from another version of drydock.
std::optional<JourneyRecord> journey_from(const Json& json) {
    const std::int64_t hop = json["hop"].as_int();
    JourneyRecord record;
    record.id = json["id"].as_string();
    record.stops = texts_of(json["stops"]);
    record.through = texts_of(json["through"]);
    record.back_to = json["back_to"].as_string();
    record.previous_run = json["before"].as_string();
    if (record.id.empty() || hop < 1 || static_cast<std::size_t>(hop) >= record.stops.size()) {
        return std::nullopt;
    }
    record.hop = static_cast<std::size_t>(hop - 1);
    return record;
}

std::optional<JourneyRecord> record_of(const ReplayedRun& run) {
    return journey_from(run.history.created["journey"]);
}

run::Journey outline(const JourneyRecord& record) {
    run::Journey journey;
    journey.id = record.id;
    journey.hop = record.hop;
    for (std::size_t i = 0; i + 1 < record.stops.size(); ++i) {
        journey.hops.push_back({record.stops[i], record.stops[i + 1], "", "", "", ""});
    }
    return journey;
}

// Runs that name another journey, or a hop that the newest route no longer has, are left out. The
// route is found anew before each hop and may have become shorter.
AppResult<std::optional<run::Journey>> journey_of(StateDir& state_dir, const ReplayedRun& run) {
    if (!record_of(run)) {
        return std::optional<run::Journey>();
    }
    DRYDOCK_TRY_ASSIGN(const auto newest, find_newest(state_dir, run));
    DRYDOCK_TRY_ASSIGN(auto runs, read_runs(state_dir, newest));
    const JourneyRecord record = *record_of(newest);
    run::Journey journey = outline(record);
    journey.newest = newest.info.run.id;
    std::erase_if(runs, [&](const ReplayedRun& entry) {
        const auto entry_record = record_of(entry);
        return !entry_record || entry_record->id != record.id
               || entry_record->hop >= journey.hops.size();
    });
    for (const ReplayedRun& entry : runs) {
        record_run_in_hop(entry, journey.hops[record_of(entry)->hop]);
    }
    measure_return(runs, journey);
    journey.next = find_next(newest, record, journey);
    return std::optional(std::move(journey));
}

// Only a finished downgrade leads to the hop before it. While it is open, the next downgrade would
// revert a run in the middle of a hop.
AppResult<std::optional<ReplayedRun>> find_previous_hop(StateDir& state_dir,
                                                        const ReplayedRun& way_back) {
    const auto record = record_of(way_back);
    if (!record || !is_way_back(way_back) || !is_finished(way_back) || record->hop == 0) {
        return std::optional<ReplayedRun>();
    }
    DRYDOCK_TRY_ASSIGN(const auto runs, read_runs(state_dir, way_back));
    const ReplayedRun* forward = find_way_forward(runs, record->hop - 1);
    return forward == nullptr ? std::optional<ReplayedRun>() : std::optional(*forward);
}

// The stop that the hop reaches is no longer ahead, so it leaves `through`.
AppResult<std::optional<JourneyRecord>> next_record(StateDir& state_dir) {
    auto info = newest_cluster_run(state_dir);
    if (!info) {
        return std::optional<JourneyRecord>();
    }
    DRYDOCK_TRY_ASSIGN(const auto newest, replay(state_dir, *info));
    auto record = record_of(newest);
    if (!record || !is_finished(newest) || is_way_back(newest)
        || record->hop + 2 >= record->stops.size()) {
        return std::optional<JourneyRecord>();
    }
    ++record->hop;
    record->previous_run = newest.info.run.id;
    std::erase(record->through, record->stops[record->hop]);
    return record;
}

// Rehearsals are runs of the journal but change nothing of the cluster, so they are passed over.
AppResult<journal::RunInfo> newest_cluster_run(StateDir& state_dir) {
    DRYDOCK_TRY_ASSIGN(const auto runs, state_dir.journal().list_runs());
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
        DRYDOCK_TRY_ASSIGN(const auto plan, state_dir.load_plan(*run));
        if (plan.procedure != model::k_rehearsal) {
            return *run;
        }
    }
    return state_dir.current_run(true);  // says that there is none
}

// A gate without a version belongs to the first run. A later run takes only gates that name the
// version it leads to, since gates have the same names in every hop.
std::vector<std::string> approvals_for(const std::vector<std::string>& approvals,
                                       const std::string& target) {
    std::vector<std::string> gates;
    for (const std::string& typed : approvals) {
        const auto colon = typed.find(':');
        if (colon == typed.npos) {
            gates.push_back(typed);
        } else if (typed.substr(0, colon) == target) {
            gates.push_back(typed.substr(colon + 1));
        }
    }
    return gates;
}

}  // namespace drydock::app
