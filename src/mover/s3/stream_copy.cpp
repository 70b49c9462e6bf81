// The chain of requests of one copy between two servers.
//
//   HEAD source, HEAD part 1 if it has parts, GET tags,
//   whole:  GET, PUT
//   parts:  ObjectUpload, with a GET of a range and a PUT for each part
//
// Ranges are read at the same time and digested in order, so a piece that comes early waits. Every
// GET has the condition that the object is still the one that was listed.
#include "mover/s3/stream_copy.h"

#include "base/text.h"
#include "mover/s3/proved_put.h"
#include "mover/s3/signature.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_pieces_under_way_max = 4;      // of one object
constexpr std::int64_t k_answer_margin = 64LL << 10U;  // an error's text fits, too

Error stream_error(const char* code, std::string message, const char* remedy) {
    return {code, std::move(message), remedy, ErrorClass::transient};
}

// Returns the size of the pieces of an object without parts that can be made again; 0: put whole.
std::int64_t piece_size_of(std::int64_t bytes, std::int64_t piece_bytes_max) {
    return bytes <= piece_bytes_max
               ? 0
               : std::max(piece_bytes_max, (bytes + k_parts_max - 1) / k_parts_max);
}

}  // namespace

StreamCopy::StreamCopy(const CopyContext& context,
                       std::string key,
                       ListedObject source,
                       bool is_version,
                       ObjectCopy::Done done)
    : context_(context)
    , key_(std::move(key))
    , source_(std::move(source))
    , is_version_(is_version)
    , done_(std::move(done)) {
}

Call StreamCopy::source_call(const char* method) const {
    Call call = {
        .method = method, .bucket = context_.source.bucket, .key = context_.source.prefix + key_};
    if (is_version_) {
        call.query.emplace_back("versionId", source_.version);
    }
    return call;
}

void StreamCopy::ask_source(Call call, void (StreamCopy::*next)(const Answer&)) {
    context_.source.client->call(
        std::move(call),
        [self = shared_from_this(), next](const Answer& answer) { ((*self).*next)(answer); });
}

void StreamCopy::start() {
    Call head = source_call("HEAD");
    head.headers = {{"if-match", "\"" + source_.etag + "\""}};
    ask_source(std::move(head), &StreamCopy::on_head);
}

void StreamCopy::on_head(const Answer& answer) {
    if (!answer.is_done()) {
        finish({answer.kind == AnswerKind::missing ? CopyKind::vanished : CopyKind::failed,
                "",
                answer.error});
        return;
    }
    headers_ = carried_headers(answer);
    is_source_encrypted_ = has_own_key(answer);
    part_size_ = piece_size_of(source_.bytes, context_.piece_bytes_max);
    if (source_.bytes == 0 || parts_of_etag(source_.etag) == 0) {
        read_tags();
        return;
    }
    Call head = source_call("HEAD");
    head.query.emplace_back("partNumber", "1");
    ask_source(std::move(head), &StreamCopy::on_first_part);
}

// Parts of the source's own sizes make the ETag come out the same, if they fit into memory.
void StreamCopy::on_first_part(const Answer& answer) {
    const std::int64_t parts = parts_of_etag(source_.etag);
    const bool is_told =
        answer.is_done() && number_of(answer.header("x-amz-mp-parts-count")) == parts;
    const auto size = part_size_of(
        source_.bytes, parts, is_told ? number_of(answer.header("content-length")) : 0);
    if (size && *size <= context_.piece_bytes_max) {
        part_size_ = *size;
    }
    read_tags();
}

// Where no tags are kept, none are asked for: a server without tags may refuse the question.
void StreamCopy::read_tags() {
    if (!context_.keeps_tags) {
        copy_bytes();
        return;
    }
    Call tags = source_call("GET");
    tags.query.emplace_back("tagging", "");
    ask_source(std::move(tags), &StreamCopy::on_tags);
}

void StreamCopy::on_tags(const Answer& answer) {
    if (!answer.is_done() && !has_no_tags(answer)) {
        fail_with(answer.error.with_context("reading the tags"));
        return;
    }
    tags_ = tags_of(answer);
    copy_bytes();
}

void StreamCopy::copy_bytes() {
    if (part_size_ == 0) {
        copy_whole();
    } else {
        copy_parts();
    }
}

void StreamCopy::copy_whole() {
    const std::int64_t share = std::max<std::int64_t>(source_.bytes, 1);
    context_.budget->take(share, [self = shared_from_this(), share] {
        if (self->context_.stops()) {
            self->context_.budget->give_back(share);
            self->fail_with(paused_error());
            return;
        }
        Call get = self->source_call("GET");
        get.headers = {{"if-match", "\"" + self->source_.etag + "\""}};
        get.answer_bytes_max = static_cast<std::size_t>(share + k_answer_margin);
        self->context_.source.client->call(
            std::move(get), [self, share](const Answer& answer) { self->on_whole(share, answer); });
    });
}

// A version is sent once: a second PUT would be a version too many.
void StreamCopy::on_whole(std::int64_t share, const Answer& answer) {
    const bool is_complete =
        answer.is_done() && static_cast<std::int64_t>(answer.wire.body.size()) == source_.bytes;
    if (!is_complete) {
        context_.budget->give_back(share);
        fail_with(answer.is_done() ? stream_error("s3.answer",
                                                  clip(key_, 200) + ": the object came cut off",
                                                  "repeat it")
                                   : answer.error);
        return;
    }
    Call put = {.method = "PUT",
                .bucket = context_.target.bucket,
                .key = context_.target.prefix + key_,
                .headers = headers_,
                .body = answer.wire.body,
                .is_repeatable = !is_version_};
    if (!tags_.is_empty()) {
        put.headers.emplace_back("x-amz-tagging", tags_.header);
    }
    const std::string digest = md5(put.body);
    if (const Status checked = check_source(etag_of_md5(digest)); !checked) {
        context_.budget->give_back(share);
        fail_with(checked.error());
        return;
    }
    put_object(*context_.target.client,
               std::move(put),
               digest,
               [self = shared_from_this(), share](const Result<std::string>& etag) {
                   self->context_.budget->give_back(share);
                   self->on_put(etag);
               });
}

