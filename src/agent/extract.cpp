// Extracts the value of a probe from a text or a JSON document, and turns it into a fact.
//
// The probe's keys choose the way: pointer, pointers, equal, collect, regex, matches, metric or
// key; without any, the whole text is the value. A value that is not there is absent. A text that
// cannot be understood is unknown, so that a broken answer never looks like a missing value.
// docs/formats/agent-protocol.md has the facts.
#include "agent/action_key.h"
#include "agent/probe.h"
#include "base/text.h"
#include "model/fact.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <array>
#include <charconv>
#include <cmath>

namespace drydock::agent {
namespace {

constexpr std::size_t k_excerpt_bytes = 200;
constexpr std::int64_t k_regex_bytes_max = 4 << 20;  // memory of a compiled pattern

Json excerpt(std::string_view text) {
    Json evidence;
    evidence.set("read", to_utf8(text.substr(0, k_excerpt_bytes)));
    return evidence;
}

// Returns the value of NAME in a map that is written as a list of {"key": NAME, "value": ...}, as
// Hadoop's JMX writes maps.
const Json* entry_of(const Json& list, std::string_view name) {
    const auto& items = list.items();
    const auto entry = std::find_if(
        items.begin(), items.end(), [&](const Json& item) { return item["key"] == Json(name); });
    return entry == items.end() ? nullptr : entry->find("/value");
}

// Follows a JSON pointer in which a part may be [NAME]; see entry_of().
const Json* follow(const Json& document, std::string_view path) {
    const Json* node = &document;
    while (node != nullptr && !path.empty()) {
        const auto open = path.find("/[");
        node = node->find(path.substr(0, open));
        path = open == path.npos ? std::string_view() : path.substr(open + 2);
        if (const auto close = path.find(']'); open != path.npos && node != nullptr) {
            node = entry_of(*node, path.substr(0, close));
            path = close == path.npos ? std::string_view() : path.substr(close + 1);
        }
    }
    return node;
}

// Returns the value at the pointer, or the probe's `missing` if there is none.
const Json* at_pointer(const Json& probe, const Json& document, const Json& pointer) {
    const Json* match = follow(document, pointer.as_string());
    return match == nullptr && probe.contains("missing") ? &probe["missing"] : match;
}

ProbeResult extract_pointer(const Json& probe, const Json& document) {
    const Json* match = at_pointer(probe, document, probe["pointer"]);
    return match == nullptr ? absent("nothing at " + probe["pointer"].as_string()) : known(*match);
}

ProbeResult extract_pointers(const Json& probe, const Json& document) {
    Json list{Json::Array{}};
    for (const auto& pointer : probe["pointers"].items()) {
        const Json* match = at_pointer(probe, document, pointer);
        if (match == nullptr) {
            return absent("nothing at " + pointer.as_string());
        }
        list.push(*match);
    }
    return known(std::move(list));
}

ProbeResult extract_equal(const Json& probe, const Json& document) {
    const auto& pointers = probe["equal"].items();
    if (pointers.size() != 2) {
        return cannot_tell("`equal` needs two pointers");
    }
    const Json* first = at_pointer(probe, document, pointers[0]);
    const Json* second = at_pointer(probe, document, pointers[1]);
    return first == nullptr || second == nullptr ? absent("one of the two is missing")
                                                 : known(*first == *second);
}

// Sorts the values: a list of members has no order of its own, and facts are compared.
ProbeResult extract_collect(const Json& probe, const Json& document) {
    const auto& collect = probe["collect"];
    const Json* list = at_pointer(probe, document, collect["list"]);
    if (list == nullptr) {
        return absent("nothing at " + collect["list"].as_string());
    }
    if (!list->is_array()) {
        return cannot_tell(collect["list"].as_string() + " is no list");
    }
    Json::Array values;
    for (const auto& item : list->items()) {
        const Json* value = item.find(collect["each"].as_string());
        values.push_back(value == nullptr ? Json("") : *value);
    }
    std::sort(values.begin(), values.end());
    return known(Json(std::move(values)));
}

// Takes time in proportion to the text, whatever the pattern is (RE2). The value is the first
// group, or the whole match without one.
ProbeResult extract_regex(const std::string& pattern, const std::string& text) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(RE2::Options::EncodingLatin1);  // the text may be anything
    options.set_max_mem(k_regex_bytes_max);
    const RE2 regex(pattern, options);
    if (!regex.ok()) {
        return cannot_tell("the pattern is not usable: " + regex.error());
    }
    for (const auto& line : split(text, '\n')) {
        std::array<re2::StringPiece, 2> match;
        if (regex.Match(line, 0, line.size(), RE2::UNANCHORED, match.data(), match.size())) {
            const auto& capture = match.at(regex.NumberOfCapturingGroups() > 0 ? 1 : 0);
            return known(to_utf8({capture.data(), capture.size()}));
        }
    }
    return absent("no line matches " + pattern);
}

ProbeResult extract_matches(const std::string& pattern, const std::string& text) {
    ProbeResult finding = extract_regex(pattern, text);
    if (finding.status != model::ObservationStatus::unknown) {
        finding = known(finding.status == model::ObservationStatus::known);
    }
    return finding;
}

// Returns the value of "name 12" or "name{...} 12" of a Prometheus text.
ProbeResult extract_metric(const std::string& name, const std::string& text) {
    for (const auto& line : split(text, '\n')) {
        if (line.size() > name.size() && line.starts_with(name)
            && (line[name.size()] == ' ' || line[name.size()] == '{')) {
            const auto close = line[name.size()] == '{' ? line.rfind('}') : name.size() - 1;
            const auto words = split(trim(std::string_view(line).substr(close + 1)), ' ');
            return known(words.front(), excerpt(line));
        }
    }
    return absent("no metric " + name);
}

std::string unquoted(const std::string& value) {
    const bool quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'')
                        && value.front() == value.back();
    return quoted ? value.substr(1, value.size() - 2) : value;
}

