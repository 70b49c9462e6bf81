// Objects to files.
//
// The bucket is walked in one range, so that keys come in order: the names of files depend on the
// keys in front of them, and the manifest is in their order. Digests come in any order, so a line
// of the manifest waits until those in front of it are complete; the tickets of the walk bound how
// many can wait.
//
// A stop leaves files whose turn has not come, and large ones between two pieces. Their tickets are
// kept, so that the walk does not take them for finished. The manifest is then left to the next
// run.
#include "base/json.h"
#include "base/text.h"
#include "mover/s3/byte_budget.h"
#include "mover/s3/file_sums.h"
#include "mover/s3/folder_copy.h"
#include "mover/s3/folder_manifest.h"
#include "mover/s3/folder_names.h"
#include "mover/s3/folder_tree.h"
#include "mover/s3/key_count.h"
#include "mover/s3/object_facts.h"
#include "mover/s3/range_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <memory>

namespace drydock::mover::s3 {
namespace {

constexpr std::int64_t k_answer_margin = 64LL << 10U;
constexpr std::size_t k_count_ranges = 8;  // a count needs no order

// One object on its way into a file, and its line of the manifest.
struct Item {
    FolderEntry entry;
    Ticket ticket;
    std::string part;  // name of the unfinished file; empty: none yet
    std::int64_t received = 0;
    std::optional<FileSums> sums;
    std::string local_sha256;  // of a file that is there and whose ETag cannot be made again
    bool has_turn = false;     // one of those that are under way
    bool has_own_key = false;
    bool is_done = false;
    bool is_listed = false;  // in the manifest
};

using ItemPointer = std::shared_ptr<Item>;  // of the queue and of the callbacks

class Download {
public:
    Download(const FolderRequest& request, FolderTree& tree, Client& client, CloneReport& report)
        : request_(request)
        , tree_(tree)
        , client_(client)
        , report_(report)
        , budget_(request.memory_bytes_max)
        , turns_(2 * std::int64_t{request.limits.in_flight_max})
        , old_(request.folder)
        , manifest_part_(tree.new_part()) {}

    void visit(const KeyGroup& group, const Ticket& ticket) {
        const ListedObject& object = group.versions.front();
        auto item = std::make_shared<Item>();
        item->ticket = ticket;
        item->entry.key = group.key;
        item->entry.path = paths_.path_of(group.key);
        item->entry.bytes = object.bytes;
        item->entry.etag = object.etag;
        if (stops()) {
            leave(item);
            return;
        }
        ++report_.objects;
        if (!request_.dry_run) {
            items_.push_back(item);
        }
        auto known = old_.find(group.key);
        const auto there = tree_.size_of(item->entry.path);
        if (!known || !there) {
            fail(item, known ? there.error() : known.error());
        } else if (!*there) {
            get(item);
        } else {
            compare(item, **there, *known);
        }
    }

    // Writes the lines of the manifest that are complete, in order.
    void flush() {
        std::string lines;
        for (; !items_.empty() && items_.front()->is_done; items_.pop_front()) {
            lines += items_.front()->is_listed ? items_.front()->entry.line() + "\n" : "";
        }
        if (!lines.empty()) {
            keep(tree_.append(manifest_part_, lines));
        }
    }

    // Makes all durable, and then gives the manifest its name.
    Status finish() {
        flush();
        DRYDOCK_TRY(tree_.sync());
        const std::string name = os::name_of(manifest_path(""));
        DRYDOCK_TRY(tree_.publish(manifest_part_, name, true));
        return tree_.sync();
    }

    Status begin() {
        Json head;
        head.set("format", "drydock-s3-folder").set("version", 1);
        head.set("bucket", request_.place.bucket).set("prefix", request_.place.prefix);
        return tree_.append(manifest_part_, head.dump() + "\n");
    }

    // Keeps what is there for the next run, and forgets the manifest.
    Status pause() {
        tree_.remove_part(manifest_part_);
        return tree_.sync();
    }

    // True once the copy is to stop; from then on no file begins.
    bool stops() {
        is_stopped_ = is_stopped_ || (request_.is_to_stop && request_.is_to_stop());
        return is_stopped_;
    }

    [[nodiscard]] std::int64_t done() const { return done_; }

    // Bytes that were read from the server.
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    void keep(const Status& status) {
        if (!status && !error_) {
            error_ = status.error();
        }
    }

    void end(const ItemPointer& item, bool is_listed) {
        drop(item);
        item->is_done = true;
        item->is_listed = is_listed;
        item->ticket.reset();
        ++done_;
    }

    // Removes the unfinished file, and gives the turn back.
    void drop(const ItemPointer& item) {
        if (!item->part.empty()) {
            tree_.remove_part(item->part);
        }
        if (item->has_turn) {
            item->has_turn = false;
            turns_.give_back(1);
        }
    }

    void leave(const ItemPointer& item) {
        left_.push_back(item->ticket);
        drop(item);
    }

