// Pages of a listing, with an overlap of one object.
//
// Let a page end with ..., x, y. The next one is asked for behind x and must begin with y. If it
// does not, y was deleted in the meantime, or the server lost its place. The page is asked for
// again; then y itself is asked for. If y is gone, the listing goes on behind y. If y is there, the
// listing of this server cannot be trusted, and the error says so.
#include "mover/s3/list_cursor.h"

#include "base/check.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr int k_repeats_max = 3;
constexpr std::size_t k_versions_max = 100'000;  // of one key, all in memory: 20 MB

}  // namespace

ListCursor::ListCursor(Listing listing, KeyRange range)
    : listing_(std::move(listing))
    , range_(std::move(range)) {
    marker_.key = range_.after.empty() ? "" : listing_.prefix + range_.after;
}

Call ListCursor::page_call(const Place& marker) const {
    Call call;
    call.bucket = listing_.bucket;
    call.has_xml_answer = true;
    call.query = {{"encoding-type", "url"}, {"max-keys", "1000"}};
    if (!listing_.prefix.empty()) {
        call.query.emplace_back("prefix", listing_.prefix);
    }
    if (!listing_.has_versions) {
        call.query.emplace_back("list-type", "2");
        if (!marker.key.empty()) {
            call.query.emplace_back("start-after", marker.key);
        }
        return call;
    }
    call.query.emplace_back("versions", "");
    if (!marker.key.empty()) {
        call.query.emplace_back("key-marker", marker.key);
    }
    if (!marker.version.empty()) {
        call.query.emplace_back("version-id-marker", marker.version);
    }
    return call;
}

void ListCursor::fetch() {
    if (is_fetching_ || is_at_end_ || error_) {
        return;
    }
    is_fetching_ = true;
    listing_.client->call(page_call(marker_), [this](const Answer& answer) { on_page(answer); });
}

void ListCursor::end_with(Error error) {
    is_fetching_ = false;
    is_at_end_ = true;
    error_ = std::move(error);
}

void ListCursor::ask_again(const Error& error) {
    if (++repeats_ > k_repeats_max) {
        look_for_expected(error);
        return;
    }
    listing_.client->call(page_call(marker_), [this](const Answer& answer) { on_page(answer); });
}

// Asks for the object that the page should have begun with. A delete marker is no object, so it is
// not asked for: a version listing that loses one cannot be trusted.
void ListCursor::look_for_expected(const Error& error) {
    if (!expected_ || listing_.has_versions) {
        end_with(error);
        return;
    }
    Call head = {.method = "HEAD", .bucket = listing_.bucket, .key = expected_->key};
    listing_.client->call(std::move(head), [this, error](const Answer& answer) {
        if (answer.kind != AnswerKind::missing) {
            end_with(error);
            return;
        }
        marker_ = *expected_;
        expected_.reset();
        repeats_ = 0;
        ask_again(error);
    });
}

void ListCursor::on_page(const Answer& answer) {
    if (!answer.is_done()) {
        end_with(answer.error.with_context("listing s3://" + listing_.bucket));
        return;
    }
    auto page = read_listed_page(answer.wire.body);
    if (!page) {
        end_with(page.error().with_context("listing s3://" + listing_.bucket));
        return;
    }
    if (const Status order = check_order(*page); !order) {
        ask_again(order.error());
        return;
    }
    is_fetching_ = false;
    repeats_ = 0;
    ++pages_;
    take(std::move(*page));
}

// Keys must rise within a page and lie behind the marker; versions of one key stand together.
Status ListCursor::check_order(const ListedPage& page) const {
    const auto refuse = [&](std::string_view reason, const std::string& key) {
        return fail("s3.list_order",
                    fmt::format("the server's list of s3://{} is wrong at {}: {}",
                                listing_.bucket,
                                clip(key, 200),
                                reason),
                    "repeat it; a server that loses keys in its lists cannot be cloned from",
                    ErrorClass::transient);
    };
    if (page.objects.empty()) {
        return page.has_more || expected_ ? refuse("a page is empty", marker_.key) : Status();
    }
    std::string_view before = marker_.key;
    for (const ListedObject& object : page.objects) {
        const bool is_same_key = listing_.has_versions && object.key == before;
        if (object.key <= before && !is_same_key) {
            return refuse("a key comes twice or in the wrong place", object.key);
        }
        if (!object.key.starts_with(listing_.prefix)) {
            return refuse("a key has another prefix", object.key);
        }
        before = object.key;
    }
    const ListedObject& first = page.objects.front();
    if (expected_ && Place{first.key, first.version} != *expected_) {
        return refuse("two pages do not meet", expected_->key);
    }
    return {};
}

void ListCursor::take(ListedPage page) {
    std::vector<ListedObject>& objects = page.objects;
    const std::size_t known = expected_ ? 1 : 0;
    if (objects.size() >= 2) {
        const ListedObject& anchor = objects[objects.size() - 2];
        marker_ = {anchor.key, anchor.version};
        expected_ = Place{objects.back().key, objects.back().version};
    } else if (!objects.empty()) {
        // A page of one object: there is no second one to begin behind.
        marker_ = {objects.back().key, objects.back().version};
        expected_.reset();
    }
    is_at_end_ = !page.has_more;
    for (std::size_t i = known; i < objects.size(); ++i) {
        std::string key = objects[i].key.substr(listing_.prefix.size());
        if (range_.until && key > *range_.until) {
            is_at_end_ = true;
            return;
        }
        if (key.empty()) {
            continue;  // the prefix itself: a folder's marker, which has no name in the clone
        }
        if (first_key_.empty()) {
            first_key_ = key;
        }
        last_key_ = key;
        if (groups_.empty() || groups_.back().key != key) {
            groups_.push_back({std::move(key), {}});
        }
        groups_.back().versions.push_back(std::move(objects[i]));
        if (groups_.back().versions.size() > k_versions_max) {
            end_with({"s3.versions",
                      fmt::format("{} has more than {} versions", last_key_, k_versions_max),
                      "clone without --versions",
                      ErrorClass::permanent});
            return;
        }
    }
}

// The last key of a listing of versions may have more of them on the next page.
const KeyGroup* ListCursor::front() const {
    const bool is_whole =
        !groups_.empty() && (!listing_.has_versions || is_at_end_ || groups_.size() > 1);
    return is_whole ? &groups_.front() : nullptr;
}

void ListCursor::end_at(const std::string& until) {
    CHECK(last_key_ <= until);
    range_.until = until;
}

}  // namespace drydock::mover::s3
