// Rows and their meaning: a row to and from the state of a run, and from a row to the facts of a
// survey.
//
// Encoding forgets on purpose. Attempt numbers are dropped. A skipped action counts as done unless
// its effect matters, and failures count only while another attempt is possible. Each of these
// merges states with the same future.
#include "checker/model.h"

#include <algorithm>
#include <array>

namespace drydock::checker {

namespace {

using run::State;
using run::Status;

constexpr int k_failures_max = 15;

bool awaits_answer(Status status) {
    return status == Status::intended || status == Status::lost;
}

// Decodes each possible cell once; unpack() then needs a table lookup for each action.
std::array<State::Cell, 256> unpacked() {
    std::array<State::Cell, 256> cells{};
    State state(1);
    for (Index i = 0; i < cells.size(); ++i) {
        const Byte cell = to_byte(i);
        const Status status = status_in(cell);
        state.set(0, status, cell >> 4, awaits_answer(status) ? 1 : 0);
        cells[i] = state.cells()[1];
    }
    return cells;
}

// Inserts or replaces a key. Keys come in order, so the search continues from the previous
// position.
model::FactBook::iterator put(model::FactBook& book,
                              model::FactBook::iterator position,
                              const std::string& key,
                              const model::Observation& value) {
    while (position != book.end() && position->first < key) {
        ++position;
    }
    if (position != book.end() && position->first == key) {
        position->second = value;
        return position;
    }
    return book.emplace_hint(position, key, value);
}

}  // namespace

void Model::unpack(const Byte* row, State& run) const {
    static const std::array<State::Cell, 256> k_unpacked = unpacked();
    const auto target = run.new_cells(cells.size());
    target[0] = row[0];
    std::transform(cells.begin(), cells.end(), target.begin() + 1, [&](Offset offset) {
        return k_unpacked[row[offset]];
    });
}

void Model::pack_action(const State& run, std::size_t action, Byte* row) const {
    Status status = run.status(action);
    int failures = std::min(run.failures(action), k_failures_max);
    if (status == Status::skipped && !actions[action].matters_if_skipped) {
        status = Status::done;
    }
    if (is_over(status) || has_failed(status)) {
        failures = 0;
    }
    row[cells[action]] = to_byte(to_byte(status) | failures << 4);
    const bool may_never_have_begun = status == Status::intended || status == Status::lost;
    if (actions[action].closes && run.begun(action) > 0 && !may_never_have_begun) {
        row[closed] = 1;
    }
}

void Model::pack(const State& run, Byte* row) const {
    row[0] = to_byte(run.phase());
    for (std::size_t i = 0; i < actions.size(); ++i) {
        pack_action(run, i, row);
    }
}

// The last event that is done decides. While one is in flight or has failed, nothing is expected.
bool Model::expected_up(const Byte* row, Index member) const {
    const Member& member_model = members[member];
    for (const Member::UpDownEvent& event : member_model.up_down_events) {
        const auto now = status(row, event.action);
        if (now == Status::done) {
            return event.up;
        }
        if (is_in_flight(now) || has_failed(now)) {
            return false;
        }
    }
    return member_model.up_at_first
           || member_model.up_down_events.empty();  // a member without events counts
}

bool Model::came_up(const Byte* row, std::string_view name) const {
    return std::any_of(members.begin(), members.end(), [&](const Member& member) {
        return !member.up_at_first && member.running != k_no_offset
               && row[member.running] != k_absent && member.name == name;
    });
}

// The survey has seen nothing of a member that was down. Since it runs in this row, its facts get a
// placeholder: a downgrade compiled from absent facts would be refused wrongly.
model::FactBook Model::facts(const Byte* row) const {
    model::FactBook book = plan.survey_facts;
    auto position = book.begin();
    for (const auto& [key, value] : plan.bound_facts) {
        position = put(book, position, key, value);
    }
    for (auto& [key, value] : book) {
        if (value.status == model::ObservationStatus::absent
            && came_up(row, std::string_view(key).substr(0, key.find('/')))) {
            value = {model::ObservationStatus::known, "told when it runs", "the model", 0};
        }
    }
    position = book.begin();
    for (const auto& [key, place] : offsets) {
        position = put(book, position, key, values.at(row[place]));
    }
    return book;
}

InitialState Model::start(const Byte* row) const {
    InitialState start;
    start.facts = facts(row);
    start.new_writes = row[new_writes] != 0;
    for (const auto& [key, place] : offsets) {
        start.modelled.push_back(key);
    }
    for (const Store& store : stores) {
        start.copies[store.name] = row[store.copy];
        for (std::size_t i = 0; i < store.offset.size(); ++i) {
            const auto& owners = members_of[store.role];
            const std::string name =
                store.is_shared ? store.name : store.name + "/" + members[owners[i]].name;
            start.formats[name] = row[store.offset[i]];
            if (!store.copied.empty()) {
                start.copied[name] = row[store.copied[i]];
            }
            if (!store.unclean.empty()) {
                start.unclean[name] = values.at(row[store.unclean[i]]);
            }
            if (!store.stale.empty()) {
                start.stale[name] = row[store.stale[i]];
            }
        }
    }
    return start;
}

}  // namespace drydock::checker
