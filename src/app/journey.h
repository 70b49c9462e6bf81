// Journeys: a route of several hops as one undertaking, hop after hop, and back the same way.
//
// A journey has no home of its own. Each of its runs tells in its first event, which is in the
// commit that makes the run, where in the route it stands and which run went before. The newest run
// of the journal is the truth of what is next; a run begun by `apply` ends the journey.
#pragma once

#include "app/internal.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::app {

// Part of the detail of run.created (docs/formats/journal.md).
struct JourneyRecord {
    std::string id;                    // the journey's first run
    std::vector<std::string> stops;    // versions, from the first to the target
    std::vector<std::string> through;  // stops that a person asked for, still ahead
    std::size_t hop = 0;               // the run lies between stops[hop] and stops[hop + 1]
    std::string back_to;  // a way back: no further than this version; empty for a way forward
    std::string before;   // the journey's run before this one; empty: none
    bool operator==(const JourneyRecord&) const = default;
};

[[nodiscard]] Json to_json(const JourneyRecord& record);
// Nothing if that is no record of a journey.
[[nodiscard]] std::optional<JourneyRecord> journey_from(const Json& json);
// Of the journey that the run belongs to.
[[nodiscard]] std::optional<JourneyRecord> record_of(const Replayed& run);

// The journey's hops, none of them begun, and the hop that is next.
[[nodiscard]] Journey outline(const JourneyRecord& record);

// The journey of a run as the journal tells it now; nothing for a run of none.
[[nodiscard]] Answer<std::optional<Journey>> journey_of(Store& store, const Replayed& run);

// The run that is to be taken back behind `way_back`, a finished way back of a journey: the way
// forward of the hop before. Nothing if there is none, or if `way_back` is something else.
[[nodiscard]] Answer<std::optional<Replayed>> find_hop_before(Store& store,
                                                              const Replayed& way_back);

// What the next run of the newest run's journey will tell; nothing if no way forward is next.
[[nodiscard]] Answer<std::optional<JourneyRecord>> next_record(Store& store);

// The newest run that is no rehearsal: what became of the cluster itself. Error "run.none".
[[nodiscard]] Answer<journal::RunInfo> newest_leg(Store& store);

// Of what was typed as `approvals`, the gates of a run that leads to that version.
[[nodiscard]] std::vector<std::string> approvals_for(const std::vector<std::string>& approvals,
                                                     const std::string& target);

}  // namespace drydock::app