    // A failure behind a stop may come from the stop: the key stays for the next run.
    void fail(const ItemPointer& item, const Error& error) {
        if (is_stopped_) {
            leave(item);
            return;
        }
        ++report_.failed;
        add_failure(report_.failures, item->entry.key, error);
        end(item, false);
    }

    // A file is there. Its content decides, by the ETag, or by the digest of an earlier run.
    void
    compare(const ItemPointer& item, std::int64_t there, const std::optional<FolderEntry>& known) {
        FolderEntry& entry = item->entry;
        if (there != entry.bytes) {
            on_difference(item);
            return;
        }
        FileSums sums(entry.bytes, entry.etag, 0);
        for (std::int64_t begin = 0; begin < there; begin += request_.piece_bytes_max) {
            if (stops()) {
                leave(item);
                return;
            }
            const auto bytes =
                tree_.read(entry.path, begin, std::min(begin + request_.piece_bytes_max, there));
            if (!bytes) {
                fail(item, bytes.error());
                return;
            }
            sums.add(*bytes);
        }
        sums.finish();
        const bool is_known = known && known->etag == entry.etag && known->sha256 == sums.sha256();
        if (is_known) {
            const std::string path = entry.path;
            entry = *known;
            entry.path = path;
            ++report_.equal;
            end(item, true);
        } else if (sums.is_etag()) {
            entry.sha256 = sums.sha256();
            item->local_sha256 = entry.sha256;
            read_headers(item);
        } else if (sums.decides()) {
            on_difference(item);
        } else if (request_.dry_run) {
            report_.differ.add(entry.key);
            end(item, false);
        } else {
            item->local_sha256 = sums.sha256();
            get(item);
        }
    }

    void on_difference(const ItemPointer& item) {
        if (request_.replaces) {
            get(item);
        } else {
            report_.differ.add(item->entry.key);
            end(item, false);
        }
    }

    [[nodiscard]] Call object_call(const char* method, const Item& item) const {
        Call call = {.method = method,
                     .bucket = request_.place.bucket,
                     .key = request_.place.prefix + item.entry.key};
        call.headers = {{"if-match", "\"" + item.entry.etag + "\""}};
        return call;
    }

    // The file is as it should be, and the manifest lacks what it cannot hold.
    void read_headers(const ItemPointer& item) {
        if (request_.dry_run) {
            ++report_.equal;
            end(item, false);
            return;
        }
        take_turn(item, [this, item] {
            client_.call(object_call("HEAD", *item), [this, item](const Answer& answer) {
                if (!answer.is_done()) {
                    on_lost(item, answer);
                    return;
                }
                item->entry.headers = carried_headers(answer);
                read_tags(item);
            });
        });
    }

    // Few files are begun at a time, so that a stop finds few.
    void take_turn(const ItemPointer& item, const std::function<void()>& begin) {
        turns_.take(1, [this, item, begin] {
            item->has_turn = true;
            if (stops()) {
                leave(item);
            } else {
                begin();
            }
        });
    }

    void on_lost(const ItemPointer& item, const Answer& answer) {
        if (answer.kind == AnswerKind::missing) {
            ++report_.vanished;
            end(item, false);
        } else {
            fail(item, answer.error);
        }
    }

    void get(const ItemPointer& item) {
        if (request_.dry_run) {
            ++report_.copied;
            report_.bytes += item->entry.bytes;
            end(item, false);
            return;
        }
        take_turn(item, [this, item] {
            item->sums.emplace(item->entry.bytes, item->entry.etag, 0);
            item->part = tree_.new_part();
            get_piece(item);
        });
    }

    void get_piece(const ItemPointer& item) {
        const std::int64_t begin = item->received;
        const std::int64_t end = std::min(begin + request_.piece_bytes_max, item->entry.bytes);
        const std::int64_t share = std::max<std::int64_t>(end - begin, 1);
        budget_.take(share, [this, item, begin, end, share] {
            if (stops()) {
                budget_.give_back(share);
                leave(item);
                return;
            }
            Call call = object_call("GET", *item);
            if (end > begin) {
                call.headers.emplace_back("range", fmt::format("bytes={}-{}", begin, end - 1));
            }
            call.answer_bytes_max = static_cast<std::size_t>(share + k_answer_margin);
            client_.call(std::move(call), [this, item, end, share](const Answer& answer) {
                budget_.give_back(share);
                on_piece(item, end, answer);
            });
        });
    }

    void on_piece(const ItemPointer& item, std::int64_t end_of_piece, const Answer& answer) {
        if (!answer.is_done()) {
            on_lost(item, answer);
            return;
        }
        const std::string& bytes = answer.wire.body;
        if (item->received + static_cast<std::int64_t>(bytes.size()) != end_of_piece) {
            fail(item,
                 {"s3.answer", "the object came cut off", "repeat it", ErrorClass::transient});
            return;
        }
        if (const Status written = tree_.append(item->part, bytes); !written) {
            fail(item, written.error());
            return;
        }
        item->sums->add(bytes);
        bytes_ += std::ssize(bytes);
        if (item->received == 0) {
            item->entry.headers = carried_headers(answer);
            item->has_own_key = has_own_key(answer);
        }
        item->received = end_of_piece;
        if (item->received < item->entry.bytes) {
            get_piece(item);
        } else {
            item->sums->finish();
            item->entry.sha256 = item->sums->sha256();
            read_tags(item);
        }
    }

