// Verification by listing, and by content where ETags do not decide.
//
// Equal ETags and sizes decide: both are digests of the bytes, of all or of equal parts. An ETag
// that differs decides nothing, because the parts may have been cut in another way, or the server
// may have encrypted one of them. Both objects are then read.
#include "mover/s3/compare.h"

#include "mover/s3/content_digest.h"
#include "mover/s3/range_walk.h"

#include <memory>

namespace drydock::mover::s3 {
namespace {

class Comparison {
public:
    Comparison(const CompareRequest& request, Listing source, Listing target, CompareReport& report)
        : request_(request)
        , source_(std::move(source))
        , target_(std::move(target))
        , report_(report) {}

    void visit(const KeyGroup* source, const KeyGroup* target, const Ticket& ticket) {
        if (!report_.count_pair(source, target)) {
            return;
        }
        if (source->versions.size() != target->versions.size()) {
            report_.differ.add(source->key);
        } else {
            compare(*source, *target, ticket);
        }
    }

    [[nodiscard]] std::int64_t done() const { return report_.objects - reading_; }

private:
    // The digests of one object on both sides, as they come.
    struct Pending {
        std::string key;
        Ticket ticket;
        std::size_t left = 0;  // digests that are still to come
        std::vector<std::string> source;
        std::vector<std::string> target;
        std::optional<Error> error;
    };

    static bool has_equal_etags(const ListedObject& a, const ListedObject& b) {
        return a.is_marker ? b.is_marker : !b.is_marker && a.etag == b.etag && a.bytes == b.bytes;
    }

    void compare(const KeyGroup& source, const KeyGroup& target, const Ticket& ticket) {
        auto pending = std::make_shared<Pending>();
        std::vector<std::size_t> to_read;
        for (std::size_t i = 0; i < source.versions.size(); ++i) {
            const ListedObject& from = source.versions[i];
            const ListedObject& to = target.versions[i];
            if (from.is_marker != to.is_marker || from.bytes != to.bytes) {
                report_.differ.add(source.key);
                return;
            }
            if (!from.is_marker && (request_.reads_all || !has_equal_etags(from, to))) {
                to_read.push_back(i);
            }
        }
        if (to_read.empty()) {
            ++report_.by_etag;
            return;
        }
        pending->key = source.key;
        pending->ticket = ticket;
        pending->left = 2 * to_read.size();
        pending->source.resize(to_read.size());
        pending->target.resize(to_read.size());
        ++reading_;
        for (std::size_t i = 0; i < to_read.size(); ++i) {
            read(pending, pending->source[i], source_, source.versions[to_read[i]]);
            read(pending, pending->target[i], target_, target.versions[to_read[i]]);
        }
    }

    // `digest` is a part of `pending`, which the callback holds.
    void read(const std::shared_ptr<Pending>& pending,
              std::string& digest,
              const Listing& side,
              const ListedObject& object) {
        report_.bytes_read += object.bytes;
        digest_content(place_of(side, object),
                       DigestKind::sha256,
                       [this, pending, &digest](const Result<std::string>& result) {
                           if (result) {
                               digest = *result;
                           } else {
                               pending->error = result.error();
                           }
                           if (--pending->left == 0) {
                               judge(*pending);
                           }
                       });
    }

    void judge(const Pending& pending) {
        --reading_;
        if (pending.error) {
            report_.count_unread(pending.key, *pending.error);
        } else {
            report_.count_read(pending.key, pending.source == pending.target);
        }
    }

    const CompareRequest& request_;
    Listing source_;
    Listing target_;
    CompareReport& report_;
    std::int64_t reading_ = 0;
};

}  // namespace

void CompareReport::count_read(const std::string& key, bool is_equal) {
    if (is_equal) {
        ++by_content;
    } else {
        differ.add(key);
    }
}

void CompareReport::count_unread(const std::string& key, const Error& error) {
    ++unread;
    add_failure(failures, key, error);
}

Result<CompareReport> verify(const CompareRequest& request, os::Clock& clock) {
    const std::int64_t begun_ms = clock.monotonic_ms();
    CompareReport report;
    HttpLoop loop;
    Client from(loop, request.source.server, request.limits, clock);
    Client to(loop, request.target.server, request.limits, clock);
    const Listing source = {
        &from, request.source.bucket, request.source.prefix, request.has_versions};
    const Listing target = {
        &to, request.target.bucket, request.target.prefix, request.has_versions};
    Comparison comparison(request, source, target, report);
    RangeWalk walk(source,
                   target,
                   request.ranges_max,
                   [&](const KeyGroup* a, const KeyGroup* b, const Ticket& ticket) {
                       comparison.visit(a, b, ticket);
                   });
    walk.start({KeyRange()});
    drive(loop, {&from, &to}, [&] {
        walk.advance();
        if (request.progressed) {
            request.progressed({.done = comparison.done(), .known = report.objects});
        }
        return walk.is_done();
    });
    if (walk.error()) {
        return tl::unexpected(*walk.error());
    }
    report.calls = from.counters();
    report.calls.requests += to.counters().requests;
    report.calls.heads += to.counters().heads;
    report.calls.lists += to.counters().lists;
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
