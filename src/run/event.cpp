// Events as JSON, in the words of docs/formats/events.md.
//
// A key with its default value is left out, so that a record stays short. Decoding refuses an event
// that this program does not know: guessing the meaning of a journal could repeat an action.
#include "run/event.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace drydock::run {

namespace {

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
    static const auto k_type_values = as_json(k_event_types.all());
    static const auto k_outcome_values = as_json(k_outcomes.all());
    static const auto k_purpose_values = as_json(k_purposes.all());
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
    const auto type = k_event_types.parse(name_at("type"));
    const auto outcome = k_outcomes.parse(name_at("outcome"));
    const auto purpose = k_purposes.parse(name_at("purpose"));
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

}  // namespace drydock::run
