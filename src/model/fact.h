// Facts: typed values observed on a cluster, each with its evidence; their sources; and the book
// that holds them.
//
// A fact has a key: "m1/running" for a member's, "level" for the system's. An observation is
// `known` (read), `absent` (there certainly is no value: no process listens, the key is missing) or
// `unknown` (a time-out, garbage). A derived fact is computed from others by derive(); it has no
// probe.
#pragma once

#include "base/enum_names.h"
#include "base/json.h"
#include "base/pool_allocator.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::model {

enum class ObservationStatus { known, absent, unknown };
inline constexpr EnumNames<ObservationStatus, ObservationStatus::unknown>
    k_observation_statuses({"known", "absent", "unknown"});

struct Observation {
    ObservationStatus status = ObservationStatus::unknown;
    Json value;
    std::string evidence;    // the text that was read, and its place
    std::int64_t at_ms = 0;  // wall clock of the host that read it
    // By the monotonic clock of the conductor that asked. A value that was not read does not grow
    // old.
    std::int64_t fresh_until_ms = std::numeric_limits<std::int64_t>::max();
};

using FactBook = std::map<std::string,
                          Observation,
                          std::less<>,
                          PoolAllocator<std::pair<const std::string, Observation>>>;

[[nodiscard]] std::string fact_key(std::string_view member, std::string_view fact);

enum class FactType { boolean, integer, release, text, list };
inline constexpr EnumNames<FactType, FactType::list>
    k_fact_types({"bool", "integer", "release", "text", "list"});

// The facts that the core knows: what a member has and does, what a store is, and the results of a
// rehearsal. docs/packs.md explains each.
enum class StandardFact : std::uint8_t {
    none,
    installed,
    running,
    ready,
    format,
    copy,
    writes,
    level,
    serving,
    on_disk,
    voter,  // whether the member counts for a quorum
    leads,  // whether the member leads its role
    rehearsed_forward,
    rehearsed_back,
    rehearsed_ms,
};
inline constexpr EnumNames<StandardFact, StandardFact::rehearsed_ms>
    k_standard_facts({"",
                      "installed",
                      "running",
                      "ready",
                      "format",
                      "copy",
                      "writes",
                      "level",
                      "serving",
                      "on_disk",
                      "voter",
                      "leads",
                      "rehearsed_forward",
                      "rehearsed_back",
                      "rehearsed_ms"});

// Whether a fact is switched for the time of a plan only, so that an end restores its value.
enum class Temporary : std::uint8_t {
    no,
    always,    // every end of a plan
    way_back,  // the end of a way back: what the upgrade switched for good
};
inline constexpr EnumNames<Temporary, Temporary::way_back> k_temporaries({"", "true", "way_back"});

// How a fact is computed from others: of two facts, or over all members.
enum class Derivation : std::uint8_t { none, percent, minus, lowest, highest, agreed };
inline constexpr EnumNames<Derivation, Derivation::agreed>
    k_derivations({"", "percent", "minus", "lowest", "highest", "agreed"});

// True for the derivations of two facts, `percent` and `minus`.
[[nodiscard]] bool is_arithmetic(Derivation derivation);

// How one fact of one member, or of the system, is read: the form in a plan, ready to be sent to an
// agent.
struct FactSource {
    std::string key;
    std::string member;  // empty: the system's
    std::string name;
    FactType type = FactType::text;
    StandardFact standard_fact = StandardFact::none;  // the standard fact it stands for
    bool is_volatile = false;  // changes by itself (an index, a size): never drift
    bool identity = false;
    Temporary temporary = Temporary::no;
    std::string host;
    Json probe;  // the agent's probe, without id; strings may hold ${fact.NAME} of a system fact.
                 // Null if derived
    Derivation derive = Derivation::none;
    std::vector<std::string>
        inputs;                  // the keys that derive() or the probe's ${fact.NAME} need first
    bool skips_unknown = false;  // over members: an unknown input is passed over like an absent one

    [[nodiscard]] bool is_derived() const { return derive != Derivation::none; }
};

// True if the fact is asked of the process of its member, which tells nothing while that is down.
// Other probes ask the host.
[[nodiscard]] bool asks_the_process(const FactSource& source);

// True for a standard fact that the modelled cluster moves. Results of a rehearsal are none: they
// describe a copy.
[[nodiscard]] bool is_modelled(const FactSource& source);

using FactSources = std::map<std::string, FactSource, std::less<>>;

// Computes a derived fact from the book; pure. `lowest`, `highest` and `agreed` pass over absent
// inputs. An unknown input makes the fact unknown, unless the source skips it. `agreed` is unknown
// if two known inputs differ. `percent` and `minus` are absent if an input is absent.
[[nodiscard]] Observation derive(const FactSource& source, const FactBook& book);

// Returns the keys needed to know `keys`, in rounds: each round needs only facts of earlier rounds.
[[nodiscard]] std::vector<std::vector<std::string>>
reading_rounds(const FactSources& sources, const std::vector<std::string>& keys);

// Returns an observation as a sentence shows it: "3.5.16", "nothing", "not known (GET ...: timed
// out)".
[[nodiscard]] std::string to_text(const Observation& observation);

[[nodiscard]] Json to_json(const Observation& observation);
[[nodiscard]] Observation observation_from_json(const Json& json);
// The largest weight of a fact's value; see weight_of().
inline constexpr std::size_t k_fact_bytes_max = 64U << 10U;

// Returns the bytes of text plus the number of items in a value. It stops counting somewhat above
// the limit.
[[nodiscard]] std::size_t weight_of(const Json& value);

// True if a known fact of that type may have the value, and the value keeps to the limit.
[[nodiscard]] bool is_of_type(const Json& value, FactType type);

[[nodiscard]] inline std::string_view name_of(ObservationStatus status) {
    return k_observation_statuses.of(status);
}

[[nodiscard]] inline std::string_view name_of(FactType type) {
    return k_fact_types.of(type);
}

[[nodiscard]] inline std::string_view name_of(StandardFact fact) {
    return k_standard_facts.of(fact);
}

[[nodiscard]] inline std::string_view name_of(Temporary temporary) {
    return k_temporaries.of(temporary);
}

[[nodiscard]] inline std::string_view name_of(Derivation derivation) {
    return k_derivations.of(derivation);
}

}  // namespace drydock::model
