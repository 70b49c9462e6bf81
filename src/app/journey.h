// Journeys: a route of several hops as one undertaking, hop after hop, and back the same way.
//
// A journey has no record of its own. Each of its runs names, in its first event, its position in
// the route and the run before it. That event is in the commit that makes the run. The newest run
// of the journal decides what is next; a run begun by `apply` ends the journey.
#pragma once

#include "app/internal.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::app {

// A part of the detail of run.created (docs/formats/journal.md).
struct JourneyRecord {
    std::string id;                    // the journey's first run
    std::vector<std::string> stops;    // versions, from the first to the target
    std::vector<std::string> through;  // stops that a person asked for, still ahead
    std::size_t hop = 0;               // the run lies between stops[hop] and stops[hop + 1]
    std::string back_to;       // a way back: no further than this version; empty for a way forward
    std::string previous_run;  // the journey's run before this one; empty: none
    bool operator==(const JourneyRecord&) const = default;
};

[[nodiscard]] Json to_json(const JourneyRecord& record);
// Returns nothing if that is no record of a journey.
[[nodiscard]] std::optional<JourneyRecord> journey_from(const Json& json);
// Returns the record of the journey that the run belongs to.
[[nodiscard]] std::optional<JourneyRecord> record_of(const ReplayedRun& run);

// Returns the journey's hops, none of them begun, and the position of the next hop.
[[nodiscard]] run::Journey outline(const JourneyRecord& record);

// Returns the journey of a run as the journal has it now; nothing for a run without a journey.
[[nodiscard]] AppResult<std::optional<run::Journey>> journey_of(StateDir& state_dir,
                                                                const ReplayedRun& run);

// Returns the run to take back after `way_back`, a finished downgrade of a journey: the way forward
// of the previous hop. Returns nothing if there is none, or if `way_back` is no such run.
[[nodiscard]] AppResult<std::optional<ReplayedRun>> find_previous_hop(StateDir& state_dir,
                                                                      const ReplayedRun& way_back);

// Returns the record of the next run of the newest run's journey; nothing if no way forward is
// next.
[[nodiscard]] AppResult<std::optional<JourneyRecord>> next_record(StateDir& state_dir);

// Returns the newest run that is no rehearsal, and so changed the cluster. Error: "run.none".
[[nodiscard]] AppResult<journal::RunInfo> newest_cluster_run(StateDir& state_dir);

// Returns the gates in `approvals` that belong to a run which leads to `target`.
[[nodiscard]] std::vector<std::string> approvals_for(const std::vector<std::string>& approvals,
                                                     const std::string& target);

}  // namespace drydock::app
