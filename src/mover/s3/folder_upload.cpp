// Files to objects.
//
// The names of the folder are read first and sorted by their keys; then the bucket is listed in
// order, and both are joined. An object that is there is compared by its ETag with the digest of
// the file. Open multipart uploads are in the journal, as those of a clone are.
//
// Files take turns, so that a stop finds few of them begun. The next run finds the others missing.
#include "base/text.h"
#include "mover/s3/byte_budget.h"
#include "mover/s3/copy_journal.h"
#include "mover/s3/file_sums.h"
#include "mover/s3/folder_copy.h"
#include "mover/s3/folder_manifest.h"
#include "mover/s3/folder_tree.h"
#include "mover/s3/lost_uploads.h"
#include "mover/s3/proved_put.h"
#include "mover/s3/range_walk.h"
#include "mover/s3/signature.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_set>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_pieces_under_way_max = 4;

// Returns the XML of tags, from the header's form.
std::string tag_document(const std::string& header) {
    std::string text;
    for (const std::string& pair : split(header, '&')) {
        const auto equals = pair.find('=');
        const auto name = percent_decoded(pair.substr(0, equals));
        const auto value = percent_decoded(equals == pair.npos ? "" : pair.substr(equals + 1));
        text += fmt::format("<Tag><Key>{}</Key><Value>{}</Value></Tag>",
                            xml_escaped(name.value_or("")),
                            xml_escaped(value.value_or("")));
    }
    return "<Tagging><TagSet>" + text + "</TagSet></Tagging>";
}

// A file on its way to an object.
struct FileItem {
    FolderFile file;
    FolderEntry entry;      // of the manifest; empty without one
    bool has_turn = false;  // one of those that are under way
};

using ItemPointer = std::shared_ptr<FileItem>;  // of the callbacks of its pieces

class Upload {
public:
    Upload(const FolderRequest& request,
           const FolderTree& tree,
           Client& client,
           CopyJournal* journal,
           CloneReport& report)
        : request_(request)
        , tree_(tree)
        , client_(client)
        , journal_(journal)
        , report_(report)
        , budget_(request.memory_bytes_max)
        , turns_(2 * std::int64_t{request.limits.in_flight_max})
        , entries_(request.folder) {
        context_.target = {&client, request.place.bucket, request.place.prefix, false};
        context_.upload_begun = [this](const std::string& key, const std::string& id) {
            keep(journal_->add_upload({key, id}));
            if (!unsure_.contains(key)) {
                keep(journal_->remove_intent(key));
            }
            keep(journal_->commit());
        };
        context_.upload_ended = [this](const std::string& id) {
            keep(journal_->remove_upload(id));
        };
        context_.upload_lost = [this](const std::string& key) { unsure_.insert(key); };
        context_.bytes_copied = [this](std::int64_t bytes) { bytes_ += bytes; };
        context_.is_to_stop = [this] { return stops(); };
    }

    // Takes a file, and the object of its key if there is one.
    void visit(const FolderFile& file, const ListedObject* there) {
        ++report_.objects;
        ++under_way_;
        auto item = std::make_shared<FileItem>();
        item->file = file;
        const auto entry = entries_.find(file.key);
        if (!entry) {
            fail(*item, entry.error());
            return;
        }
        item->entry = entry->value_or(FolderEntry());
        if (there == nullptr) {
            start(item);
            return;
        }
        const auto is_equal = compare(file, *there);
        if (!is_equal) {
            // The file is not read, or a stop was seen meanwhile.
            fail(*item, is_equal.error());
        } else if (*is_equal) {
            ++report_.equal;
            --under_way_;
        } else if (request_.replaces) {
            start(item);
        } else {
            report_.differ.add(file.key);
            --under_way_;
        }
    }

    // Names the entries of the manifest whose files are gone.
    Status finish() {
        DRYDOCK_TRY(entries_.rest());
        for (const std::string& key : entries_.passed()) {
            ++report_.failed;
            report_.failures.push_back({key,
                                        {"s3.folder_missing",
                                         "the manifest has this key, and its file is gone",
                                         "look for the file, or remove the line",
                                         ErrorClass::permanent}});
        }
        return commit();
    }

    [[nodiscard]] Status commit() { return journal_ == nullptr ? Status() : journal_->commit(); }

    // True once the copy is to stop; from then on no file begins.
    bool stops() {
        is_stopped_ = is_stopped_ || (request_.is_to_stop && request_.is_to_stop());
        return is_stopped_;
    }

    // True if a stop has left files that had been visited.
    [[nodiscard]] bool has_left() const { return left_ > 0; }

