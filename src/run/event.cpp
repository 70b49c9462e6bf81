// Events as JSON, in the words of docs/formats/journal.md.
//
// The tables of names follow the order of the enums. A key with its default value is left out, so
// that a record stays short. Decoding refuses an event that this program does not know: guessing
// the meaning of a journal could repeat an action.
#include "run/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace drydock::run {

namespace {

constexpr std::array<std::string_view, 18> k_types = {"run.created",
                                                      "conductor.started",
                                                      "action.intended",
                                                      "action.ended",
                                                      "action.attached",
                                                      "facts.read",
                                                      "drift.found",
                                                      "soak.started",
                                                      "gate.opened",
                                                      "gate.approved",
                                                      "run.paused",
                                                      "run.resumed",
                                                      "run.halted",
                                                      "run.finished",
                                                      "run.returned",
                                                      "run.aborted",
                                                      "run.noted",
                                                      "action.progress"};
constexpr std::array<std::string_view, 10> k_outcomes = {
    "none", "done", "failed", "unknown", "running", "torn", "yes", "no", "cannot_tell", "skip"};
constexpr std::array<std::string_view, 4> k_purposes = {"none", "guard", "then", "happened"};

// Returns the enum value whose name stands at the same position.
template <class Enum, std::size_t N>
std::optional<Enum> from_name(const std::array<std::string_view, N>& names, std::string_view name) {
    const auto position = std::find(names.begin(), names.end(), name);
    return position == names.end() ? std::nullopt
                                   : std::optional(static_cast<Enum>(position - names.begin()));
}

// JSON values of the names are made once: a run encodes thousands of events.
template <std::size_t N>
std::array<Json, N> as_json(const std::array<std::string_view, N>& names) {
    std::array<Json, N> values;
    std::copy(names.begin(), names.end(), values.begin());
    return values;
}

}  // namespace

bool is_of_action(EventType type) {
    switch (type) {
    case EventType::action_intended:
    case EventType::action_ended:
    case EventType::action_attached:
    case EventType::facts_read:
    case EventType::soak_started:
    case EventType::gate_opened:
    case EventType::gate_approved:
    case EventType::action_progress:
        return true;
    case EventType::run_created:
    case EventType::conductor_started:
    case EventType::drift_found:
    case EventType::run_paused:
    case EventType::run_resumed:
    case EventType::run_halted:
    case EventType::run_finished:
    case EventType::run_returned:
    case EventType::run_aborted:
    case EventType::run_noted:
        break;
    }
    return false;
}

EventCodec::EventCodec(const model::Plan& plan) : plan_(plan), by_id_(plan.actions.size()) {
    std::iota(by_id_.begin(), by_id_.end(), 0);
    std::sort(by_id_.begin(), by_id_.end(), [&](std::size_t a, std::size_t b) {
        return plan.actions[a].id < plan.actions[b].id;
    });
}

// The keys are appended in alphabetical order, as the canonical form wants them.
Json EventCodec::encode(const Event& event) const {
    static const auto k_type_values = as_json(k_types);
    static const auto k_outcome_values = as_json(k_outcomes);
    static const auto k_purpose_values = as_json(k_purposes);
    Json::Object json;
    json.reserve(6);
    if (is_of_action(event.type)) {
        json.append("action", plan_.actions.at(event.action).id);
    }
    if (event.attempt != 0) {
        json.append("attempt", event.attempt);
    }
    if (!event.detail.is_null()) {
        json.append("detail", event.detail);
    }
    if (event.outcome != Outcome::none) {
        json.append("outcome", k_outcome_values.at(static_cast<std::size_t>(event.outcome)));
    }
    if (event.purpose != Purpose::none) {
        json.append("purpose", k_purpose_values.at(static_cast<std::size_t>(event.purpose)));
    }
    json.append("type", k_type_values.at(static_cast<std::size_t>(event.type)));
    return json;
}

// Actions are found by id in a sorted index, since a large plan has thousands of them.
Result<Event> EventCodec::decode(const Json& json) const {
    const auto name_at = [&](std::string_view key) {
        const auto entry = json.members().find(key);
        return entry == json.members().end() ? std::string_view("none")
                                             : std::string_view(entry->second.as_string());
    };
    const auto type = from_name<EventType>(k_types, name_at("type"));
    const auto outcome = from_name<Outcome>(k_outcomes, name_at("outcome"));
    const auto purpose = from_name<Purpose>(k_purposes, name_at("purpose"));
    if (!type || !outcome || !purpose) {
        return fail("journal.event",
                    fmt::format("the journal holds an event that this drydock does not know: {}",
                                json.dump()));
    }
    Event event = {{*type, 0, static_cast<int>(json["attempt"].as_int()), *outcome, *purpose},
                   json["detail"]};
    if (is_of_action(*type)) {
        const std::string& id = json["action"].as_string();
        const auto position =
            std::lower_bound(by_id_.begin(),
                             by_id_.end(),
                             id,
                             [&](std::size_t action, const std::string& wanted_id) {
                                 return plan_.actions[action].id < wanted_id;
                             });
        if (position == by_id_.end() || plan_.actions[*position].id != id) {
            return fail("journal.event",
                        fmt::format("the journal speaks of action {}, which the plan does not have",
                                    json["action"].show()));
        }
        event.action = *position;
    }
    return event;
}

std::string_view name_of(EventType type) {
    return k_types.at(static_cast<std::size_t>(type));
}

std::string_view name_of(Outcome outcome) {
    return k_outcomes.at(static_cast<std::size_t>(outcome));
}

std::string_view name_of(Purpose purpose) {
    return k_purposes.at(static_cast<std::size_t>(purpose));
}

}  // namespace drydock::run
