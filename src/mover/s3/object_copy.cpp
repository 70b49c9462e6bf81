// The chain of requests of one copy. Each answer's handler sends the next request.
//
//   whole:  PUT with copy-source                                  -> compare the ETag
//   parts:  HEAD source, HEAD part 1, GET tags, ObjectUpload      -> compare the ETag
#include "mover/s3/object_copy.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

Error copy_error(const char* code, std::string message, const char* remedy = "") {
    return {code, std::move(message), remedy, ErrorClass::transient};
}

bool is_in_parts(const ListedObject& object, std::int64_t whole_max) {
    return object.bytes > whole_max || (object.bytes > 0 && parts_of_etag(object.etag) > 0);
}

}  // namespace

bool passes_through(const CopyContext& context, const ListedObject& object) {
    return context.passes_all
           || (!context.copies_parts && is_in_parts(object, context.copy_bytes_max));
}

bool may_need_upload(const CopyContext& context, const ListedObject& object) {
    return is_in_parts(
        object, passes_through(context, object) ? context.piece_bytes_max : context.copy_bytes_max);
}

void copy_acl(const CopyContext& context,
              const std::string& key,
              const std::string& version,
              std::function<void(const Status&)> done) {
    Call get = {.bucket = context.source.bucket, .key = context.source.prefix + key};
    get.query.emplace_back("acl", "");
    if (!version.empty()) {
        get.query.emplace_back("versionId", version);
    }
    get.has_xml_answer = true;
    Call put = {
        .method = "PUT", .bucket = context.target.bucket, .key = context.target.prefix + key};
    put.query = {{"acl", ""}};
    Client* target = context.target.client;
    context.source.client->call(std::move(get), [=](const Answer& answer) mutable {
        if (!answer.is_done()) {
            done(tl::unexpected(answer.error.with_context("reading the ACL")));
            return;
        }
        put.body = answer.wire.body;
        target->call(std::move(put), [done](const Answer& stored) {
            done(stored.is_done() ? Status()
                                  : tl::unexpected(stored.error.with_context("setting the ACL")));
        });
    });
}

ObjectCopy::ObjectCopy(
    const CopyContext& context, std::string key, ListedObject source, bool is_version, Done done)
    : context_(context)
    , key_(std::move(key))
    , source_(std::move(source))
    , is_version_(is_version)
    , done_(std::move(done)) {
}

Call ObjectCopy::source_call(const char* method) const {
    Call call = {
        .method = method, .bucket = context_.source.bucket, .key = context_.source.prefix + key_};
    if (is_version_) {
        call.query.emplace_back("versionId", source_.version);
    }
    return call;
}

Call ObjectCopy::target_call(const char* method) const {
    return {
        .method = method, .bucket = context_.target.bucket, .key = context_.target.prefix + key_};
}

// The condition pins the content: what was listed is copied, or nothing.
NameValues ObjectCopy::source_headers() const {
    std::string place = "/" + percent_encoded(context_.source.bucket) + "/"
                        + percent_encoded(context_.source.prefix + key_, "/");
    if (is_version_) {
        place += "?versionId=" + percent_encoded(source_.version);
    }
    return {{"x-amz-copy-source", place},
            {"x-amz-copy-source-if-match", "\"" + source_.etag + "\""}};
}

void ObjectCopy::ask_source(Call call, void (ObjectCopy::*next)(const Answer&)) {
    context_.source.client->call(
        std::move(call),
        [self = shared_from_this(), next](const Answer& answer) { ((*self).*next)(answer); });
}

void ObjectCopy::ask_target(Call call, void (ObjectCopy::*next)(const Answer&)) {
    context_.target.client->call(
        std::move(call),
        [self = shared_from_this(), next](const Answer& answer) { ((*self).*next)(answer); });
}

void ObjectCopy::start() {
    if (may_need_upload(context_, source_)) {
        Call head = source_call("HEAD");
        head.headers = {{"if-match", "\"" + source_.etag + "\""}};
        ask_source(std::move(head), &ObjectCopy::on_source);
    } else {
        copy_whole();
    }
}

void ObjectCopy::copy_whole() {
    Call put = target_call("PUT");
    put.headers = source_headers();
    put.has_xml_answer = true;
    put.is_timed = true;
    put.is_repeatable = !is_version_;  // a second one would be a version too many
    ask_target(std::move(put), &ObjectCopy::on_whole);
}

void ObjectCopy::on_whole(const Answer& answer) {
    if (answer.is_done()) {
        context_.tell_bytes(source_.bytes);
        const std::string etag = etag_in(answer);
        etag == source_.etag ? finish_with_etag(etag) : explain_etag(etag);
    } else if (answer.kind == AnswerKind::missing && answer.error_code != "NoSuchBucket") {
        finish({CopyKind::vanished, "", answer.error});
    } else {
        finish({CopyKind::failed, "", answer.error});
    }
}

