// The rules of the fence registry, and its text form.
//
// Order of the checks in fence(): first whether the journal is another copy, then the epoch, then
// a conflict with another journal. Only then the registry changes, so a refused conductor leaves
// no trace.
//
// Invariant: after fence() no two owners conflict. A displaced journal stays on a list and is
// refused until it fences again, because its conductor may not have noticed yet.
// docs/formats/agent-protocol.md has the requests.
#include "agent/fences.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace drydock::agent {
namespace {

constexpr std::size_t k_short_journal = 8;  // characters of an id that a message shows

std::string utc_text(std::int64_t wall_ms) {
    const std::time_t seconds = wall_ms / 1000;
    std::tm parts = {};
    std::array<char, 32> text = {};
    ::gmtime_r(&seconds, &parts);
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
    return {text.data(), size};
}

// Returns, for example: "cluster `prod` (journal 1f3a9c02, anna@deploy1, since 2026-11-21 20:58:40
// UTC, epoch 5)".
std::string describe(const Owner& owner) {
    const std::string name = owner.cluster.empty() ? std::string("a cluster without a name")
                                                   : fmt::format("cluster `{}`", owner.cluster);
    const std::string contact =
        owner.contact.empty() ? std::string() : fmt::format(", {}", owner.contact);
    return fmt::format("{} (journal {}{}, since {}, epoch {})",
                       name,
                       owner.journal.empty() ? "unknown" : owner.journal.substr(0, k_short_journal),
                       contact,
                       utc_text(owner.since_ms),
                       owner.epoch);
}

tl::unexpected<Error> fenced(std::string message) {
    return fail("agent.fenced",
                std::move(message),
                "another conductor has taken over this run; follow it with `drydock status`");
}

tl::unexpected<Error> owned(const Owner& owner) {
    return fail("agent.owned",
                fmt::format("this host belongs to {}", describe(owner)),
                "if nobody works with that journal any more: the same command with --take-over");
}

tl::unexpected<Error> other_copy(const Owner& owner) {
    return fail("agent.other_copy",
                fmt::format("this host obeys another copy of this journal: {}", describe(owner)),
                "go on with the newest copy; if it is gone for good: the same command with "
                "--take-over");
}

tl::unexpected<Error> unregistered() {
    return fail("agent.fenced",
                "this host does not know this conductor any more: its `.fence` was changed",
                "see that nobody else works there; then `drydock resume`");
}

// True if the journal was copied or put back: its leases lack the last lease that this host knows.
// A lease older than the oldest one in the request cannot be judged.
bool is_other_copy(const Owner& owner, const Owner& candidate) {
    if (owner.leases.empty() || candidate.leases.empty() || owner.epoch > candidate.epoch
        || owner.epoch < candidate.leases.front().epoch) {
        return false;
    }
    return std::find(candidate.leases.begin(), candidate.leases.end(), owner.leases.back())
           == candidate.leases.end();
}

bool share_claim(const Owner& first, const Owner& second) {
    return std::any_of(first.claims.begin(), first.claims.end(), [&](const std::string& claim) {
        return std::find(second.claims.begin(), second.claims.end(), claim) != second.claims.end();
    });
}

Json to_json(const Owner& owner) {
    Json claims{Json::Array{}};
    for (const auto& claim : owner.claims) {
        claims.push(claim);
    }
    Json value;
    value.set("cluster", owner.cluster).set("journal", owner.journal).set("epoch", owner.epoch);
    value.set("who", owner.contact).set("since_ms", owner.since_ms);
    value.set("since_epoch", owner.since_epoch);
    if (!owner.leases.empty()) {
        value.set("leases", to_json(owner.leases));
    }
    if (owner.head) {
        value.set("head", to_json(*owner.head));
    }
    return value.set("claims", std::move(claims));
}

Json to_json(const Displacement& displacement) {
    Json value;
    value.set("journal", displacement.journal);
    return value.set("by", to_json(displacement.winner));
}

Owner stored_owner(const Json& value) {
    Owner owner;
    owner.cluster = value["cluster"].as_string();
    owner.journal = value["journal"].as_string();
    owner.epoch = value["epoch"].as_int();
    owner.contact = value["who"].as_string();
    owner.since_ms = value["since_ms"].as_int();
    owner.since_epoch = value["since_epoch"].as_int();
    for (const auto& claim : value["claims"].items()) {
        owner.claims.push_back(claim.as_string());
    }
    for (const auto& lease : value["leases"].items()) {
        if (lease.is_array() && lease.items().size() == 2) {
            owner.leases.push_back({lease.items()[0].as_int(), lease.items()[1].as_string()});
        }
    }
    if (auto head = read_head(value["head"])) {
        owner.head = std::move(*head);
    }
    return owner;
}

// Reads the text of old agents, which is a number and nothing else.
std::optional<std::int64_t> bare_epoch(std::string_view text) {
    std::int64_t epoch = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), epoch);
    const bool whole = trim({stop, text.data() + text.size()}).empty();
    return error == std::errc() && whole ? std::optional(epoch) : std::nullopt;
}

