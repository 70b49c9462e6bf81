// FenceRegistry: which journals may command this host, and from which epoch on.
//
// A journal is a conductor's durable memory; its epoch rises with each conductor that takes it
// over. The registry holds one entry for each journal that works on this host. Two journals
// conflict if they name the same cluster or make the same claim, such as a pid file. The second
// journal is refused until it takes over explicitly. Pure: LocalHost keeps the text in a file,
// FakeHost in memory. Not thread-safe.
#pragma once

#include "agent/heads.h"
#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::agent {

inline constexpr std::size_t k_owners_max = 64;           // journals that share one host
inline constexpr std::size_t k_displacements_max = 64;    // remembered; the oldest one goes
inline constexpr std::size_t k_claims_max = 1024;         // of one journal; a host has few members
inline constexpr std::size_t k_owner_text_max = 1024;     // bytes of a name or a claim
inline constexpr std::size_t k_fence_file_max = 8 << 20;  // bytes of the text
inline constexpr std::size_t k_leases_max = 256;          // of one journal, in one request

// One lease of a journal: its epoch, and digits that no other lease has. Two copies of one journal
// give out the same epochs, and never the same digits.
struct LeaseMark {
    std::int64_t epoch = 0;
    std::string nonce;

    bool operator==(const LeaseMark&) const = default;
};

// A journal that works on a host.
struct Owner {
    std::string cluster;
    std::string journal;  // its id; empty: the conductor named none
    std::int64_t epoch = 0;
    std::string contact;        // for people: user and machine
    std::int64_t since_ms = 0;  // wall time of its first fence
    std::vector<std::string> claims;
    // In a request: the leases that the journal gave, the newest last. Stored: the lease of
    // `epoch`.
    std::vector<LeaseMark> leases = {};
    // The head of the first action here, of the newest epoch that has actions. No request has it.
    std::optional<NotedHead> head = {};
    // The epoch of its first fence here; actions of earlier epochs are not remembered. 0: unknown.
    std::int64_t since_epoch = 0;

    bool operator==(const Owner&) const = default;
};

// A journal that lost its entry to another one.
struct Displacement {
    std::string journal;
    Owner winner;  // without its claims

    bool operator==(const Displacement&) const = default;
};

// The sender of a request that changes something.
struct Commander {
    std::string journal = {};
    std::int64_t epoch = 0;
};

class FenceRegistry {
public:
    // Reads the text of text(), or a bare epoch, as agents wrote it before there were owners.
    // "agent.fence_damaged" for any other text.
    [[nodiscard]] static Result<FenceRegistry> parse(std::string_view text);
    // Reads {owners, displaced}, as in the text; an agent's greeting has the owners alone.
    [[nodiscard]] static Result<FenceRegistry> read(const Json& value);
    [[nodiscard]] std::string text() const;

    // Registers the owner, or raises its epoch. Returns the epoch that holds for its journal now,
    // which is higher than the owner's if a later conductor of the same journal was here.
    // "agent.owned" if it conflicts with another journal. With `take_over` the other journal is
    // displaced; a journal of the same cluster inherits the memory of its actions.
    // "agent.other_copy" if the last lease known here is none of the owner's leases. Then the
    // journal was copied or put back, and both copies went on.
    [[nodiscard]] Result<std::int64_t> fence(Owner owner, bool take_over);

    // Lets a command pass. "agent.fenced" for a displaced journal, for another epoch than the
    // journal's own, and for a journal that is not registered. The conductor of such a journal
    // must look again. A commander without a journal is registered here.
    [[nodiscard]] Status admit(const Commander& commander, std::int64_t now_ms);

    // The same check for a request that only reads: registers nothing.
    [[nodiscard]] Status check(const Commander& commander) const;

    // Keeps the first head of each epoch beside its journal's owner. Does nothing for a journal
    // that is not registered.
    void note(const NotedHead& head);

    // Returns the journal's claims here; none for a journal that is not registered.
    [[nodiscard]] std::vector<std::string> claims_of(std::string_view journal) const;

    // Returns the heads that are kept beside owners.
    [[nodiscard]] std::set<NotedHead> heads() const;

    // Returns the highest epoch of all journals; 0 if there is none.
    [[nodiscard]] std::int64_t highest() const;

    // [{cluster, journal, epoch, who, since_ms, since_epoch, claims, leases, head}], in the order
    // of their first fence.
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

// Returns [[epoch, nonce]], as read_owner() reads it.
[[nodiscard]] Json to_json(const std::vector<LeaseMark>& leases);

// True if the two cannot work on one host side by side: two journals with the same cluster, or with
// a claim in common.
[[nodiscard]] bool is_conflict(const Owner& first, const Owner& second);

// True for the errors by which a host says that it obeys, or may obey, another conductor.
[[nodiscard]] bool is_displacement(const Error& error);

// Reads {cluster, journal, who, claims, leases: [[epoch, nonce]]}; "agent.bad_request" for wrong
// types and beyond the limits.
[[nodiscard]] Result<Owner> read_owner(const Json& value);

}  // namespace drydock::agent
