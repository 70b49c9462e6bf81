// The chain of requests of one copy. Each answer's handler sends the next request.
//
//   whole:  PUT with copy-source                                           -> compare the ETag
//   parts:  HEAD source, HEAD part 1, GET tags, POST uploads, PUT parts..., POST complete, HEAD
//   target
//
// The end of a multipart upload is the one request that must not be repeated blindly. If its answer
// is lost, the target is read: an object of the right size and ETag is this copy; else the request
// is sent once more.
#include "mover/s3/object_copy.h"

#include "base/text.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_parts_under_way_max = 16;  // of one object
constexpr int k_completions_max = 3;

constexpr const char* k_content_headers[] = {"content-type",
                                             "cache-control",
                                             "content-disposition",
                                             "content-encoding",
                                             "content-language",
                                             "expires",
                                             "x-amz-storage-class",
                                             "x-amz-website-redirect-location"};

bool is_carried(std::string_view name) {
    return name.starts_with("x-amz-meta-")
           || std::find(std::begin(k_content_headers), std::end(k_content_headers), name)
                  != std::end(k_content_headers);
}

std::int64_t number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

std::string etag_in(const Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    return root ? std::string(bare_etag(root->text_of("ETag"))) : std::string();
}

// Returns the tags as the header x-amz-tagging wants them.
std::string tags_in(const Answer& answer) {
    std::string text;
    const auto root = parse_xml(answer.wire.body);
    const XmlElement* set = root ? root->child("TagSet") : nullptr;
    if (set == nullptr) {
        return text;
    }
    for (const XmlElement& tag : set->children) {
        text += fmt::format("{}{}={}",
                            text.empty() ? "" : "&",
                            percent_encoded(tag.text_of("Key")),
                            percent_encoded(tag.text_of("Value")));
    }
    return text;
}

// True if the ETag of this object is no digest of its bytes.
bool has_own_key(const Answer& answer) {
    return answer.header("x-amz-server-side-encryption").starts_with("aws:kms")
           || !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
}

Error copy_error(const char* code, std::string message, const char* remedy = "") {
    return {code, std::move(message), remedy, ErrorClass::transient};
}

}  // namespace

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

bool ObjectCopy::wants_parts() const {
    return source_.bytes > context_.copy_bytes_max
           || (source_.bytes > 0 && parts_of_etag(source_.etag) > 0);
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
    if (wants_parts()) {
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
        tell_bytes(source_.bytes);
        const std::string etag = etag_in(answer);
        const bool must_be_equal = parts_of_etag(source_.etag) == 0 && etag != source_.etag;
        must_be_equal ? explain_etag(etag) : finish_with_etag(etag);
    } else if (answer.kind == AnswerKind::missing && answer.error_code != "NoSuchBucket") {
        finish({CopyKind::vanished, "", answer.error});
    } else {
        finish({CopyKind::failed, "", answer.error});
    }
}

// Two whole objects with the same bytes have the same ETag, unless one of them is encrypted with a
// key of its own. The headers of both tell.
void ObjectCopy::explain_etag(std::string target_etag) {
    result_.target_etag = std::move(target_etag);
    ask_source(source_call("HEAD"), &ObjectCopy::on_encrypted_source);
}

void ObjectCopy::on_encrypted_source(const Answer& answer) {
    is_source_encrypted_ = answer.is_done() && has_own_key(answer);
    ask_target(target_call("HEAD"), &ObjectCopy::on_encrypted_target);
}

void ObjectCopy::on_encrypted_target(const Answer& answer) {
    const bool is_explained = answer.is_done() && (is_source_encrypted_ || has_own_key(answer))
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
    for (const auto& [name, value] : answer.wire.headers) {
        if (is_carried(name)) {
            kept_headers_.emplace_back(name, value);
        }
    }
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
    const bool has_none = answer.kind == AnswerKind::missing || answer.wire.status == 501;
    if (!answer.is_done() && !has_none) {
        finish({CopyKind::failed, "", answer.error.with_context("reading the tags")});
        return;
    }
    tags_ = answer.is_done() ? tags_in(answer) : "";
    if (!tags_.empty()) {
        tags_document_ = answer.wire.body;
        kept_headers_.emplace_back("x-amz-tagging", tags_);
    }
    create_upload();
}

void ObjectCopy::create_upload() {
    Call post = target_call("POST");
    post.query = {{"uploads", ""}};
    post.headers = kept_headers_;
    post.has_xml_answer = true;
    ask_target(std::move(post), &ObjectCopy::on_upload);
}

