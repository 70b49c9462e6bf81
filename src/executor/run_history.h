// RunHistory is a run as its journal has it, folded record by record.
#pragma once

#include "base/json.h"
#include "executor/noted_heads_check.h"
#include "journal/journal.h"
#include "model/plan.h"
#include "run/event.h"
#include "run/run.h"
#include "run/state.h"

#include <cstdint>
#include <map>
#include <vector>

namespace drydock::executor {

// By action: the epoch since which its host must remember, for its "it never began" to count. It is
// the epoch that began the action, or the one in which a person last resumed in spite of the doubt.
using BeginEpochs = std::map<std::size_t, std::int64_t>;

// Notes an event of a conductor with that epoch. `state` is the state before the event.
void note_begin(const run::Event& event,
                const run::State& state,
                std::int64_t epoch,
                BeginEpochs& epochs);

struct RunHistory {
    run::State state;
    BeginEpochs begin_epochs;
    journal::Head head;
    RecordHashes heads;                    // of all records
    std::map<std::size_t, Json> soaks;     // by gate: detail of soak.started
    std::map<std::size_t, Json> failures;  // by action: detail of its last event without success
    std::map<std::size_t, Json> progress;  // by action: the latest report of its last attempt
    Json paused;                           // detail of the last run.paused
    Json created;                          // detail of run.created
    Json halted;                      // detail of the last run.halted or drift.found since a resume
    Json left_behind;                 // of the end: what is not as it was; null: nothing
    Json approved;                    // detail of the last gate.approved, with its time as at_ms
    Json gate_facts;                  // the facts that a gate last read; null: none yet
    std::int64_t gate_facts_ms = 0;   // wall clock, like the next
    std::int64_t last_ms = 0;         // of the last record
    bool ends_with_approval = false;  // only a resume is missing
};

// True if the event tells of no success and says why.
[[nodiscard]] bool is_failure(const run::Event& event);

// Decodes the events of a record. Errors: "journal.event" for an event that the codec's plan does
// not have.
[[nodiscard]] Result<std::vector<run::Event>> events_of(const journal::Record& record,
                                                        const run::EventCodec& codec);

// Reads and verifies the whole chain of the run. Errors: those of Journal::read(); journal.event
// for an event that the plan does not have.
[[nodiscard]] Result<RunHistory> read_history(journal::Journal& journal, const model::Plan& plan);

// Folds records that the caller has read already.
[[nodiscard]] Result<RunHistory> fold_records(const std::vector<journal::Record>& records,
                                              const model::Plan& plan);

}  // namespace drydock::executor
