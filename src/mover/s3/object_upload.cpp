// POST uploads, PUT parts, POST complete, HEAD, GET tags: each answer's handler sends the next
// request.
//
// The end of a multipart upload is the one request that must not be repeated blindly. If its answer
// is lost, the target is read: an object of the right size and ETag is this one; else the request
// is sent once more.
#include "mover/s3/object_upload.h"

#include "base/text.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr int k_completions_max = 3;

Error upload_error(const char* code, std::string message) {
    return {code, std::move(message), "", ErrorClass::transient};
}

// The ETag and the size of the parts: with both the same, part N has the same bytes.
std::string source_text(const UploadPlan& plan) {
    return fmt::format("{} {} {}", plan.proved_by, plan.bytes, plan.part_size);
}

}  // namespace

Error paused_error() {
    return upload_error("s3.paused", "paused in front of a part");
}

ObjectUpload::ObjectUpload(const CopyContext& context, UploadPlan plan, SendPart send, Done done)
    : context_(context)
    , plan_(std::move(plan))
    , send_(std::move(send))
    , done_(std::move(done)) {
}

Call ObjectUpload::target_call(const char* method) const {
    return {.method = method, .bucket = context_.target.bucket, .key = plan_.key};
}

void ObjectUpload::ask_target(Call call, void (ObjectUpload::*next)(const Answer&)) {
    context_.target.client->call(
        std::move(call),
        [self = shared_from_this(), next](const Answer& answer) { ((*self).*next)(answer); });
}

// The parts of a dead run are of this object if its ETag and the size of parts are the same.
void ObjectUpload::start() {
    part_etags_.resize(
        static_cast<std::size_t>((plan_.bytes + plan_.part_size - 1) / plan_.part_size));
    if (!plan_.proved_by.empty() && context_.take_upload) {
        upload_id_ = context_.take_upload(plan_.key, source_text(plan_));
    }
    if (upload_id_.empty()) {
        create();
    } else {
        is_resumed_ = true;
        list_parts(0);
    }
}

void ObjectUpload::list_parts(std::size_t behind) {
    Call get = target_call("GET");
    get.query = {{"max-parts", "1000"},
                 {"part-number-marker", std::to_string(behind)},
                 {"uploadId", upload_id_}};
    get.has_xml_answer = true;
    ask_target(std::move(get), &ObjectUpload::on_parts);
}

// An upload that is gone, or whose list cannot be read, is given up for a new one.
void ObjectUpload::on_parts(const Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    const bool is_list = answer.is_done() && root && root->name == "ListPartsResult";
    if (is_list && root->text_of("IsTruncated") == "true" && take_parts(*root)) {
        list_parts(next_part_);
        return;
    }
    const bool is_whole = is_list && root->text_of("IsTruncated") != "true" && take_parts(*root);
    if (!is_whole) {
        is_resumed_ = false;
        parts_done_ = 0;
        part_etags_.assign(part_etags_.size(), "");
    }
    next_part_ = 0;
    if (!is_whole) {
        Call abort = target_call("DELETE");
        abort.query = {{"uploadId", upload_id_}};
        ask_target(std::move(abort), &ObjectUpload::on_stale);
    } else if (parts_done_ == part_etags_.size()) {
        complete();
    } else {
        send_parts();
    }
}

void ObjectUpload::on_stale(const Answer& answer) {
    const bool is_gone = answer.is_done() || answer.kind == AnswerKind::missing;
    if (is_gone && context_.upload_ended) {
        context_.upload_ended(upload_id_);
    }
    upload_id_.clear();
    create();
}

// Notes the parts of one page, and in next_part_ the last of them. Returns false for a page without
// a new part. Parts of another size are sent again.
bool ObjectUpload::take_parts(const XmlElement& root) {
    const std::size_t before = next_part_;
    for (const XmlElement& element : root.children) {
        const std::int64_t number = number_of(element.text_of("PartNumber"));
        if (element.name != "Part" || number < 1 || number > std::ssize(part_etags_)) {
            continue;
        }
        const std::int64_t begin = (number - 1) * plan_.part_size;
        const std::int64_t bytes = std::min(plan_.part_size, plan_.bytes - begin);
        std::string& etag = part_etags_[static_cast<std::size_t>(number - 1)];
        next_part_ = std::max(next_part_, static_cast<std::size_t>(number));
        if (etag.empty() && number_of(element.text_of("Size")) == bytes) {
            etag = bare_etag(element.text_of("ETag"));
            parts_done_ += etag.empty() ? 0U : 1U;
        }
    }
    return next_part_ > before || root.child("Part") == nullptr;
}