    // Files that are finished, for the progress.
    [[nodiscard]] std::int64_t done() const { return report_.objects - under_way_ - left_; }

    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

    // The number of files that were visited and are not finished.
    [[nodiscard]] std::int64_t under_way() const { return under_way_; }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    void keep(const Status& status) {
        if (!status && !error_) {
            error_ = status.error();
        }
    }

    void end_turn(FileItem& item) {
        --under_way_;
        if (item.has_turn) {
            item.has_turn = false;
            turns_.give_back(1);
        }
    }

    void leave(FileItem& item) {
        ++left_;
        end_turn(item);
    }

    // A failure behind a stop may come from the stop: the key stays for the next run.
    void fail(FileItem& item, const Error& error) {
        if (is_stopped_) {
            leave(item);
            return;
        }
        end_turn(item);
        ++report_.failed;
        add_failure(report_.failures, item.file.key, error);
    }

    [[nodiscard]] std::int64_t part_size_of_file(std::int64_t bytes) const {
        return std::max(request_.piece_bytes_max, (bytes + k_parts_max - 1) / k_parts_max);
    }

    [[nodiscard]] Result<bool> compare(const FolderFile& file, const ListedObject& there) {
        if (file.bytes != there.bytes) {
            return false;
        }
        FileSums sums(file.bytes, there.etag, part_size_of_file(file.bytes));
        for (std::int64_t begin = 0; begin < file.bytes; begin += request_.piece_bytes_max) {
            if (stops()) {
                return tl::unexpected(paused_error());
            }
            DRYDOCK_TRY_ASSIGN(const std::string bytes, read(file, begin));
            sums.add(bytes);
        }
        sums.finish();
        return sums.is_etag();
    }

    [[nodiscard]] Result<std::string> read(const FolderFile& file, std::int64_t begin) const {
        return tree_.read(file.path, begin, std::min(begin + request_.piece_bytes_max, file.bytes));
    }

    void start(const ItemPointer& item) {
        const std::int64_t bytes = item->file.bytes;
        if (request_.dry_run) {
            ++report_.copied;
            report_.bytes += bytes;
            --under_way_;
        } else {
            turns_.take(1, [this, item] {
                item->has_turn = true;
                begin(item);
            });
        }
    }

    void begin(const ItemPointer& item) {
        const std::int64_t bytes = item->file.bytes;
        if (stops()) {
            leave(*item);
        } else if (bytes <= request_.piece_bytes_max) {
            const std::int64_t share = std::max<std::int64_t>(bytes, 1);
            budget_.take(share, [this, item, share] { put(item, share); });
        } else {
            put_parts(item);
        }
    }

    void put(const ItemPointer& item, std::int64_t share) {
        if (stops()) {
            budget_.give_back(share);
            leave(*item);
            return;
        }
        auto bytes = read(item->file, 0);
        if (!bytes) {
            budget_.give_back(share);
            fail(*item, bytes.error());
            return;
        }
        Call call = {.method = "PUT",
                     .bucket = request_.place.bucket,
                     .key = request_.place.prefix + item->file.key,
                     .headers = item->entry.headers,
                     .body = std::move(*bytes)};
        if (!item->entry.tags.empty()) {
            call.headers.emplace_back("x-amz-tagging", item->entry.tags);
        }
        const std::string digest = md5(call.body);
        put_object(
            client_, std::move(call), digest, [this, item, share](const Result<std::string>& etag) {
                budget_.give_back(share);
                bytes_ += etag ? item->file.bytes : 0;
                end(*item, etag);
            });
    }

    void end(FileItem& item, const Result<std::string>& etag) {
        if (!etag) {
            fail(item, etag.error());
            return;
        }
        end_turn(item);
        ++report_.copied;
        report_.bytes += item.file.bytes;
    }

    // The key is durable in the journal before the upload is created.
    void put_parts(const ItemPointer& item) {
        const std::string key = request_.place.prefix + item->file.key;
        keep(journal_->add_intent({key, client_.server_time_ms()}));
        keep(journal_->commit());
        if (error_) {
            return;
        }
        const UploadPlan plan = {
            .key = key,
            .bytes = item->file.bytes,
            .part_size = part_size_of_file(item->file.bytes),
            .headers = item->entry.headers,
            .tags = {item->entry.tags,
                     item->entry.tags.empty() ? "" : tag_document(item->entry.tags)},
            .parts_under_way_max = k_pieces_under_way_max};
        std::make_shared<ObjectUpload>(
            context_,
            plan,
            [this, item](const UploadPart& part, const ObjectUpload::PartDone& done) {
                send_part(item, part, done);
            },
            [this, item](const Result<std::string>& etag) { end(*item, etag); })
            ->start();
    }