bool is_short(const Json& value) {
    return value.is_null() || (value.is_string() && value.as_string().size() <= k_owner_text_max);
}

}  // namespace

Json to_json(const std::vector<LeaseMark>& leases) {
    Json list{Json::Array{}};
    for (const LeaseMark& lease : leases) {
        list.push(Json::Array{Json(lease.epoch), Json(lease.nonce)});
    }
    return list;
}

bool is_conflict(const Owner& first, const Owner& second) {
    const bool same_cluster = !first.cluster.empty() && first.cluster == second.cluster;
    return first.journal != second.journal && (same_cluster || share_claim(first, second));
}

bool is_displacement(const Error& error) {
    return error.code == "agent.fenced" || error.code == "agent.owned"
           || error.code == "agent.other_copy" || error.code == "agent.fence_damaged";
}

Result<FenceRegistry> FenceRegistry::parse(std::string_view text) {
    if (const auto epoch = bare_epoch(text)) {
        FenceRegistry registry;
        registry.owners_.push_back({.cluster = {},
                                    .journal = {},
                                    .epoch = *epoch,
                                    .contact = {},
                                    .since_ms = 0,
                                    .claims = {}});
        return registry;
    }
    return read(Json::parse(text).value_or(Json()));
}

Result<FenceRegistry> FenceRegistry::read(const Json& value) {
    if (!value["owners"].is_array()) {
        return fail("agent.fence_damaged", "it holds neither owners nor an epoch");
    }
    FenceRegistry registry;
    for (const auto& owner : value["owners"].items()) {
        registry.owners_.push_back(stored_owner(owner));
    }
    for (const auto& displacement : value["displaced"].items()) {
        registry.displacements_.push_back(
            {displacement["journal"].as_string(), stored_owner(displacement["by"])});
    }
    return registry;
}

std::string FenceRegistry::text() const {
    Json displaced{Json::Array{}};
    for (const auto& displacement : displacements_) {
        displaced.push(to_json(displacement));
    }
    Json value;
    value.set("owners", owners()).set("displaced", std::move(displaced));
    return value.dump() + "\n";
}

const Owner* FenceRegistry::find(std::string_view journal) const {
    const auto same = [&](const Owner& owner) { return owner.journal == journal; };
    const auto position = std::find_if(owners_.begin(), owners_.end(), same);
    return position == owners_.end() ? nullptr : &*position;
}

// Returns the epoch that the journal must have at least. A conductor without a journal could be of
// any journal, so the highest epoch of all holds for it.
std::int64_t FenceRegistry::epoch_of(std::string_view journal) const {
    const Owner* owner = find(journal);
    return journal.empty() ? highest() : owner == nullptr ? 0 : owner->epoch;
}

const Owner* FenceRegistry::find_conflict(const Owner& owner) const {
    const auto position = std::find_if(owners_.begin(), owners_.end(), [&](const Owner& entry) {
        return is_conflict(owner, entry);
    });
    return position == owners_.end() ? nullptr : &*position;
}

// Moves every conflicting owner to the displaced list. The list has a limit; its oldest entries go
// first.
void FenceRegistry::displace_conflicts(const Owner& owner) {
    Owner winner = owner;
    winner.claims.clear();
    std::erase_if(owners_, [&](const Owner& entry) {
        const bool loses = is_conflict(owner, entry);
        if (loses) {
            displacements_.push_back({entry.journal, winner});
        }
        return loses;
    });
    const auto surplus =
        displacements_.size() - std::min(displacements_.size(), k_displacements_max);
    displacements_.erase(displacements_.begin(),
                         displacements_.begin() + static_cast<std::ptrdiff_t>(surplus));
}

// Replaces the owner's entry and keeps its history: first fence, first epoch, head. Of the leases
// only that of the current epoch is kept, which is enough for is_other_copy().
Status FenceRegistry::store(Owner owner) {
    std::erase_if(owner.leases, [&](const LeaseMark& lease) { return lease.epoch != owner.epoch; });
    std::erase_if(displacements_,
                  [&](const auto& displacement) { return displacement.journal == owner.journal; });
    const auto same = [&](const Owner& entry) { return entry.journal == owner.journal; };
    const auto position = std::find_if(owners_.begin(), owners_.end(), same);
    if (position != owners_.end()) {
        owner.since_ms = position->since_ms;
        owner.head = position->head;
        owner.since_epoch = position->since_epoch;
        *position = std::move(owner);
        return {};
    }
    if (owners_.size() >= k_owners_max) {
        return fail("agent.owners_full",
                    fmt::format("{} journals work on this host already", k_owners_max),
                    "remove those that are over from the `.fence` file of the state folder there");
    }
    owner.head.reset();
    owners_.push_back(std::move(owner));
    return {};
}