// Reads "key=value" or "key: value" lines; the last line counts.
ProbeResult extract_key(const std::string& key, const std::string& text) {
    ProbeResult finding = absent("no key " + key);
    for (const auto& line : split(text, '\n')) {
        const auto separator = line.find_first_of("=:");
        if (separator != line.npos && trim(std::string_view(line).substr(0, separator)) == key) {
            const auto value = unquoted(trim(std::string_view(line).substr(separator + 1)));
            finding = known(to_utf8(value), excerpt(line));
        }
    }
    return finding;
}

using JsonExtractor = ProbeResult (*)(const Json& probe, const Json& document);

JsonExtractor json_extractor(const Json& probe) {
    return probe.contains("pointer")    ? extract_pointer
           : probe.contains("pointers") ? extract_pointers
           : probe.contains("equal")    ? extract_equal
           : probe.contains("collect")  ? extract_collect
                                        : nullptr;
}

// Reads a signed, then an unsigned integer, then a whole number in exponent form, as metrics have
// it. A double beyond 2^53 is refused, since it may not be exact.
std::optional<Json> to_integer(const std::string& text) {
    const char* end = text.data() + text.size();
    std::int64_t number = 0;
    if (const auto read = std::from_chars(text.data(), end, number);
        read.ec == std::errc() && read.ptr == end) {
        return Json(number);
    }
    std::uint64_t large = 0;
    if (const auto read = std::from_chars(text.data(), end, large);
        read.ec == std::errc() && read.ptr == end) {
        return Json(large);
    }
    double real = 0;                                    // metrics: 2.147483648e+09
    constexpr double k_exact_max = 9007199254740992.0;  // beyond it doubles skip integers
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ec == std::errc() && read.ptr == end && std::trunc(real) == real
        && std::fabs(real) <= k_exact_max) {
        return Json(static_cast<std::int64_t>(real));
    }
    return std::nullopt;
}

std::optional<Json> to_bool(const Json& value) {
    const std::string text = value.show();
    if (text == "true" || text == "1") {
        return Json(true);
    }
    return text == "false" || text == "0" ? std::optional(Json(false)) : std::nullopt;
}

// Returns the value as that type; nothing if it has no such form. An unknown type leaves it as it
// is.
std::optional<Json> to_type(const Json& value, std::string_view type) {
    if (type == "integer") {
        return value.is_integer() ? std::optional(value) : to_integer(value.show());
    }
    if (type == "bool") {
        return value.is_bool() ? std::optional(value) : to_bool(value);
    }
    if (type == "list") {
        return value.is_array() ? std::optional(value) : std::nullopt;
    }
    if (type == "text" || type == "release") {
        if (value.is_string()) {
            return value;
        }
        return value.is_null() ? std::nullopt : std::optional(Json(value.show()));
    }
    return value;
}

}  // namespace

ProbeResult known(Json value, Json evidence) {
    return {model::ObservationStatus::known, std::move(value), std::move(evidence)};
}

ProbeResult absent(std::string_view note, Json evidence) {
    evidence.set("note", to_utf8(note));
    return {model::ObservationStatus::absent, {}, std::move(evidence)};
}

ProbeResult cannot_tell(std::string_view problem, Json evidence) {
    evidence.set("problem", to_utf8(problem));
    return {model::ObservationStatus::unknown, {}, std::move(evidence)};
}

ProbeResult extract(const Json& probe, const std::string& text) {
    ProbeResult finding;
    if (const auto picker = json_extractor(probe)) {
        const auto document = Json::parse(text);
        finding = document ? picker(probe, *document)
                           : cannot_tell("this is no JSON: " + document.error().message);
    } else if (probe.contains("regex")) {
        finding = extract_regex(probe["regex"].as_string(), text);
    } else if (probe.contains("matches")) {
        finding = extract_matches(probe["matches"].as_string(), text);
    } else if (probe.contains("metric")) {
        finding = extract_metric(probe["metric"].as_string(), text);
    } else if (probe.contains("key")) {
        finding = extract_key(probe["key"].as_string(), text);
    } else {
        finding = known(to_utf8(trim(text)));
    }
    if (!finding.evidence.contains("read")) {
        finding.evidence.set("read", excerpt(text)["read"]);
    }
    return finding;
}

std::optional<ProbeResult> extract_from_json(const Json& probe, const Json& document) {
    const auto picker = json_extractor(probe);
    return picker != nullptr ? std::optional(picker(probe, document)) : std::nullopt;
}

ProbeResult convert(ProbeResult finding, std::string_view type) {
    if (finding.status != model::ObservationStatus::known) {
        return finding;
    }
    auto value = to_type(finding.value, type);
    if (!value) {
        return cannot_tell(fmt::format("`{}` is no {}", finding.value.show(), type),
                           std::move(finding.evidence));
    }
    finding.value = std::move(*value);
    return finding;
}

Json to_fact(const Json& probe, ProbeResult finding, ReadTime read_time) {
    finding = convert(std::move(finding), probe["type"].as_string());
    if (model::weight_of(finding.value) > model::k_fact_bytes_max) {
        finding = cannot_tell("its value is over 64 KiB", std::move(finding.evidence));
    }
    Json::Object fact;
    fact.reserve(6);
    fact.append("after_ms", read_time.after_ms);
    fact.append("at_ms", read_time.wall_ms);
    fact.append("evidence", std::move(finding.evidence));
    fact.append("id", probe["id"]);
    fact.append("status", std::string(name_of(finding.status)));
    fact.append("value", std::move(finding.value));
    return fact;
}

}  // namespace drydock::agent
