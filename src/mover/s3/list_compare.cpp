// Two sorted lists are merged. A bucket's list comes page by page, in one range, so that its keys
// are in order, too.
//
// A digest of both sides decides. The ETag of an object is one if it can be made again from the
// file; else the object is read and its SHA-256 is compared. A manifest without digests may leave
// an object undecided, which is never called equal.
#include "mover/s3/list_compare.h"

#include "base/text.h"
#include "mover/s3/file_sums.h"
#include "mover/s3/object_list.h"
#include "mover/s3/range_walk.h"

#include <algorithm>
#include <functional>
#include <memory>

namespace drydock::mover::s3 {
namespace {

constexpr std::int64_t k_piece_bytes = 8LL << 20U;

// Reads a file once, for its SHA-256 and for the ETag that it would have.
Result<FileSums> sums_of(const FolderTree& tree, const KnownObject& file, const std::string& etag) {
    FileSums sums(file.bytes, etag, 0);
    for (std::int64_t begin = 0; begin < file.bytes; begin += k_piece_bytes) {
        DRYDOCK_TRY_ASSIGN(
            const std::string bytes,
            tree.read(file.path, begin, std::min(begin + k_piece_bytes, file.bytes)));
        sums.add(bytes);
    }
    sums.finish();
    return sums;
}

Error undecided(const std::string& key) {
    return {"s3.undecided",
            clip(key, 200) + ": the ETags differ, and the manifest has no digest",
            "make the manifest with --digests",
            ErrorClass::permanent};
}

class ListComparison {
public:
    // `tree` has the files of the side that is a folder; null without one.
    ListComparison(bool reads_all, const FolderTree* tree, CompareReport& report)
        : reads_all_(reads_all)
        , tree_(tree)
        , report_(report) {}

    void visit(const KnownObject* source, const KnownObject* target, const Ticket& ticket) {
        if (!report_.count_pair(source, target)) {
            return;
        }
        if (source->bytes != target->bytes) {
            report_.differ.add(source->key);
        } else if (source->path.empty() && target->path.empty()) {
            const bool is_bucket = source->content.client != nullptr;
            compare_objects(is_bucket ? *source : *target, is_bucket ? *target : *source, ticket);
        } else {
            compare_file(source->path.empty() ? *target : *source,
                         source->path.empty() ? *source : *target,
                         ticket);
        }
    }

    // Objects that are being read.
    [[nodiscard]] std::int64_t reading() const { return reading_; }

private:
    // `other` is an object of a bucket, or a line of a manifest.
    void compare_file(const KnownObject& file, const KnownObject& other, const Ticket& ticket) {
        const auto sums = sums_of(*tree_, file, other.etag);
        report_.bytes_read += file.bytes;
        const bool is_bucket = other.content.client != nullptr;
        if (!sums) {
            report_.count_unread(file.key, sums.error());
        } else if (!other.sha256.empty()) {
            report_.count_read(file.key, sums->sha256() == other.sha256);
        } else if (sums->is_etag() && !(is_bucket && reads_all_)) {
            ++report_.by_etag;
        } else if (is_bucket) {
            read(other, sums->sha256(), ticket);
        } else {
            report_.count_unread(file.key, undecided(file.key));
        }
    }

    // An object of a bucket, and a line of a manifest.
    void compare_objects(const KnownObject& object, const KnownObject& line, const Ticket& ticket) {
        if (!reads_all_ && object.etag == line.etag) {
            ++report_.by_etag;
        } else if (line.sha256.empty()) {
            report_.count_unread(line.key, undecided(line.key));
        } else {
            read(object, line.sha256, ticket);
        }
    }

    void read(const KnownObject& object, const std::string& sha256, const Ticket& ticket) {
        ++reading_;
        report_.bytes_read += object.bytes;
        digest_content(object.content,
                       DigestKind::sha256,
                       [this, key = object.key, sha256, ticket](const Result<std::string>& digest) {
                           --reading_;
                           if (digest) {
                               report_.count_read(key, *digest == sha256);
                           } else {
                               report_.count_unread(key, digest.error());
                           }
                       });
    }

