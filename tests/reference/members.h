// Members: whom a step takes down and brings up, who serves and leads, and what follows from it for
// readiness and for the stores.
#pragma once

#include "reference/world.h"

namespace drydock::reference {

// Whom a step moves. Who is restarted is in both.
struct Moves {
    std::set<std::string> down;
    std::map<std::string, std::string> up;  // the release that an effect names, or nothing
};

[[nodiscard]] Moves moves_of(const Model& model, const model::Action& action);
// Whom it takes down while it is under way.
[[nodiscard]] std::set<std::string> down_meanwhile(const Model& model, const model::Action& action);
// It is the start or the restart of a member.
[[nodiscard]] bool starts(const model::Action& action);

// The release that comes up: what is installed, else what an effect names, else what ran before.
[[nodiscard]] std::string release_to_start(const Model& model,
                                           const std::string& member,
                                           const std::string& named,
                                           const World& world);

// They go down at the same time: by a step, which leaves their stores clean, or they die.
void take_down(Model& model, const std::set<std::string>& members, World& world);
void die(Model& model, const std::string& member, World& world);
void come_up(Model& model, const std::string& member, const std::string& release, World& world);
// What follows from who runs now.
void settle(Model& model, World& world);

// Who has no such fact votes, too.
[[nodiscard]] bool votes(const Model& model, const std::string& member, const World& world);
[[nodiscard]] bool serves(const Model& model, const std::string& member, const World& world);
[[nodiscard]] bool leads(const Model& model, const std::string& member, const World& world);
[[nodiscard]] bool may_be_elected(const Model& model, const std::string& member, const World&);
void elect(Model& model, const std::string& member, World& world);

// The law of its release fires by itself, once its condition holds.
[[nodiscard]] bool fires_by_itself(model::FormatTrigger trigger);

// Of these members that came up, one has a stale copy, nobody runs with a current one, and one
// that is down has it.
[[nodiscard]] bool
starts_stale(const Model& model, const std::map<std::string, std::string>& up, const World& world);

// At first: stores are unclean by who runs, and who is down beside others has a stale copy.
void note_who_runs(const Model& model, World& world);
void note_stale_at_first(const Model& model, World& world);

}  // namespace drydock::reference
