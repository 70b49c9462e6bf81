// One run under this process's lease: taking it, conducting it, recording what a person decides,
// giving it back.
#pragma once

#include "app/internal.h"

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
[[nodiscard]] tl::unexpected<Failure> moved(std::vector<run::Drift> drift);

// Takes the lease (refused while another conductor lives, naming it) and replays the run.
[[nodiscard]] Answer<Conducting>
take(const Options& options, Store store, const journal::RunInfo& info);
// An event that a person causes while nobody conducts; gives the lease back.
[[nodiscard]] Answer<RunStatus> record_by_hand(Conducting& conducting, const run::Event& event);
// From here to the end, a gate, a pause or a halt; gives the lease back. `first` are the events
// that the start itself makes durable, after the world was compared with what the run expects, if
// `compare`.
[[nodiscard]] Answer<RunStatus> conduct_run(Conducting& conducting,
                                            Observer& observer,
                                            const std::vector<run::Event>& first,
                                            bool compare);

}  // namespace drydock::app