    void
    send_part(const ItemPointer& item, const UploadPart& part, const ObjectUpload::PartDone& done) {
        const std::int64_t share = part.end - part.begin;
        budget_.take(share, [this, item, part, done, share] {
            if (stops()) {
                budget_.give_back(share);
                done(tl::unexpected(paused_error()));
                return;
            }
            auto bytes = tree_.read(item->file.path, part.begin, part.end);
            if (!bytes) {
                budget_.give_back(share);
                done(tl::unexpected(bytes.error()));
                return;
            }
            Call call = part.call;
            const std::string digest = md5(*bytes);
            call.body = std::move(*bytes);
            put_part(client_,
                     std::move(call),
                     digest,
                     [this, done, share](const Result<std::string>& etag) {
                         budget_.give_back(share);
                         done(etag);
                     });
        });
    }

    const FolderRequest& request_;
    const FolderTree& tree_;
    Client& client_;
    CopyJournal* journal_;
    CloneReport& report_;
    ByteBudget budget_;
    ByteBudget turns_;  // of files, not of bytes
    FolderEntries entries_;
    CopyContext context_;
    std::unordered_set<std::string> unsure_;
    std::optional<Error> error_;
    std::int64_t under_way_ = 0;
    std::int64_t bytes_ = 0;
    bool is_stopped_ = false;
    std::int64_t left_ = 0;  // visited files that a stop has left
};

// Joins the files with the listing of the bucket; both are in the order of the keys.
Status join(Upload& work,
            const FolderRequest& request,
            const FolderList& list,
            HttpLoop& loop,
            Client& client,
            CloneReport& report) {
    auto next = list.files.begin();
    const auto take_before = [&](const std::string* key) {
        for (; next != list.files.end() && (key == nullptr || next->key < *key) && !work.stops();
             ++next) {
            work.visit(*next, nullptr);
        }
    };
    const Listing listing = {&client, request.place.bucket, request.place.prefix, false};
    RangeWalk walk(listing, {}, 1, [&](const KeyGroup* group, const KeyGroup*, const Ticket&) {
        take_before(&group->key);
        if (work.stops()) {
            return;
        }
        if (next != list.files.end() && next->key == group->key) {
            work.visit(*next++, &group->versions.front());
        } else {
            report.extra.add(group->key);
        }
    });
    walk.start({KeyRange()});
    drive(loop, {&client}, [&] {
        if (work.stops()) {
            walk.stop();
        }
        walk.advance();
        if (walk.is_done() && !walk.error()) {
            take_before(nullptr);
        }
        if (request.progressed) {
            const std::int64_t files = std::ssize(list.files);
            request.progressed(
                {.done = work.done(), .known = files, .total = files, .bytes = work.bytes()});
        }
        return (walk.is_done() && work.under_way() == 0) || work.error()
               || (work.stops() && client.is_idle());
    });
    for (const auto& error : {work.error(), walk.error()}) {
        if (error) {
            return tl::unexpected(*error);
        }
    }
    if (!walk.is_done() || next != list.files.end() || work.has_left()) {
        DRYDOCK_TRY(work.commit());
        return paused_copy(report);
    }
    return work.finish();
}

}  // namespace

Result<CloneReport> upload(const FolderRequest& request, os::Clock& clock) {
    const std::int64_t begun_ms = clock.monotonic_ms();
    CloneReport report;
    report.passed_bytes = true;
    HttpLoop loop;
    Client client(loop, request.place.server, request.limits, clock);
    DRYDOCK_TRY_ASSIGN(const FolderTree tree, FolderTree::open(request.folder, false));
    DRYDOCK_TRY_ASSIGN(const FolderList list, tree.list());
    for (const std::string& path : list.skipped) {
        report.skipped.add(path);
    }
    std::optional<CopyJournal> journal;
    if (!request.dry_run) {
        DRYDOCK_TRY_ASSIGN(CopyJournal opened,
                           CopyJournal::open(request.journal,
                                             fmt::format("{} to {} {}",
                                                         request.folder,
                                                         request.place.server.endpoint,
                                                         request.place.text())));
        journal.emplace(std::move(opened));
        DRYDOCK_TRY(remove_noted_uploads(loop, client, request.place.bucket, *journal, report));
        DRYDOCK_TRY(remove_unknown_uploads(loop, client, request.place.bucket, *journal, report));
    }
    Upload work(request, tree, client, journal ? &*journal : nullptr, report);
    DRYDOCK_TRY(join(work, request, list, loop, client, report));
    if (journal) {
        DRYDOCK_TRY(remove_unknown_uploads(loop, client, request.place.bucket, *journal, report));
    }
    report.calls = client.counters();
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
