// Derived facts, rounds of reading, and facts as JSON.
//
// A derived fact must not pretend to know. If one input is unknown, so is the result, unless the
// pack says that unknown members are skipped. `lowest` over members where one did not answer would
// otherwise be too high, and a gate would open too early. A derived fact is as old as its oldest
// input.
#include "model/fact.h"

#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace drydock::model {

namespace {

const Observation k_never_read = {ObservationStatus::unknown, {}, "was not read", 0};

const Observation& look_up(const FactBook& book, const std::string& key) {
    const auto entry = book.find(key);
    return entry == book.end() ? k_never_read : entry->second;
}

// Orders two values. A release is compared as a version, every other type as a number.
int compare(const Json& a, const Json& b, FactType type) {
    if (type == FactType::release) {
        return compare_versions(a.as_string(), b.as_string());
    }
    return a.as_int() < b.as_int() ? -1 : (b.as_int() < a.as_int() ? 1 : 0);
}

// The result over members of which none has a known value.
Observation nobody_could_tell() {
    return {ObservationStatus::unknown, {}, "no member could tell", 0};
}

// Returns the first input that makes the derived fact unknown; null if none does.
const std::string* decisive_unknown(const FactSource& source, const FactBook& book) {
    const auto key =
        std::find_if(source.inputs.begin(), source.inputs.end(), [&](const std::string& input) {
            return look_up(book, input).status == ObservationStatus::unknown;
        });
    return source.skips_unknown || key == source.inputs.end() ? nullptr : &*key;
}

// Names the unknown input in the evidence: a person has to see which member keeps the value back.
Observation unknown_input(const FactSource& source, const FactBook& book, const std::string& key) {
    return {ObservationStatus::unknown,
            {},
            fmt::format("{} of all members, and {} is {}",
                        name_of(source.derive),
                        key,
                        to_text(look_up(book, key))),
            0};
}

// Returns the smallest or largest known input, by the sign.
Observation extreme(const FactSource& source, const FactBook& book, int sign) {
    const Observation* best = nullptr;
    const std::string* best_key = nullptr;
    for (const std::string& key : source.inputs) {
        const Observation& observation = look_up(book, key);
        const bool is_better =
            best == nullptr || sign * compare(observation.value, best->value, source.type) > 0;
        if (observation.status == ObservationStatus::known && is_better) {
            best = &observation;
            best_key = &key;
        }
    }
    if (best == nullptr) {
        return nobody_could_tell();
    }
    if (const std::string* key = decisive_unknown(source, book)) {
        return unknown_input(source, book, *key);
    }
    return {ObservationStatus::known,
            best->value,
            fmt::format("{} of {}: {}", name_of(source.derive), *best_key, best->evidence),
            best->at_ms};
}

// Returns the value on which all known inputs agree.
Observation agreed(const FactSource& source, const FactBook& book) {
    Observation common = nobody_could_tell();
    for (const std::string& key : source.inputs) {
        const Observation& observation = look_up(book, key);
        if (observation.status != ObservationStatus::known) {
            continue;
        }
        if (common.status == ObservationStatus::known && !(common.value == observation.value)) {
            return {ObservationStatus::unknown,
                    {},
                    fmt::format("members differ: {} says {}, others {}",
                                key,
                                observation.value.show(),
                                common.value.show()),
                    observation.at_ms};
        }
        common = observation;
    }
    const std::string* key = decisive_unknown(source, book);
    return common.status == ObservationStatus::known && key != nullptr
               ? unknown_input(source, book, *key)
               : common;
}

// Computes `percent` or `minus` of two facts. A share of nothing is unknown, not infinite.
Observation arithmetic(const FactSource& source, const FactBook& book) {
    if (source.inputs.size() != 2) {
        return {ObservationStatus::unknown,
                {},
                fmt::format("{} needs two facts", name_of(source.derive)),
                0};
    }
    const Observation& a = look_up(book, source.inputs.at(0));
    const Observation& b = look_up(book, source.inputs.at(1));
    const bool is_percent = source.derive == Derivation::percent;
    if (a.status == ObservationStatus::absent || b.status == ObservationStatus::absent) {
        return {ObservationStatus::absent,
                {},
                fmt::format("{} of something that is not there", name_of(source.derive)),
                0};
    }
    if (a.status != ObservationStatus::known || b.status != ObservationStatus::known
        || (is_percent && b.value.as_int() <= 0)) {
        return {ObservationStatus::unknown,
                {},
                fmt::format("{} of {} and {}, of which one is not known",
                            name_of(source.derive),
                            source.inputs[0],
                            source.inputs[1]),
                0};
    }
    const std::int64_t value =
        is_percent ? static_cast<std::int64_t>(a.value.as_double() * 100.0 / b.value.as_double())
                   : a.value.as_int() - b.value.as_int();
    return {ObservationStatus::known,
            Json(value),
            fmt::format("{} of {} and {}", name_of(source.derive), a.value.show(), b.value.show()),
            a.at_ms};
}

}  // namespace

bool is_arithmetic(Derivation derivation) {
    return derivation == Derivation::percent || derivation == Derivation::minus;
}

// Joins member and fact. A system fact has no member, and its key is the bare name.
std::string fact_key(std::string_view member, std::string_view fact) {
    std::string key;
    key.reserve(member.size() + fact.size() + 1);
    if (!member.empty()) {
        key.append(member).append(1, '/');
    }
    return key.append(fact);
}

namespace {

// derive() adds the age.
Observation computed(const FactSource& source, const FactBook& book) {
    if (source.derive == Derivation::lowest || source.derive == Derivation::highest) {
        return extreme(source, book, source.derive == Derivation::lowest ? -1 : 1);
    }
    return source.derive == Derivation::agreed ? agreed(source, book) : arithmetic(source, book);
}

}  // namespace

