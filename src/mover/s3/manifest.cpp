// The manifest of a bucket: one line of JSON for each object, in the order of the keys.
//
// Digests come in any order, so a line waits until all lines in front of it are complete. The walk
// keeps one range, and its tickets bound the number of lines that wait.
#include "base/json.h"
#include "mover/s3/compare.h"
#include "mover/s3/content_digest.h"
#include "mover/s3/range_walk.h"

#include <deque>
#include <memory>
#include <ostream>

namespace drydock::mover::s3 {
namespace {

struct Line {
    Json json;
    Ticket ticket;
    bool is_complete = false;
};

class Writer {
public:
    Writer(const ManifestRequest& request,
           Listing listing,
           std::ostream& stream,
           ManifestReport& report)
        : request_(request)
        , listing_(std::move(listing))
        , stream_(stream)
        , report_(report) {}

    void write_head() {
        Json head;
        head.set("format", "drydock-s3-manifest").set("version", 1);
        head.set("bucket", request_.place.bucket).set("prefix", request_.place.prefix);
        head.set("versions", request_.has_versions).set("digests", request_.has_digests);
        stream_ << head.dump() << '\n';
    }

    void add(const KeyGroup& group, const Ticket& ticket) {
        for (const ListedObject& object : group.versions) {
            auto line = std::make_shared<Line>();
            line->json = json_of(group.key, object);
            line->ticket = ticket;
            line->is_complete = object.is_marker || !request_.has_digests;
            ++report_.lines;
            report_.bytes += object.bytes;
            lines_.push_back(line);
            if (!line->is_complete) {
                read(line, object);
            }
        }
        flush();
    }

    // Writes the lines that are complete, in order.
    void flush() {
        while (!lines_.empty() && lines_.front()->is_complete) {
            stream_ << lines_.front()->json.dump() << '\n';
            lines_.pop_front();
        }
    }

    [[nodiscard]] std::int64_t written() const {
        return report_.lines - static_cast<std::int64_t>(lines_.size());
    }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    [[nodiscard]] Json json_of(const std::string& key, const ListedObject& object) const {
        Json json;
        json.set("key", key);
        if (request_.has_versions) {
            json.set("version", object.version);
        }
        if (object.is_marker) {
            return std::move(json.set("deleted", true));
        }
        return std::move(json.set("bytes", object.bytes).set("etag", object.etag));
    }

    void read(const std::shared_ptr<Line>& line, const ListedObject& object) {
        digest_content(place_of(listing_, object),
                       DigestKind::sha256,
                       [this, line](const Result<std::string>& digest) {
                           if (!digest) {
                               error_ = error_ ? error_ : digest.error();
                               return;
                           }
                           line->json.set("sha256", *digest);
                           line->is_complete = true;
                           line->ticket.reset();
                       });
    }

    const ManifestRequest& request_;
    Listing listing_;
    std::ostream& stream_;
    ManifestReport& report_;
    std::deque<std::shared_ptr<Line>> lines_;
    std::optional<Error> error_;
};

}  // namespace

Result<ManifestReport>
write_manifest(const ManifestRequest& request, std::ostream& stream, os::Clock& clock) {
    const std::int64_t begun_ms = clock.monotonic_ms();
    ManifestReport report;
    HttpLoop loop;
    Client client(loop, request.place.server, request.limits, clock);
    const Listing listing = {
        &client, request.place.bucket, request.place.prefix, request.has_versions};
    Writer writer(request, listing, stream, report);
    RangeWalk walk(
        listing, {}, 1, [&](const KeyGroup* group, const KeyGroup*, const Ticket& ticket) {
            writer.add(*group, ticket);
        });
    writer.write_head();
    walk.start({KeyRange()});
    drive(loop, {&client}, [&] {
        writer.flush();
        walk.advance();
        if (request.progressed) {
            request.progressed({.done = writer.written(), .known = report.lines});
        }
        return walk.is_done() || writer.error();
    });
    for (const auto& error : {writer.error(), walk.error()}) {
        if (error) {
            return tl::unexpected(*error);
        }
    }
    writer.flush();
    report.calls = client.counters();
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