    void read_tags(const ItemPointer& item) {
        Call call = object_call("GET", *item);
        call.headers.clear();
        call.query.emplace_back("tagging", "");
        client_.call(std::move(call), [this, item](const Answer& answer) {
            if (!answer.is_done() && !has_no_tags(answer)) {
                fail(item, answer.error.with_context("reading the tags"));
                return;
            }
            item->entry.tags = tags_of(answer).header;
            publish(item);
        });
    }

    // An ETag that is a digest must be that of the file. Others are noted.
    void publish(const ItemPointer& item) {
        if (item->part.empty()) {
            ++report_.equal;
            end(item, true);
            return;
        }
        const bool decides = item->sums->decides() && !item->has_own_key;
        if (decides && !item->sums->is_etag()) {
            fail(item,
                 {"s3.etag",
                  fmt::format("{}: what was read is not what the ETag {} says",
                              clip(item->entry.key, 200),
                              item->entry.etag),
                  "the source may have a bad disk: read it again",
                  ErrorClass::transient});
            return;
        }
        if (!item->local_sha256.empty() && item->local_sha256 == item->entry.sha256) {
            ++report_.equal;
            end(item, true);
            return;
        }
        if (!item->local_sha256.empty() && !request_.replaces) {
            report_.differ.add(item->entry.key);
            end(item, false);
            return;
        }
        if (const Status published = tree_.publish(item->part, item->entry.path, request_.replaces);
            !published) {
            fail(item, published.error());
            return;
        }
        item->part.clear();
        ++report_.copied;
        report_.bytes += item->entry.bytes;
        report_.recorded += item->sums->is_etag() ? 0 : 1;
        end(item, true);
    }

    const FolderRequest& request_;
    FolderTree& tree_;
    Client& client_;
    CloneReport& report_;
    ByteBudget budget_;
    ByteBudget turns_;  // of files, not of bytes
    FolderEntries old_;
    std::string manifest_part_;
    KeyPaths paths_;
    std::deque<ItemPointer> items_;
    std::optional<Error> error_;
    std::int64_t done_ = 0;
    std::int64_t bytes_ = 0;
    bool is_stopped_ = false;
    std::vector<Ticket> left_;  // of keys that a stop has left
};

tl::unexpected<Error>
pause(Download& work, const FolderRequest& request, const CloneReport& report) {
    if (!request.dry_run) {
        DRYDOCK_TRY(work.pause());
    }
    return paused_copy(report);
}

Status run(Download& work,
           const FolderRequest& request,
           HttpLoop& loop,
           Client& client,
           CloneReport& report) {
    const Listing listing = {&client, request.place.bucket, request.place.prefix, false};
    std::int64_t total = 0;
    if (request.counts_first) {
        DRYDOCK_TRY_ASSIGN(total,
                           count_keys(loop,
                                      listing,
                                      k_count_ranges,
                                      {KeyRange()},
                                      request.progressed,
                                      request.is_to_stop));
    }
    RangeWalk walk(
        listing, {}, 1, [&](const KeyGroup* group, const KeyGroup*, const Ticket& ticket) {
            work.visit(*group, ticket);
        });
    walk.start({KeyRange()});
    drive(loop, {&client}, [&] {
        if (work.stops()) {
            walk.stop();
        }
        walk.advance();
        work.flush();
        if (request.progressed) {
            request.progressed({.done = work.done(),
                                .known = report.objects,
                                .total = total,
                                .bytes = work.bytes()});
        }
        return walk.is_done() || work.error() || (work.stops() && client.is_idle());
    });
    for (const auto& error : {work.error(), walk.error()}) {
        if (error) {
            return tl::unexpected(*error);
        }
    }
    return walk.is_done() ? Status() : pause(work, request, report);
}

}  // namespace

Result<CloneReport> download(const FolderRequest& request, os::Clock& clock) {
    const std::int64_t begun_ms = clock.monotonic_ms();
    CloneReport report;
    report.passed_bytes = true;
    HttpLoop loop;
    Client client(loop, request.place.server, request.limits, clock);
    DRYDOCK_TRY_ASSIGN(report.source_has_versions,
                       has_versions_on(loop, client, request.place.bucket));
    DRYDOCK_TRY_ASSIGN(FolderTree tree, FolderTree::open(request.folder, !request.dry_run));
    Download work(request, tree, client, report);
    if (!request.dry_run) {
        DRYDOCK_TRY(work.begin());
    }
    DRYDOCK_TRY(run(work, request, loop, client, report));
    if (!request.dry_run) {
        DRYDOCK_TRY(work.finish());
    }
    report.calls = client.counters();
    report.took_ms = clock.monotonic_ms() - begun_ms;
    return report;
}

}  // namespace drydock::mover::s3