    bool reads_all_;
    const FolderTree* tree_;
    CompareReport& report_;
    std::int64_t reading_ = 0;
};

Result<std::unique_ptr<ObjectList>> open_list(const ComparedSide& side) {
    return side.kind == SideKind::folder ? open_folder_list(side.path)
                                         : open_manifest_list(side.path);
}

// Visits all of `list` that is in front of `key`; all that is left without a key.
Status visit_before(ObjectList& list,
                    const std::string* key,
                    const std::function<void(const KnownObject*)>& visit) {
    while (list.front() != nullptr && (key == nullptr || list.front()->key < *key)) {
        visit(list.front());
        DRYDOCK_TRY(list.pop());
    }
    return {};
}

// Joins two lists that are both at hand.
Status join_lists(ObjectList& source, ObjectList& target, ListComparison& comparison) {
    const auto visit_extra = [&](const KnownObject* object) {
        comparison.visit(nullptr, object, nullptr);
    };
    for (; source.front() != nullptr;) {
        DRYDOCK_TRY(visit_before(target, &source.front()->key, visit_extra));
        const KnownObject* there = target.front();
        const bool is_both = there != nullptr && there->key == source.front()->key;
        comparison.visit(source.front(), is_both ? there : nullptr, nullptr);
        if (is_both) {
            DRYDOCK_TRY(target.pop());
        }
        DRYDOCK_TRY(source.pop());
    }
    return visit_before(target, nullptr, visit_extra);
}

// A bucket and a list, of which either is the source.
class BucketJoin {
public:
    BucketJoin(const ListCompareRequest& request,
               Listing listing,
               ObjectList& list,
               ListComparison& comparison)
        : is_source_(request.source.kind == SideKind::bucket)
        , listing_(std::move(listing))
        , list_(list)
        , comparison_(comparison)
        , walk_(listing_, {}, 1, [this](const KeyGroup* group, const KeyGroup*, const Ticket& t) {
            visit(*group, t);
        }) {}

    Status run(HttpLoop& loop, const std::function<void()>& tell) {
        walk_.start({KeyRange()});
        drive(loop, {listing_.client}, [&] {
            walk_.advance();
            tell();
            return walk_.is_done() || error_;
        });
        if (error_ || walk_.error()) {
            return tl::unexpected(error_ ? *error_ : *walk_.error());
        }
        return visit_before(
            list_, nullptr, [&](const KnownObject* one) { pass(nullptr, one, {}); });
    }

private:
    void visit(const KeyGroup& group, const Ticket& ticket) {
        if (error_) {
            return;
        }
        const ListedObject& listed = group.versions.front();
        const KnownObject object = {.key = group.key,
                                    .bytes = listed.bytes,
                                    .etag = listed.etag,
                                    .sha256 = {},
                                    .path = {},
                                    .content = place_of(listing_, listed)};
        keep(visit_before(
            list_, &group.key, [&](const KnownObject* one) { pass(nullptr, one, {}); }));
        const KnownObject* there = list_.front();
        const bool is_both = !error_ && there != nullptr && there->key == group.key;
        pass(&object, is_both ? there : nullptr, ticket);
        if (is_both) {
            keep(list_.pop());
        }
    }

    void pass(const KnownObject* object, const KnownObject* listed, const Ticket& ticket) {
        comparison_.visit(is_source_ ? object : listed, is_source_ ? listed : object, ticket);
    }

    void keep(const Status& status) {
        if (!status && !error_) {
            error_ = status.error();
        }
    }

    bool is_source_;
    Listing listing_;
    ObjectList& list_;
    ListComparison& comparison_;
    std::optional<Error> error_;
    RangeWalk walk_;
};

Status compare_with_bucket(const ListCompareRequest& request,
                           ObjectList& list,
                           ListComparison& comparison,
                           CompareReport& report,
                           os::Clock& clock) {
    const BucketPlace& place =
        (request.source.kind == SideKind::bucket ? request.source : request.target).place;
    HttpLoop loop;
    Client client(loop, place.server, request.limits, clock);
    BucketJoin join(request, {&client, place.bucket, place.prefix, false}, list, comparison);
    DRYDOCK_TRY(join.run(loop, [&] {
        if (request.progressed) {
            request.progressed(
                {.done = report.objects - comparison.reading(), .known = report.objects});
        }
    }));
    report.calls = client.counters();
    return {};
}

}  // namespace

Result<CompareReport> verify_list(const ListCompareRequest& request, os::Clock& clock) {
    if (request.source.kind == request.target.kind) {
        return fail("s3.setting",
                    "both sides are folders, or both are manifests",
                    "name a bucket, or a folder and a manifest");
    }
    const std::int64_t begun_ms = clock.monotonic_ms();
    CompareReport report;
    std::unique_ptr<ObjectList> source;
    std::unique_ptr<ObjectList> target;
    if (request.source.kind != SideKind::bucket) {
        DRYDOCK_TRY_ASSIGN(source, open_list(request.source));
    }
    if (request.target.kind != SideKind::bucket) {
        DRYDOCK_TRY_ASSIGN(target, open_list(request.target));
    }
    for (const std::string& path : source ? source->skipped() : std::vector<std::string>()) {
        report.skipped.add(path);
    }
    const FolderTree* tree = source ? source->tree() : nullptr;
    ListComparison comparison(
        request.reads_all, tree == nullptr && target ? target->tree() : tree, report);
    if (source && target) {
        DRYDOCK_TRY(join_lists(*source, *target, comparison));
    } else {
        DRYDOCK_TRY(
            compare_with_bucket(request, source ? *source : *target, comparison, report, clock));
    }
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