// A journal that takes over its own cluster inherits the first epoch of its forerunner, so that
// the memory of the forerunner's actions still counts.
Result<std::int64_t> FenceRegistry::fence(Owner owner, bool take_over) {
    if (const Owner* registered_owner = find(owner.journal);
        registered_owner && is_other_copy(*registered_owner, owner)) {
        return other_copy(*registered_owner);
    }
    if (const auto epoch = epoch_of(owner.journal); epoch > owner.epoch) {
        return epoch;
    }
    const Owner* conflict = find_conflict(owner);
    if (conflict != nullptr && !take_over) {
        return owned(*conflict);
    }
    if (conflict != nullptr && !owner.cluster.empty() && conflict->cluster == owner.cluster) {
        owner.since_epoch = std::min(owner.since_epoch, conflict->since_epoch);
    }
    displace_conflicts(owner);
    const std::int64_t epoch = owner.epoch;
    DRYDOCK_TRY(store(std::move(owner)));
    return epoch;
}

// Looks at the displaced list before the epoch, since the message names the journal that took
// over.
Status FenceRegistry::check(const Commander& commander) const {
    const auto same = [&](const auto& displacement) {
        return displacement.journal == commander.journal;
    };
    const auto lost = std::find_if(displacements_.begin(), displacements_.end(), same);
    if (lost != displacements_.end()) {
        return fenced(fmt::format("this host was taken over by {}", describe(lost->winner)));
    }
    const auto epoch = epoch_of(commander.journal);
    return epoch > commander.epoch
               ? Status(fenced(fmt::format(
                     "this host obeys epoch {} and no longer {}", epoch, commander.epoch)))
               : Status();
}

// Demands exactly the registered epoch of a named journal. A journal that is unknown here was
// removed from the file: its conductor must fence, and look, again.
Status FenceRegistry::admit(const Commander& commander, std::int64_t now_ms) {
    DRYDOCK_TRY(check(commander));
    const Owner* registered_owner = find(commander.journal);
    if (!commander.journal.empty()) {
        const bool holds =
            registered_owner != nullptr && registered_owner->epoch == commander.epoch;
        return holds ? Status() : unregistered();
    }
    Owner owner = registered_owner == nullptr ? Owner() : *registered_owner;
    owner.epoch = commander.epoch;
    owner.since_ms = now_ms;
    return store(std::move(owner));
}

// Keeps the first head of each epoch; the folders of the actions have the later ones.
void FenceRegistry::note(const NotedHead& head) {
    const auto same = [&](const Owner& owner) { return owner.journal == head.journal; };
    const auto position = std::find_if(owners_.begin(), owners_.end(), same);
    if (position != owners_.end() && (!position->head || position->head->epoch != head.epoch)) {
        position->head = head;
    }
}

std::set<NotedHead> FenceRegistry::heads() const {
    std::set<NotedHead> heads;
    for (const Owner& owner : owners_) {
        if (owner.head) {
            heads.insert(*owner.head);
        }
    }
    return heads;
}

std::vector<std::string> FenceRegistry::claims_of(std::string_view journal) const {
    const Owner* owner = find(journal);
    return owner == nullptr ? std::vector<std::string>() : owner->claims;
}

std::int64_t FenceRegistry::highest() const {
    std::int64_t highest = 0;
    for (const auto& owner : owners_) {
        highest = std::max(highest, owner.epoch);
    }
    return highest;
}

Json FenceRegistry::owners() const {
    Json list{Json::Array{}};
    for (const auto& owner : owners_) {
        list.push(to_json(owner));
    }
    return list;
}

Result<Owner> read_owner(const Json& value) {
    const auto& claims = value["claims"].items();
    const auto& leases = value["leases"].items();
    const bool small = is_short(value["cluster"]) && is_short(value["journal"])
                       && is_short(value["who"]) && claims.size() <= k_claims_max
                       && leases.size() <= k_leases_max;
    const bool texts = std::all_of(claims.begin(), claims.end(), [](const Json& claim) {
        return claim.is_string() && is_short(claim);
    });
    const bool marks = std::all_of(leases.begin(), leases.end(), [](const Json& lease) {
        return lease.items().size() == 2 && lease.items()[0].is_integer()
               && is_short(lease.items()[1]);
    });
    if (!small || !texts || !marks || !(value.is_object() || value.is_null())) {
        return fail(
            "agent.bad_request",
            "`owner` is {cluster, journal, who, claims, leases}, of texts of up to 1024 bytes",
            "use the same drydock on both sides");
    }
    return stored_owner(value);
}

}  // namespace drydock::agent
