// ListCursor: the keys of one bucket in one range, page by page, in order.
//
// Each page begins one object before the end of the page in front of it, so that both must agree on
// that object. A server that skips a page, repeats one or mixes the order is found that way: the
// page is asked for again, and then the listing ends with an error. Memory is that of two pages.
// Not thread-safe.
#pragma once

#include "mover/s3/client.h"
#include "mover/s3/key_range.h"
#include "mover/s3/listed_page.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

// A bucket, or the keys of a bucket with a prefix.
struct Listing {
    Client* client = nullptr;  // borrowed
    std::string bucket;
    std::string prefix;         // keys are relative to it from here on
    bool has_versions = false;  // list every version
};

// A key with all its versions, newest first; exactly one in a listing of objects.
struct KeyGroup {
    std::string key;  // relative to the prefix
    std::vector<ListedObject> versions;
};

class ListCursor {
public:
    ListCursor(Listing listing, KeyRange range);

    // Asks for the next page, unless one is under way or there is none. Errors are in error().
    void fetch();

    // Returns the next key, if all of it is known; else null.
    [[nodiscard]] const KeyGroup* front() const;

    void pop() { groups_.pop_front(); }

    // True if there is nothing more, now and later.
    [[nodiscard]] bool is_over() const { return is_at_end_ && groups_.empty(); }

    // True if front() needs another page.
    [[nodiscard]] bool needs_page() const { return !is_at_end_ && front() == nullptr; }

    [[nodiscard]] bool is_fetching() const { return is_fetching_; }

    [[nodiscard]] bool is_at_end() const { return is_at_end_; }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

    [[nodiscard]] int pages() const { return pages_; }

    // The first and the last key seen so far; empty before the first page.
    [[nodiscard]] const std::string& first_key() const { return first_key_; }

    [[nodiscard]] const std::string& last_key() const { return last_key_; }

    // Ends the range earlier. CHECKs that no key behind `until` was seen.
    void end_at(const std::string& until);

private:
    struct Place {
        std::string key;  // with the prefix
        std::string version;

        bool operator==(const Place&) const = default;
    };

    [[nodiscard]] Call page_call(const Place& marker) const;
    void on_page(const Answer& answer);
    [[nodiscard]] Status check_order(const ListedPage& page) const;
    void take(ListedPage page);
    void ask_again(const Error& error);
    void look_for_expected(const Error& error);
    void end_with(Error error);

    Listing listing_;
    KeyRange range_;
    std::deque<KeyGroup> groups_;
    Place marker_;                   // the page begins behind it
    std::optional<Place> expected_;  // and with this object, which is known already
    int repeats_ = 0;                // of one page
    bool is_fetching_ = false;
    bool is_at_end_ = false;
    std::optional<Error> error_;
    int pages_ = 0;
    std::string first_key_;
    std::string last_key_;
};

}  // namespace drydock::mover::s3