void ObjectCopy::on_upload(const Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    upload_id_ = root ? std::string(root->text_of("UploadId")) : std::string();
    if (!answer.is_done() || upload_id_.empty()) {
        finish({CopyKind::failed,
                "",
                answer.is_done() ? copy_error("s3.answer", "the upload has no id") : answer.error});
        return;
    }
    if (context_.upload_begun) {
        context_.upload_begun(context_.target.prefix + key_, upload_id_);
    }
    part_etags_.resize(static_cast<std::size_t>((source_.bytes + part_size_ - 1) / part_size_));
    send_parts();
}

void ObjectCopy::tell_bytes(std::int64_t bytes) const {
    if (context_.bytes_copied) {
        context_.bytes_copied(bytes);
    }
}

// A large object takes hours. Its parts are given up: the next run copies them again.
bool ObjectCopy::stops_between_parts() {
    const bool stops = !has_failed_ && next_part_ < part_etags_.size() && context_.is_to_stop
                       && context_.is_to_stop();
    if (stops) {
        has_failed_ = true;
        result_.error = copy_error("s3.paused", "paused between two parts");
    }
    return stops;
}

void ObjectCopy::send_parts() {
    if (stops_between_parts() && parts_under_way_ == 0) {
        give_up(result_.error);
        return;
    }
    while (next_part_ < part_etags_.size() && parts_under_way_ < k_parts_under_way_max
           && !has_failed_) {
        const std::size_t index = next_part_++;
        ++parts_under_way_;
        const std::int64_t begin = static_cast<std::int64_t>(index) * part_size_;
        const std::int64_t end = std::min(begin + part_size_, source_.bytes) - 1;
        Call put = target_call("PUT");
        put.query = {{"partNumber", std::to_string(index + 1)}, {"uploadId", upload_id_}};
        put.headers = source_headers();
        put.headers.emplace_back("x-amz-copy-source-range", fmt::format("bytes={}-{}", begin, end));
        put.has_xml_answer = true;
        context_.target.client->call(std::move(put),
                                     [self = shared_from_this(), index](const Answer& answer) {
                                         self->on_part(index, answer);
                                     });
    }
}

void ObjectCopy::on_part(std::size_t index, const Answer& answer) {
    --parts_under_way_;
    if (!answer.is_done()) {
        if (!has_failed_) {
            has_failed_ = true;
            result_.error = answer.error.with_context(fmt::format("part {}", index + 1));
        }
    } else {
        part_etags_[index] = etag_in(answer);
        ++parts_done_;
        tell_bytes(
            std::min(part_size_, source_.bytes - static_cast<std::int64_t>(index) * part_size_));
    }
    if (has_failed_) {
        if (parts_under_way_ == 0) {
            give_up(result_.error);
        }
        return;
    }
    if (parts_done_ == part_etags_.size()) {
        complete();
    } else {
        send_parts();
    }
}

void ObjectCopy::complete() {
    ++completions_;
    Call post = target_call("POST");
    post.query = {{"uploadId", upload_id_}};
    post.has_xml_answer = true;
    post.is_repeatable = false;
    post.body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (std::size_t i = 0; i < part_etags_.size(); ++i) {
        post.body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"{}\"</ETag></Part>",
                                 i + 1,
                                 xml_escaped(part_etags_[i]));
    }
    post.body += "</CompleteMultipartUpload>";
    ask_target(std::move(post), &ObjectCopy::on_complete);
}

// "No such upload" after an unknown outcome means that the first request was carried out.
void ObjectCopy::on_complete(const Answer& answer) {
    is_complete_unknown_ = !answer.is_done();
    const bool can_be_done = answer.is_done() || answer.kind == AnswerKind::unknown_outcome
                             || answer.error_code == "NoSuchUpload"
                             || answer.error_code == "InternalError";
    if (!can_be_done) {
        give_up(answer.error);
        return;
    }
    result_.error = answer.error;
    ask_target(target_call("HEAD"), &ObjectCopy::on_target);
}

// Returns the name of a header that the target does not have as the source has it; empty if none.
std::string ObjectCopy::lost_header(const Answer& target) const {
    for (const auto& [name, value] : kept_headers_) {
        const bool is_told = name != "x-amz-tagging" && name != "x-amz-storage-class";
        if (is_told && target.header(name) != value) {
            return name;
        }
    }
    return {};
}

