// First contact: lists what a cluster file or plan would execute, and asks whether this account
// agrees to it.
//
// An agreement is remembered by digest in the user's own state: `trusted` in
// $XDG_STATE_HOME/drydock, else in ~/.local/state/drydock. The state directory of the cluster file
// is never used for that. Not thread-safe; two processes may remember at the same time.
#pragma once

#include "app/app.h"

#include <functional>
#include <string>
#include <vector>

namespace drydock::app {

// A command or setting that would be executed, as the list shows it.
struct Executed {
    std::string text;    // for people: "host h1: ssh h1 drydock"
    std::string digest;  // of all that decides its effect, with the scripts that it names; empty
                         // for an entry that cannot be remembered
};

// Lists the command that leads to each agent, with its state directory; the sources of secrets; the
// cluster with its journal, policy and own releases; and each member: its service, its probes as
// `sources` binds them, its releases.
[[nodiscard]] std::vector<Executed> executed_by(const model::Cluster& cluster,
                                                const model::FactSources& sources);
// Lists a plan's hosts and secrets. Its commands and scripts are one entry with the plan's digest.
[[nodiscard]] std::vector<Executed> executed_by(const model::Plan& plan);

// Makes the list. A function, because it reads files and is not always needed.
using ListExecuted = std::function<std::vector<Executed>()>;

// Passes a list whose entries are all known. Otherwise asks as options.trust says, and remembers a
// yes. Errors: "trust.unknown" with the entries that are not known; "trust.memory" if a yes cannot
// be kept. Executes nothing.
[[nodiscard]] Status
check_trust(const Options& options, const std::string& file, const ListExecuted& list);
[[nodiscard]] Status check_trust(const Options& options, const model::Plan& plan);

}  // namespace drydock::app
