// Successors: the rows that one step leads to, each with its transition and the properties that the
// step violates.
#pragma once

#include "checker/cluster_effects.h"
#include "checker/model.h"
#include "run/trace_step.h"

#include <utility>
#include <vector>

namespace drydock::checker {

// A replay reads the same kinds; the sentences in transition_text.cpp have the same order.
using TransitionKind = run::TraceStepKind;

// A transition: its kind, and the index of its action, member, host or law.
struct Transition {
    TransitionKind kind = TransitionKind::begun;
    Index index = 0;
};

// The successors of some states. Their rows lie one after the other.
class Successors {
public:
    // `keeps_events`: events() returns the events of the run that lead to each successor.
    explicit Successors(std::size_t row_size, bool keeps_events = false)
        : row_size_(row_size)
        , keeps_events_(keeps_events) {}

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    [[nodiscard]] Byte* row(std::size_t i) { return &rows_[i * row_size_]; }

    [[nodiscard]] const Byte* row(std::size_t i) const { return &rows_[i * row_size_]; }

    [[nodiscard]] Transition transition(std::size_t i) const { return entries_[i].transition; }

    [[nodiscard]] PropertySet violated(std::size_t i) const { return entries_[i].violated; }

    [[nodiscard]] std::vector<run::CompactEvent> events(std::size_t i) const;

    // False for a transition that is judged only: its row is not part of the search.
    [[nodiscard]] bool is_followed(std::size_t i) const { return entries_[i].is_followed; }

    void clear() {
        entries_.clear();
        events_.clear();
    }

    // Adds a successor that starts as a copy of `source`. Its row moves when the next one is added.
    Byte* add(const Byte* source, Transition choice);

    // Notes properties that the last successor violates; and an event that leads to it.
    void add_broken(PropertySet broken) { entries_.back().violated |= broken; }

    void leave_out_last() { entries_.back().is_followed = false; }

    void add_event(const run::CompactEvent& event) {
        if (keeps_events_) {
            events_.emplace_back(entries_.size() - 1, event);
        }
    }

private:
    struct Entry {
        Transition transition;
        PropertySet violated = 0;
        bool is_followed = true;
    };

    std::size_t row_size_;
    bool keeps_events_;
    std::vector<Byte> rows_;
    std::vector<Entry> entries_;
    std::vector<std::pair<std::size_t, run::CompactEvent>> events_;  // by successor
};

}  // namespace drydock::checker
