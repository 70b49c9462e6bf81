// A unit of systemd as `systemctl show` tells it, and what its properties do not tell: processes
// that a stop has left, and a process that somebody started beside the unit.
//
// Nothing here changes the host. Functions are safe from any thread.
#pragma once

#include "agent/service.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::agent {

// The properties of a unit by their names, as in systemd's D-Bus interface.
using UnitProperties = std::map<std::string, std::string, std::less<>>;

// Returns a property; empty if systemd has not told it.
[[nodiscard]] const std::string& property(const UnitProperties& properties, std::string_view name);

// Reads the lines "Name=value" of `systemctl show`.
[[nodiscard]] UnitProperties parse_properties(std::string_view text);

// Asks systemd. Fails with "service.systemd" if nobody answers in time, or if there is no such
// unit. A masked unit is one.
[[nodiscard]] Result<UnitProperties> show_unit(const std::string& unit, std::int64_t timeout_ms);

// Returns the phase that the properties tell. "auto-restart" is `starting`: systemd starts it again
// when its pause is over.
[[nodiscard]] ServiceState::Phase phase_of(const UnitProperties& properties);

// Returns the processes in the unit's control group, but for its main process. With
// `KillMode=process` a stop leaves them.
[[nodiscard]] std::vector<std::int64_t> processes_left(const UnitProperties& properties);

// Returns the processes that run the unit's program and belong to no unit: a person has started
// them. The program is that of `ExecStart`.
[[nodiscard]] std::vector<std::int64_t> started_beside(const UnitProperties& properties);

// Returns what a person may want to see: states, result, main process, number of restarts, whether
// it is masked, drop-ins, and the time that a stop may take, in milliseconds.
[[nodiscard]] Json evidence_of(const UnitProperties& properties);

// Returns a time as systemd writes it ("1min 30s", "500ms", "infinity"), in milliseconds; -1: there
// is no limit, or it cannot be read.
[[nodiscard]] std::int64_t parse_span_ms(std::string_view text);

// Returns the path of the program that the unit starts; empty if it has none.
[[nodiscard]] std::string program_of(const UnitProperties& properties);

}  // namespace drydock::agent