bool asks_the_process(const FactSource& source) {
    const std::string& kind = source.probe["kind"].as_string();
    return kind == "http" || kind == "process" || kind == "exe";
}

// Facts of a rehearsal describe a copy, so the modelled cluster never moves them.
bool is_modelled(const FactSource& source) {
    return source.standard_fact != StandardFact::none
           && source.standard_fact != StandardFact::rehearsed_forward
           && source.standard_fact != StandardFact::rehearsed_back
           && source.standard_fact != StandardFact::rehearsed_ms;
}

// Computes the fact; it grows old with the first of its inputs that does.
Observation derive(const FactSource& source, const FactBook& book) {
    Observation observation = computed(source, book);
    for (const std::string& key : source.inputs) {
        observation.fresh_until_ms =
            std::min(observation.fresh_until_ms, look_up(book, key).fresh_until_ms);
    }
    return observation;
}

namespace {

// Returns the depth of a fact in the graph of inputs: 0 if it needs none. The pack reader refuses
// circles. A depth of 0 is entered first, so that even a circle would end.
std::size_t place(const FactSources& sources,
                  const std::string& key,
                  std::map<std::string, std::size_t>& depths) {
    if (const auto entry = depths.find(key); entry != depths.end()) {
        return entry->second;
    }
    depths[key] = 0;
    std::size_t depth = 0;
    if (const auto source = sources.find(key); source != sources.end()) {
        for (const std::string& input : source->second.inputs) {
            depth = std::max(depth, place(sources, input, depths) + 1);
        }
    }
    return depths[key] = depth;
}

}  // namespace

// Facts without inputs need only one round; that is the usual case and allocates nothing else.
std::vector<std::vector<std::string>> reading_rounds(const FactSources& sources,
                                                     const std::vector<std::string>& keys) {
    const bool is_plain = std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
        const auto source = sources.find(key);
        return source == sources.end() || source->second.inputs.empty();
    });
    if (is_plain && std::is_sorted(keys.begin(), keys.end())) {
        return {keys};
    }
    std::map<std::string, std::size_t> depths;
    for (const std::string& key : keys) {
        place(sources, key, depths);
    }
    std::vector<std::vector<std::string>> rounds;
    for (const auto& [key, depth] : depths) {
        rounds.resize(std::max(rounds.size(), depth + 1));
        rounds[depth].push_back(key);
    }
    return rounds;
}

// Words an observation for a sentence.
std::string to_text(const Observation& observation) {
    if (observation.status == ObservationStatus::unknown) {
        return fmt::format("not known ({})", observation.evidence);
    }
    return observation.status == ObservationStatus::absent ? "nothing" : observation.value.show();
}

// The keys are appended in alphabetical order, as the canonical form wants them.
Json to_json(const Observation& observation) {
    static const std::array<Json, 3> k_values = {k_observation_statuses.all()[0],
                                                 k_observation_statuses.all()[1],
                                                 k_observation_statuses.all()[2]};
    Json::Object json;
    json.reserve(4);
    json.append("at_ms", observation.at_ms);
    json.append("evidence", observation.evidence);
    json.append("status", k_values.at(static_cast<std::size_t>(observation.status)));
    json.append("value", observation.value);
    return json;
}

namespace {

// Words an agent's evidence, which is {"source", and "read", "note" or "problem"}. The evidence of
// a plan or a journal is a sentence already.
std::string evidence_from(const Json& evidence) {
    if (!evidence.is_object()) {
        return evidence.as_string();
    }
    std::string text = evidence["source"].show();
    for (const std::string_view part : {"problem", "note", "read"}) {
        if (const auto entry = evidence.members().find(part); entry != evidence.members().end()) {
            text += ": ";
            text += entry->second.is_string() ? entry->second.as_string() : entry->second.show();
            break;
        }
    }
    return text;
}

// An unknown name counts as unknown: a newer agent may have more statuses.
ObservationStatus known_from(std::string_view name) {
    return k_observation_statuses.parse(name).value_or(ObservationStatus::unknown);
}

}  // namespace

// Reads an observation from an agent, a plan or a journal. Unknown keys are passed over, since a
// newer agent may send more.
Observation observation_from_json(const Json& json) {
    Observation observation;
    for (const auto& [key, value] : json.members()) {
        const std::string_view name = key;
        if (name == "at_ms") {
            observation.at_ms = value.as_int();
        } else if (name == "evidence") {
            observation.evidence = evidence_from(value);
        } else if (name == "status") {
            observation.status = known_from(value.as_string());
        } else if (name == "value") {
            observation.value = value;
        }
    }
    return observation;
}

// Stops adding once the limit is passed: a hostile value may be very large.
std::size_t weight_of(const Json& value) {
    std::size_t weight = 1 + value.as_string().size();
    for (const Json& item : value.items()) {
        weight += weight > k_fact_bytes_max ? 0 : weight_of(item);
    }
    for (const auto& [key, item] : value.members()) {
        weight += weight > k_fact_bytes_max ? 0 : key.size() + weight_of(item);
    }
    return weight;
}

// Refuses values of another type: conditions compare a value by its declared type.
bool is_of_type(const Json& value, FactType type) {
    if (weight_of(value) > k_fact_bytes_max) {
        return false;
    }
    switch (type) {
    case FactType::boolean:
        return value.is_bool();
    case FactType::integer:
        return value.is_integer();
    case FactType::list:
        return value.is_array();
    case FactType::release:
    case FactType::text:
        return value.is_string();
    }
    return false;
}

}  // namespace drydock::model