// Sent once: a second request would make a second upload, and the first would stay.
void ObjectUpload::create() {
    Call post = target_call("POST");
    post.query = {{"uploads", ""}};
    post.headers = plan_.headers;
    if (!plan_.tags.is_empty()) {
        post.headers.emplace_back("x-amz-tagging", plan_.tags.header);
    }
    post.has_xml_answer = true;
    post.is_repeatable = false;
    ask_target(std::move(post), &ObjectUpload::on_upload);
}

void ObjectUpload::on_upload(const Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    upload_id_ = root ? std::string(root->text_of("UploadId")) : std::string();
    if (!answer.is_done() || upload_id_.empty()) {
        const bool is_lost = answer.is_done() || answer.kind == AnswerKind::unknown_outcome;
        if (is_lost && context_.upload_lost) {
            context_.upload_lost(plan_.key);
        }
        finish(tl::unexpected(answer.is_done() ? upload_error("s3.answer", "the upload has no id")
                                               : answer.error));
        return;
    }
    if (!plan_.proved_by.empty() && context_.upload_can_resume) {
        context_.upload_can_resume(upload_id_, source_text(plan_));
    }
    if (context_.upload_begun) {
        context_.upload_begun(plan_.key, upload_id_);
    }
    send_parts();
}

// A large object takes hours. Its parts are given up: the next run copies them again.
bool ObjectUpload::stops_between_parts() {
    const bool stops = !has_failed_ && next_part_ < part_etags_.size() && context_.stops();
    if (stops) {
        has_failed_ = true;
        error_ = paused_error();
    }
    return stops;
}

void ObjectUpload::send_parts() {
    if (stops_between_parts() && parts_under_way_ == 0) {
        give_up(error_);
        return;
    }
    while (next_part_ < part_etags_.size() && parts_under_way_ < plan_.parts_under_way_max
           && !has_failed_) {
        if (!part_etags_[next_part_].empty()) {
            ++next_part_;  // of a dead run
            continue;
        }
        UploadPart part;
        part.index = next_part_++;
        ++parts_under_way_;
        part.begin = static_cast<std::int64_t>(part.index) * plan_.part_size;
        part.end = std::min(part.begin + plan_.part_size, plan_.bytes);
        part.call = target_call("PUT");
        part.call.query = {{"partNumber", std::to_string(part.index + 1)},
                           {"uploadId", upload_id_}};
        const std::size_t index = part.index;
        send_(std::move(part), [self = shared_from_this(), index](const Result<std::string>& etag) {
            self->on_part(index, etag);
        });
    }
}

void ObjectUpload::on_part(std::size_t index, const Result<std::string>& etag) {
    --parts_under_way_;
    if (!etag) {
        if (!has_failed_) {
            has_failed_ = true;
            error_ = etag.error().with_context(fmt::format("part {}", index + 1));
        }
    } else {
        part_etags_[index] = *etag;
        ++parts_done_;
        const std::int64_t begin = static_cast<std::int64_t>(index) * plan_.part_size;
        context_.tell_bytes(std::min(plan_.part_size, plan_.bytes - begin));
    }
    if (has_failed_) {
        if (parts_under_way_ == 0) {
            give_up(error_);
        }
        return;
    }
    if (parts_done_ == part_etags_.size()) {
        complete();
    } else {
        send_parts();
    }
}

void ObjectUpload::complete() {
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
    ask_target(std::move(post), &ObjectUpload::on_complete);
}