void ObjectCopy::on_target(const Answer& answer) {
    const std::string etag(bare_etag(answer.header("etag")));
    const std::string expected = etag_of_parts(part_etags_);
    const bool is_it = answer.is_done()
                       && number_of(answer.header("content-length")) == source_.bytes
                       && (expected.empty() ? !is_complete_unknown_ : etag == expected);
    if (!is_it && is_complete_unknown_ && completions_ < k_completions_max) {
        complete();
        return;
    }
    if (!is_it) {
        give_up(answer.is_done() ? copy_error("s3.etag",
                                              fmt::format("{}: the copy has the ETag {} and not {}",
                                                          clip(key_, 200),
                                                          clip(etag, 80),
                                                          expected))
                                 : answer.error);
        return;
    }
    if (const std::string name = lost_header(answer); !name.empty()) {
        give_up(copy_error("s3.metadata",
                           fmt::format("{}: the target did not keep {}", clip(key_, 200), name)));
        return;
    }
    result_.target_etag = etag;
    if (tags_.empty()) {
        close_upload();
        return;
    }
    Call tags = target_call("GET");
    tags.query.emplace_back("tagging", "");
    ask_target(std::move(tags), &ObjectCopy::on_target_tags);
}

// Some servers ignore the tags of CreateMultipartUpload. The tags are then put by themselves.
void ObjectCopy::on_target_tags(const Answer& answer) {
    if (answer.is_done() && tags_in(answer) == tags_) {
        close_upload();
        return;
    }
    if (has_put_tags_) {
        give_up(copy_error("s3.metadata",
                           fmt::format("{}: the target did not keep the tags", clip(key_, 200))));
        return;
    }
    has_put_tags_ = true;
    Call put = target_call("PUT");
    put.query = {{"tagging", ""}};
    put.headers = {{"content-md5", base64_encode(md5(tags_document_))}};
    put.body = tags_document_;
    ask_target(std::move(put), &ObjectCopy::on_tags_put);
}

// The answer alone is no proof: the tags are read again.
void ObjectCopy::on_tags_put(const Answer& answer) {
    if (!answer.is_done()) {
        give_up(answer.error.with_context("setting the tags"));
        return;
    }
    Call tags = target_call("GET");
    tags.query.emplace_back("tagging", "");
    ask_target(std::move(tags), &ObjectCopy::on_target_tags);
}

void ObjectCopy::close_upload() {
    if (context_.upload_ended) {
        context_.upload_ended(upload_id_);
    }
    finish_with_etag(result_.target_etag);
}

void ObjectCopy::give_up(Error error) {
    result_ = {CopyKind::failed, "", std::move(error)};
    Call abort = target_call("DELETE");
    abort.query = {{"uploadId", upload_id_}};
    ask_target(std::move(abort), &ObjectCopy::on_abort);
}

// An upload that could not be removed stays in the journal, and the next run removes it.
void ObjectCopy::on_abort(const Answer& answer) {
    if (context_.upload_ended && (answer.is_done() || answer.kind == AnswerKind::missing)) {
        context_.upload_ended(upload_id_);
    }
    finish(result_);
}

void ObjectCopy::finish_with_etag(std::string target_etag) {
    result_.kind = target_etag == source_.etag ? CopyKind::verified : CopyKind::recorded;
    result_.target_etag = std::move(target_etag);
    if (!context_.keeps_acl) {
        finish(result_);
        return;
    }
    Call acl = source_call("GET");
    acl.query.emplace_back("acl", "");
    acl.has_xml_answer = true;
    ask_source(std::move(acl), &ObjectCopy::on_acl);
}

// No copy carries the ACL, so it is read and put by itself.
void ObjectCopy::on_acl(const Answer& answer) {
    if (!answer.is_done()) {
        finish({CopyKind::failed, "", answer.error.with_context("reading the ACL")});
        return;
    }
    Call put = target_call("PUT");
    put.query = {{"acl", ""}};
    put.body = answer.wire.body;
    ask_target(std::move(put), &ObjectCopy::on_acl_put);
}

void ObjectCopy::on_acl_put(const Answer& answer) {
    finish(answer.is_done()
               ? result_
               : CopyResult{CopyKind::failed, "", answer.error.with_context("setting the ACL")});
}

void ObjectCopy::finish(CopyResult result) {
    const Done done = std::move(done_);
    done(result);
}

}  // namespace drydock::mover::s3
