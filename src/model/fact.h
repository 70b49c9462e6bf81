// Facts: typed values observed on a cluster, each with its evidence; how they are read; the book
// that holds them.
//
// A fact has a key: "m1/running" for a member's, "level" for the system's. An observation is
// `known` (read), `absent` (looked, and there is none: nobody listens, the key is missing) or
// `unknown` (could not be told: time-out, garbage). A derived fact is computed from others by
// derive(); it has no probe.
#pragma once

#include "base/json.h"
#include "base/small.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::model {

enum class Known { known, absent, unknown };

struct Observation {
    Known status = Known::unknown;
    Json value;
    std::string evidence;    // what was read, where
    std::int64_t at_ms = 0;  // wall clock of the host that read it
    // By the monotonic clock of the one who asked; what nobody read does not grow old.
    std::int64_t fresh_until_ms = std::numeric_limits<std::int64_t>::max();
};

using FactBook = std::map<std::string,
                          Observation,
                          std::less<>,
                          SmallAllocator<std::pair<const std::string, Observation>>>;

[[nodiscard]] std::string fact_key(std::string_view member, std::string_view fact);

enum class FactType { boolean, integer, release, text, list };

// How one fact of one member (or of the system) is read: what a plan holds, ready to be sent to an
// agent.
struct FactSource {
    std::string key;
    std::string member;  // empty: the system's
    std::string name;
    FactType type = FactType::text;
    std::string binds;   // the standard fact it stands for (core.md section 2), or empty
    bool moves = false;  // changes by itself (an index, a size): never bound, never drift
    bool identity = false;
    std::string host;
    Json probe;  // the agent's probe, without id; strings may hold ${fact.NAME} of a system fact.
                 // Null if derived
    std::string
        derive;  // "lowest", "highest", "agreed" over members; "percent", "minus" of two; or empty
    std::vector<std::string>
        inputs;                  // the keys that derive() or the probe's ${fact.NAME} need first
    bool skips_unknown = false;  // over members: an unknown input is passed over like an absent one
};

// True if a standard fact is one that the model of the cluster moves. What a rehearsal found is
// none: it tells of a copy.
[[nodiscard]] bool is_modelled(const FactSource& source);

using FactSources = std::map<std::string, FactSource, std::less<>>;

// Computes a derived fact from the book; pure. Absent inputs are passed over by lowest, highest and
// agreed. One unknown input makes the fact unknown, unless the source skips it. `agreed` is unknown
// if two known inputs differ. Percent and minus of something absent are absent.
[[nodiscard]] Observation derive(const FactSource& source, const FactBook& book);

// The keys needed to know `wanted`, in rounds: each round only needs what earlier rounds read.
[[nodiscard]] std::vector<std::vector<std::string>>
reading_rounds(const FactSources& sources, const std::vector<std::string>& keys);

// How an observation reads in a sentence: "3.5.16", "nothing", "not known (GET ...: timed out)".
[[nodiscard]] std::string show(const Observation& observation);

[[nodiscard]] Json to_json(const Observation& observation);
[[nodiscard]] Observation observation_from_json(const Json& json);
// What a value of a fact may take; see weight_of().
inline constexpr std::size_t k_fact_bytes_max = 64U << 10U;

// The bytes of text and the number of items in a value, counted up to somewhat over the limit.
[[nodiscard]] std::size_t weight_of(const Json& value);

// True if a known fact of that type may have the value, which is not over the limit.
[[nodiscard]] bool is_of_type(const Json& value, FactType type);
[[nodiscard]] std::string_view name_of(FactType type);
[[nodiscard]] FactType fact_type_from(std::string_view name);  // text for what is not known

}  // namespace drydock::model