void StreamCopy::on_put(const Result<std::string>& etag) {
    if (etag) {
        context_.tell_bytes(source_.bytes);
        finish_with_etag(*etag);
    } else {
        fail_with(etag.error().with_context(clip(key_, 200)));
    }
}

void StreamCopy::copy_parts() {
    const auto self = shared_from_this();
    const UploadPlan plan = {.key = context_.target.prefix + key_,
                             .bytes = source_.bytes,
                             .part_size = part_size_,
                             .headers = headers_,
                             .tags = tags_,
                             .parts_under_way_max = k_pieces_under_way_max};
    std::make_shared<ObjectUpload>(
        context_,
        plan,
        [self](UploadPart part, ObjectUpload::PartDone done) {
            self->read_part(std::move(part), std::move(done));
        },
        [self](const Result<std::string>& etag) {
            const Status checked = self->check_source(self->whole_sum_.take());
            if (etag && checked) {
                self->finish_with_etag(*etag);
            } else {
                self->fail_with(etag ? checked.error() : etag.error());
            }
        })
        ->start();
}

// A stop is looked for again when the memory is there: many pieces wait for it together.
void StreamCopy::read_part(UploadPart part, ObjectUpload::PartDone done) {
    const std::int64_t share = part.end - part.begin;
    auto piece = std::make_shared<Piece>(Piece{std::move(part), {}, std::move(done)});
    context_.budget->take(share, [self = shared_from_this(), piece, share] {
        if (self->context_.stops()) {
            self->context_.budget->give_back(share);
            piece->error = paused_error();
            self->take_piece(std::move(*piece));
            return;
        }
        self->get_piece(piece);
    });
}

void StreamCopy::get_piece(const std::shared_ptr<Piece>& piece) {
    const std::int64_t share = piece->part.end - piece->part.begin;
    Call get = source_call("GET");
    get.headers = {{"if-match", "\"" + source_.etag + "\""},
                   {"range", fmt::format("bytes={}-{}", piece->part.begin, piece->part.end - 1)}};
    get.answer_bytes_max = static_cast<std::size_t>(share + k_answer_margin);
    const auto on_answer = [self = shared_from_this(), piece, share](const Answer& answer) {
        const auto size = static_cast<std::int64_t>(answer.wire.body.size());
        if (answer.is_done() && size == share) {
            piece->bytes = answer.wire.body;
        } else {
            self->context_.budget->give_back(share);
            piece->error = answer.is_done()
                               ? stream_error("s3.answer", "a range came cut off", "repeat it")
                               : answer.error;
        }
        self->take_piece(std::move(*piece));
    };
    context_.source.client->call(std::move(get), on_answer);
}

// Sends all pieces whose turn it is. A piece that failed ends the upload, and takes its turn, too.
void StreamCopy::take_piece(Piece piece) {
    const std::size_t index = piece.part.index;
    pieces_.emplace(index, std::move(piece));
    for (auto next = pieces_.find(next_piece_); next != pieces_.end();
         next = pieces_.find(next_piece_)) {
        Piece ready = std::move(next->second);
        pieces_.erase(next);
        ++next_piece_;
        if (ready.error) {
            ready.done(tl::unexpected(*ready.error));
        } else {
            send_piece(std::move(ready));
        }
    }
}

void StreamCopy::send_piece(Piece piece) {
    whole_sum_.add(piece.bytes);
    const std::string digest = md5(piece.bytes);
    const auto share = static_cast<std::int64_t>(piece.bytes.size());
    Call put = std::move(piece.part.call);
    put.body = std::move(piece.bytes);
    put_part(*context_.target.client,
             std::move(put),
             digest,
             [self = shared_from_this(), share, done = std::move(piece.done)](
                 const Result<std::string>& etag) {
                 self->context_.budget->give_back(share);
                 done(etag);
             });
}

// An MD5 as the ETag of the source must be that of what was read. Of an object in parts the copy's
// own ETag tells as much. An encrypted object has an ETag of its own.
Status StreamCopy::check_source(const std::string& whole_sum) const {
    if (is_source_encrypted_ || !is_md5(source_.etag) || source_.etag == whole_sum) {
        return {};
    }
    return tl::unexpected(stream_error("s3.etag",
                                       fmt::format("{}: what was read has the MD5 {}, and the "
                                                   "source the ETag {}",
                                                   clip(key_, 200),
                                                   whole_sum,
                                                   source_.etag),
                                       "the source may have a bad disk: read it again"));
}

void StreamCopy::finish_with_etag(const std::string& etag) {
    result_.kind = etag == source_.etag ? CopyKind::verified : CopyKind::recorded;
    result_.target_etag = etag;
    if (!context_.keeps_acl) {
        finish(result_);
        return;
    }
    copy_acl(context_,
             key_,
             is_version_ ? source_.version : "",
             [self = shared_from_this()](const Status& status) {
                 self->finish(status ? self->result_
                                     : CopyResult{CopyKind::failed, "", status.error()});
             });
}

void StreamCopy::fail_with(const Error& error) {
    finish({CopyKind::failed, "", error});
}

void StreamCopy::finish(CopyResult result) {
    const ObjectCopy::Done done = std::move(done_);
    done(result);
}

}  // namespace drydock::mover::s3
