// FenceRegistry: which journals may command this host, and from which epoch on.
//
// A journal is a conductor's durable memory; its epoch rises with each conductor that takes it
// over. The registry holds one entry for each journal that works on this host. Two journals
// conflict if they name the same cluster or claim the same thing, such as a pid file; the second
// one is refused until it takes over explicitly. Pure: LocalHost keeps the text of it in a file,
// FakeHost in memory. Not thread-safe.
#pragma once

#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

inline constexpr std::size_t k_owners_max = 64;           // journals that share one host
inline constexpr std::size_t k_displacements_max = 64;    // remembered; the oldest one goes
inline constexpr std::size_t k_claims_max = 1024;         // of one journal; a host has few members
inline constexpr std::size_t k_owner_text_max = 1024;     // bytes of a name or a claim
inline constexpr std::size_t k_fence_file_max = 8 << 20;  // bytes of the text

// A journal that works on a host.
struct Owner {
    std::string cluster;
    std::string journal;  // its id; empty: a conductor that does not tell
    std::int64_t epoch = 0;
    std::string who;            // for people: user and machine
    std::int64_t since_ms = 0;  // wall time of its first fence
    std::vector<std::string> claims;

    bool operator==(const Owner&) const = default;
};

// A journal that lost its entry to another one.
struct Displacement {
    std::string journal;
    Owner by;  // without its claims

    bool operator==(const Displacement&) const = default;
};

// The sender of a request that changes something.
struct Commander {
    std::string journal = {};
    std::int64_t epoch = 0;
};

class FenceRegistry {
public:
    // Reads what text() wrote, or a bare epoch, as agents wrote it before there were owners.
    // "agent.fence_damaged" for anything else.
    [[nodiscard]] static Result<FenceRegistry> parse(std::string_view text);
    // From {owners, displaced}, as in the text; an agent's greeting has the owners alone.
    [[nodiscard]] static Result<FenceRegistry> read(const Json& value);
    [[nodiscard]] std::string text() const;

    // Registers the owner, or raises its epoch. Returns the epoch that holds for its journal now,
    // which is higher than the owner's if a later conductor of the same journal was here.
    // "agent.owned" if it conflicts with another journal; with `take_over` that one is displaced.
    [[nodiscard]] Result<std::int64_t> fence(Owner owner, bool take_over);

    // Lets a command pass: registers an unknown journal and raises a known one's epoch.
    // "agent.fenced" for a displaced journal and for an epoch under the journal's own.
    [[nodiscard]] Status admit(const Commander& commander, std::int64_t now_ms);

    // The same check for a request that only reads: registers nothing.
    [[nodiscard]] Status check(const Commander& commander) const;

    // What the journal claims here; empty for one that is not registered.
    [[nodiscard]] std::vector<std::string> claims_of(std::string_view journal) const;

    // The highest epoch of all journals, 0 if there is none.
    [[nodiscard]] std::int64_t highest() const;

    // [{cluster, journal, epoch, who, since_ms, claims}], in the order of their first fence.
    [[nodiscard]] Json owners() const;

    bool operator==(const FenceRegistry&) const = default;

private:
    [[nodiscard]] const Owner* find(std::string_view journal) const;
    [[nodiscard]] std::int64_t epoch_of(std::string_view journal) const;
    [[nodiscard]] const Owner* find_conflict(const Owner& owner) const;
    void displace_conflicts(const Owner& owner);
    [[nodiscard]] Status store(Owner owner);

    std::vector<Owner> owners_;
    std::vector<Displacement> displacements_;  // the oldest first
};

// From {cluster, journal, who, claims}; "agent.bad_request" for wrong types and beyond the limits.
[[nodiscard]] Result<Owner> read_owner(const Json& value);

}  // namespace drydock::agent
