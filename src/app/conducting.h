// One run under this process's lease: taking it, conducting it, recording what a person decides,
// giving it back.
#pragma once

#include "app/internal.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::app {

// Everything that conducting one run needs, in the order in which it is taken.
struct Conducting {
    Options options;
    Store store;
    Replayed run;
    std::uint64_t epoch = 0;
    Json secrets;
};

[[nodiscard]] std::string who_am_i();
[[nodiscard]] journal::Holder this_conductor();
[[nodiscard]] run::Event plain_event(run::EventType type, Json detail = {});
// The gate of that name, if it waits for a person; and the approval of it by this user.
[[nodiscard]] std::optional<std::size_t>
open_gate(const model::Plan& plan, const run::State& state, const std::string& name);
[[nodiscard]] run::Event approval_of(const model::Plan& plan, std::size_t gate);
[[nodiscard]] tl::unexpected<Failure> moved(std::vector<run::Drift> drift);

// Takes the lease (refused while another conductor lives, naming it) and replays the run.
[[nodiscard]] Answer<Conducting>
take(const Options& options, Store store, const journal::RunInfo& info);
// The same for the run that is not over.
[[nodiscard]] Answer<Conducting> take_current(const Options& options);
// What the journal tells now; puts the run's state down for lists, and gives the lease back.
[[nodiscard]] Answer<RunStatus> give_back(Conducting& conducting);
// An event that a person causes while nobody conducts; gives the lease back.
[[nodiscard]] Answer<RunStatus> record_by_hand(Conducting& conducting, const run::Event& event);
// From here to the end, a gate, a pause or a halt; gives the lease back. `created` begins a new
// run; without it the run goes on, after the world was compared with what it expects.
[[nodiscard]] Answer<RunStatus>
conduct_run(Conducting& conducting, Observer& observer, const std::optional<run::Event>& created);

}  // namespace drydock::app
