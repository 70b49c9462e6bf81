// Merging, cutting, and the book of what is finished.
//
// A ticket is a shared pointer to the last key of its page. A page is finished once nobody holds
// its ticket, which a weak pointer tells. Pages finish in any order, but the place to resume from
// moves only over finished pages in a row.
//
// A cut costs a request if it hits a part without keys. So a range is cut only after some full
// pages, and again at once if the other half turned out to be empty: bisection then finds the keys
// within a few requests.
#include "mover/s3/range_walk.h"

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_page_keys = 1000;
constexpr std::size_t k_pages_open_max = 3;  // of a range; bounds the work that waits
constexpr int k_pages_before_cut = 3;        // small buckets are never cut

struct Page {
    std::string last_key;
    std::weak_ptr<const std::string> ticket;
};

}  // namespace

struct RangeWalk::Range {
    KeyRange keys;
    ListCursor source;
    std::optional<ListCursor> target;
    std::deque<Page> pages;  // with work that is not finished
    Ticket open_page;        // of the keys that are visited now
    std::size_t open_keys = 0;
    std::string visited;      // last key that was visited
    std::string finished;     // all keys up to it are finished
    int pages_at_cut = 0;     // of the source, at the last cut
    Range* parent = nullptr;  // that was cut for this one, until the first key is seen

    [[nodiscard]] bool is_fetching() const {
        return source.is_fetching() || (target && target->is_fetching());
    }

    [[nodiscard]] bool is_visited() const {
        return source.is_over() && (!target || target->is_over());
    }
};

RangeWalk::RangeWalk(Listing source,
                     std::optional<Listing> target,
                     std::size_t ranges_max,
                     Visit visit)
    : source_(std::move(source))
    , target_(std::move(target))
    , ranges_max_(ranges_max)
    , visit_(std::move(visit)) {
}

RangeWalk::~RangeWalk() = default;

std::unique_ptr<RangeWalk::Range> RangeWalk::make_range(KeyRange keys, Range* parent) const {
    auto range = std::make_unique<Range>(
        Range{keys, ListCursor(source_, keys), {}, {}, {}, 0, {}, {}, 0, parent});
    if (target_) {
        range->target.emplace(*target_, keys);
    }
    range->finished = keys.after;
    range->visited = keys.after;
    return range;
}

void RangeWalk::start(const std::vector<KeyRange>& ranges) {
    for (const KeyRange& keys : ranges) {
        ranges_.push_back(make_range(keys, nullptr));
    }
}

bool RangeWalk::is_done() const {
    return ranges_.empty();
}

// Ends the present page: its ticket lives on in the hands of the works.
void RangeWalk::close_page(Range& range) {
    if (range.open_page) {
        range.pages.push_back({range.visited, range.open_page});
        range.open_page.reset();
        range.open_keys = 0;
    }
}

void RangeWalk::visit_next(Range& range) {
    const KeyGroup* source = range.source.front();
    const KeyGroup* target = range.target ? range.target->front() : nullptr;
    const bool has_source = source != nullptr && (target == nullptr || source->key <= target->key);
    const bool has_target = target != nullptr && (source == nullptr || target->key <= source->key);
    if (!range.open_page) {
        range.open_page = std::make_shared<const std::string>(range.keys.after);
    }
    range.visited = has_source ? source->key : target->key;
    visit_(has_source ? source : nullptr, has_target ? target : nullptr, range.open_page);
    if (has_source) {
        range.source.pop();
    }
    if (has_target) {
        range.target->pop();
    }
    if (++range.open_keys >= k_page_keys) {
        close_page(range);
    }
}

// Visits keys while both sides know their next one.
void RangeWalk::merge(Range& range) {
    while (range.pages.size() < k_pages_open_max && !range.is_visited()
           && !range.source.needs_page() && !(range.target && range.target->needs_page())) {
        visit_next(range);
    }
    if (range.is_visited()) {
        close_page(range);
    }
}

void RangeWalk::fetch(Range& range) {
    if (range.pages.size() >= k_pages_open_max) {
        return;
    }
    if (range.source.needs_page()) {
        range.source.fetch();
    }
    if (range.target && range.target->needs_page()) {
        range.target->fetch();
    }
}

void RangeWalk::forget_finished_pages(Range& range) {
    while (!range.pages.empty() && range.pages.front().ticket.expired()) {
        range.finished = range.pages.front().last_key;
        range.pages.pop_front();
        ++checkpoints_;
    }
}

// Both sides end at the cut. The other half has cursors of its own.
void RangeWalk::cut(Range& range) {
    const bool is_long = range.source.pages() - range.pages_at_cut >= k_pages_before_cut
                         && !range.source.is_at_end();
    if (!is_long || ranges_.size() >= ranges_max_) {
        return;
    }
    const std::string last = range.target
                                 ? std::max(range.source.last_key(), range.target->last_key())
                                 : range.source.last_key();
    const auto key = cut_of(range.source.first_key(), last, range.keys.until);
    range.pages_at_cut = range.source.pages();
    if (!key) {
        return;
    }
    ranges_.push_back(make_range({*key, range.keys.until}, &range));
    range.keys.until = *key;
    range.source.end_at(*key);
    if (range.target) {
        range.target->end_at(*key);
    }
}

// A half without keys lets its parent be cut again at once.
void RangeWalk::drop_finished_ranges() {
    const auto is_finished = [](const std::unique_ptr<Range>& range) {
        return range->is_visited() && range->pages.empty() && !range->open_page
               && !range->is_fetching();
    };
    for (const auto& range : ranges_) {
        if (range->parent != nullptr && is_finished(range) && range->source.first_key().empty()) {
            range->parent->pages_at_cut = range->parent->source.pages() - k_pages_before_cut;
        }
    }
    const auto is_gone = [&](const Range* parent) {
        return std::any_of(ranges_.begin(), ranges_.end(), [&](const auto& range) {
            return range.get() == parent && is_finished(range);
        });
    };
    for (const auto& range : ranges_) {
        if (range->parent != nullptr && is_gone(range->parent)) {
            range->parent = nullptr;
        }
    }
    checkpoints_ += std::erase_if(ranges_, is_finished);
}

void RangeWalk::advance() {
    if (is_stopped_) {
        for (const auto& range : ranges_) {
            forget_finished_pages(*range);
        }
        return;
    }
    for (std::size_t i = 0; i < ranges_.size(); ++i) {
        Range& range = *ranges_[i];
        for (const auto& error :
             {range.source.error(), range.target ? range.target->error() : std::nullopt}) {
            error_ = error_ ? error_ : error;
        }
        merge(range);
        forget_finished_pages(range);
        if (!error_) {
            fetch(range);
            cut(range);
        }
    }
    if (error_) {
        // Ranges with a page under way stay until it has come: the callback needs them.
        std::erase_if(ranges_, [this](const auto& range) {
            close_page(*range);
            const bool is_still = !range->is_fetching() && range->pages.empty();
            if (is_still) {
                stopped_.push_back({range->finished, range->keys.until});
            }
            return is_still;
        });
        return;
    }
    drop_finished_ranges();
}

std::vector<KeyRange> RangeWalk::left() const {
    std::vector<KeyRange> result = stopped_;
    for (const auto& range : ranges_) {
        result.push_back({range->finished, range->keys.until});
    }
    std::sort(result.begin(), result.end(), [](const KeyRange& a, const KeyRange& b) {
        return a.after < b.after;
    });
    return result;
}

}  // namespace drydock::mover::s3
