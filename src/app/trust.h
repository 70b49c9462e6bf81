// First contact: what a cluster file or plan would execute, and whether this account said yes to
// it.
//
// What was agreed to is remembered by digest in the user's own state: `trusted` in
// $XDG_STATE_HOME/drydock, else in ~/.local/state/drydock. The folder that a cluster file names as
// its state has no say. Not thread-safe; two processes may remember at the same time.
#pragma once

#include "app/app.h"

#include <functional>
#include <string>
#include <vector>

namespace drydock::app {

// One thing that would be executed.
struct Executed {
    std::string text;    // for people: "host h1: ssh h1 drydock"
    std::string digest;  // of all that decides what it does, with the scripts that it names; empty
                         // for what cannot be remembered
};

// The command that leads to each agent, with its state folder; where secrets come from; the
// cluster with its journal, policy and own releases; and each member: its service, its probes as
// `sources` binds them, its releases.
[[nodiscard]] std::vector<Executed> executed_by(const model::Cluster& cluster,
                                                const model::FactSources& sources);
// A plan's hosts and secrets, and its commands and scripts as one entry with the plan's digest.
[[nodiscard]] std::vector<Executed> executed_by(const model::Plan& plan);

// What a file would execute; asked for only where it counts, since it reads files.
using ListExecuted = std::function<std::vector<Executed>()>;

// Passes what is known here. Else asks by options.trust, and remembers a yes. "trust.unknown" lists
// what is not known; "trust.memory" if a yes cannot be kept. Executes nothing.
[[nodiscard]] Status
check_trust(const Options& options, const std::string& file, const ListExecuted& list);
[[nodiscard]] Status check_trust(const Options& options, const model::Plan& plan);

}  // namespace drydock::app
