// Journey: a route of several hops, each a run of its own, as plain data. `drydock upgrade` runs
// them one after the other; app/travel.h drives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace drydock::run {

// A hop of a journey, with the newest run in each direction.
struct JourneyHop {
    std::string from;
    std::string to;
    std::string run;    // empty: not begun
    std::string state;  // its word in the journal: "finished"
    std::string back;   // the run that took it back; empty: none
    std::string return_state;
};

// The direction of the run that `resume` begins once the newest run of a journey is over.
enum class JourneyStep : std::uint8_t { none, forward, back };

// A route of several hops that `upgrade` runs one after the other, as read from the first events of
// its runs.
struct Journey {
    std::string id;  // of its first run
    std::vector<JourneyHop> hops;
    std::string newest;   // run
    std::size_t hop = 0;  // of the newest run; place in `hops`
    JourneyStep next = JourneyStep::none;
    std::string reaches;  // `downgrade` leads back to this version, by the journal alone
    std::string closed;   // why no further; empty: it leads back to the first version
};

}  // namespace drydock::run