// "No such upload" after an unknown outcome means that the first request was carried out.
void ObjectUpload::on_complete(const Answer& answer) {
    is_complete_unknown_ = !answer.is_done();
    const bool can_be_done = answer.is_done() || answer.kind == AnswerKind::unknown_outcome
                             || answer.error_code == "NoSuchUpload"
                             || answer.error_code == "InternalError";
    if (!can_be_done) {
        give_up(answer.error);
        return;
    }
    ask_target(target_call("HEAD"), &ObjectUpload::on_target);
}

// Returns the name of a header that the target does not have as it was given; empty if none.
std::string ObjectUpload::lost_header(const Answer& target) const {
    for (const auto& [name, value] : plan_.headers) {
        if (name != "x-amz-storage-class" && target.header(name) != value) {
            return name;
        }
    }
    return {};
}

void ObjectUpload::on_target(const Answer& answer) {
    etag_ = bare_etag(answer.header("etag"));
    const std::string expected = context_.digests_parts ? etag_of_parts(part_etags_) : "";
    const bool is_it = answer.is_done() && number_of(answer.header("content-length")) == plan_.bytes
                       && (expected.empty() ? !is_complete_unknown_ : etag_ == expected);
    if (!is_it && is_complete_unknown_ && completions_ < k_completions_max) {
        complete();
        return;
    }
    if (is_it && is_resumed_ && etag_ != plan_.proved_by) {
        give_up(upload_error(
            "s3.etag", clip(plan_.key, 200) + ": the parts of an earlier run are not the source"));
        return;
    }
    if (!is_it) {
        give_up(answer.is_done() ? upload_error("s3.etag",
                                                fmt::format("{}: the copy has the ETag {} and not "
                                                            "{}",
                                                            clip(plan_.key, 200),
                                                            clip(etag_, 80),
                                                            expected))
                                 : answer.error);
        return;
    }
    if (const std::string name = lost_header(answer); !name.empty()) {
        give_up(upload_error(
            "s3.metadata",
            fmt::format("{}: the target did not keep {}", clip(plan_.key, 200), name)));
        return;
    }
    if (plan_.tags.is_empty()) {
        finish(etag_);
    } else {
        read_tags();
    }
}

void ObjectUpload::read_tags() {
    Call tags = target_call("GET");
    tags.query.emplace_back("tagging", "");
    ask_target(std::move(tags), &ObjectUpload::on_tags);
}

// Some servers ignore the tags of CreateMultipartUpload. The tags are then put by themselves.
void ObjectUpload::on_tags(const Answer& answer) {
    if (answer.is_done() && tags_of(answer).header == plan_.tags.header) {
        finish(etag_);
        return;
    }
    if (has_put_tags_) {
        give_up(upload_error(
            "s3.metadata",
            fmt::format("{}: the target did not keep the tags", clip(plan_.key, 200))));
        return;
    }
    has_put_tags_ = true;
    Call put = target_call("PUT");
    put.query = {{"tagging", ""}};
    put.headers = {{"content-md5", base64_encode(md5(plan_.tags.document))}};
    put.body = plan_.tags.document;
    ask_target(std::move(put), &ObjectUpload::on_tags_put);
}

// The answer alone is no proof: the tags are read again.
void ObjectUpload::on_tags_put(const Answer& answer) {
    if (!answer.is_done()) {
        give_up(answer.error.with_context("setting the tags"));
        return;
    }
    read_tags();
}

void ObjectUpload::give_up(Error error) {
    error_ = std::move(error);
    Call abort = target_call("DELETE");
    abort.query = {{"uploadId", upload_id_}};
    ask_target(std::move(abort), &ObjectUpload::on_abort);
}

// An upload that could not be removed stays in the journal, and the next run removes it.
void ObjectUpload::on_abort(const Answer& answer) {
    if (!answer.is_done() && answer.kind != AnswerKind::missing) {
        upload_id_.clear();
    }
    finish(tl::unexpected(error_));
}

void ObjectUpload::finish(const Result<std::string>& result) {
    if (!upload_id_.empty() && context_.upload_ended) {
        context_.upload_ended(upload_id_);
    }
    const Done done = std::move(done_);
    send_ = nullptr;  // it may hold the owner of this upload
    done(result);
}

}  // namespace drydock::mover::s3