// Two whole objects with the same bytes have the same ETag, unless one of them is encrypted with a
// key of its own. The headers of both tell. Where the ETag is no MD5, the size is all that tells.
void ObjectCopy::explain_etag(std::string target_etag) {
    result_.target_etag = std::move(target_etag);
    if (is_md5(source_.etag)) {
        ask_source(source_call("HEAD"), &ObjectCopy::on_encrypted_source);
    } else {
        ask_target(target_call("HEAD"), &ObjectCopy::on_unequal_target);
    }
}

void ObjectCopy::on_encrypted_source(const Answer& answer) {
    is_source_encrypted_ = answer.is_done() && has_own_key(answer);
    ask_target(target_call("HEAD"), &ObjectCopy::on_unequal_target);
}

void ObjectCopy::on_unequal_target(const Answer& answer) {
    const bool may_differ = !is_md5(source_.etag) || is_source_encrypted_ || has_own_key(answer);
    const bool is_explained = answer.is_done() && may_differ
                              && number_of(answer.header("content-length")) == source_.bytes;
    if (is_explained) {
        finish_with_etag(result_.target_etag);
        return;
    }
    finish({CopyKind::failed,
            "",
            copy_error("s3.etag",
                       fmt::format("{}: the copy has the ETag {}, the source {}",
                                   clip(key_, 200),
                                   clip(result_.target_etag, 80),
                                   source_.etag),
                       "the copy is not what the source was: copy it again")});
}

void ObjectCopy::on_source(const Answer& answer) {
    if (!answer.is_done()) {
        finish({answer.kind == AnswerKind::missing ? CopyKind::vanished : CopyKind::failed,
                "",
                answer.error});
        return;
    }
    kept_headers_ = carried_headers(answer);
    if (parts_of_etag(source_.etag) == 0) {
        plan_parts(0);
        return;
    }
    Call head = source_call("HEAD");
    head.query.emplace_back("partNumber", "1");
    ask_source(std::move(head), &ObjectCopy::on_first_part);
}

// A server that does not know partNumber answers with the whole object.
void ObjectCopy::on_first_part(const Answer& answer) {
    const bool is_told =
        answer.is_done()
        && number_of(answer.header("x-amz-mp-parts-count")) == parts_of_etag(source_.etag);
    plan_parts(is_told ? number_of(answer.header("content-length")) : 0);
}

// Without known part sizes the ETag cannot come out the same; a small object is then copied whole.
void ObjectCopy::plan_parts(std::int64_t first_part) {
    const std::int64_t parts = parts_of_etag(source_.etag);
    const auto size = parts > 0 ? part_size_of(source_.bytes, parts, first_part) : std::nullopt;
    if (!size && source_.bytes <= context_.copy_bytes_max) {
        copy_whole();
        return;
    }
    part_size_ = size ? *size : std::min(plain_part_size(source_.bytes), context_.copy_bytes_max);
    Call tags = source_call("GET");
    tags.query.emplace_back("tagging", "");
    ask_source(std::move(tags), &ObjectCopy::on_tags);
}

void ObjectCopy::on_tags(const Answer& answer) {
    if (!answer.is_done() && !has_no_tags(answer)) {
        finish({CopyKind::failed, "", answer.error.with_context("reading the tags")});
        return;
    }
    upload(tags_of(answer));
}

void ObjectCopy::upload(ObjectTags tags) {
    const auto self = shared_from_this();
    UploadPlan plan = {.key = context_.target.prefix + key_,
                       .bytes = source_.bytes,
                       .part_size = part_size_,
                       .headers = kept_headers_,
                       .tags = std::move(tags)};
    // Two versions may have the same bytes and other headers, so none goes on with an upload.
    const std::int64_t parts = (source_.bytes + part_size_ - 1) / part_size_;
    if (!is_version_ && parts_of_etag(source_.etag) == parts) {
        plan.proved_by = source_.etag;
    }
    std::make_shared<ObjectUpload>(
        context_,
        std::move(plan),
        [self](UploadPart part, ObjectUpload::PartDone done) {
            self->send_part(std::move(part), std::move(done));
        },
        [self](const Result<std::string>& etag) {
            if (etag) {
                self->finish_with_etag(*etag);
            } else {
                self->finish({CopyKind::failed, "", etag.error()});
            }
        })
        ->start();
}

// The server reads the range from the source by itself.
void ObjectCopy::send_part(UploadPart part, ObjectUpload::PartDone done) {
    part.call.headers = source_headers();
    part.call.headers.emplace_back("x-amz-copy-source-range",
                                   fmt::format("bytes={}-{}", part.begin, part.end - 1));
    part.call.has_xml_answer = true;
    context_.target.client->call(std::move(part.call),
                                 [done = std::move(done)](const Answer& answer) {
                                     done(answer.is_done() ? Result<std::string>(etag_in(answer))
                                                           : tl::unexpected(answer.error));
                                 });
}

void ObjectCopy::finish_with_etag(std::string target_etag) {
    result_.kind = target_etag == source_.etag ? CopyKind::verified : CopyKind::recorded;
    result_.target_etag = std::move(target_etag);
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

void ObjectCopy::finish(CopyResult result) {
    const Done done = std::move(done_);
    done(result);
}

}  // namespace drydock::mover::s3
