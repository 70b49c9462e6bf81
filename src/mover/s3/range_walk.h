// RangeWalk: two listings joined key by key, in ranges that are cut while they are walked.
//
// Each range is a merge of two cursors, so memory does not grow with the number of keys. A range
// that is long is cut in half, and both halves go on at the same time. Keys come in order within a
// range only. The visitor gets a ticket with each key; work that goes on after the visit holds it.
// The ranges that are left, behind all keys without a ticket, are the place to resume from. Not
// thread-safe.
#pragma once

#include "mover/s3/list_cursor.h"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

// Held while there is work for a key. shared_ptr: the last of the works of a page ends it.
using Ticket = std::shared_ptr<const std::string>;

class RangeWalk {
public:
    // `source` or `target` is null where that side has no such key. The groups live for the call.
    using Visit =
        std::function<void(const KeyGroup* source, const KeyGroup* target, const Ticket& ticket)>;

    // Without `target` every key has a source only. `ranges_max` of 1 keeps the order of the keys.
    RangeWalk(Listing source, std::optional<Listing> target, std::size_t ranges_max, Visit visit);

    RangeWalk(const RangeWalk&) = delete;
    RangeWalk& operator=(const RangeWalk&) = delete;
    ~RangeWalk();

    // Begins with these ranges; one that is open at both ends is the whole bucket.
    void start(const std::vector<KeyRange>& ranges);

    // Visits what is known and asks for pages. Called between turns of the clients.
    void advance();

    // From now on advance() visits nothing and asks for nothing; it only notes what is finished.
    void stop() { is_stopped_ = true; }

    // True if all keys were visited and all tickets returned, or after an error.
    [[nodiscard]] bool is_done() const;

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    // Returns what a later walk has to do. Everything else is finished, with its tickets.
    [[nodiscard]] std::vector<KeyRange> left() const;

    // Grows by one when left() changes.
    [[nodiscard]] std::size_t checkpoints() const { return checkpoints_; }

private:
    struct Range;

    void merge(Range& range);
    void visit_next(Range& range);
    static void close_page(Range& range);
    static void fetch(Range& range);
    void forget_finished_pages(Range& range);
    void cut(Range& range);
    void drop_finished_ranges();
    [[nodiscard]] std::unique_ptr<Range> make_range(KeyRange keys, Range* parent) const;

    Listing source_;
    std::optional<Listing> target_;
    std::size_t ranges_max_;
    Visit visit_;
    std::vector<std::unique_ptr<Range>> ranges_;
    std::vector<KeyRange> stopped_;  // by an error
    std::optional<Error> error_;
    std::size_t checkpoints_ = 0;
    bool is_stopped_ = false;
};

}  // namespace drydock::mover::s3
