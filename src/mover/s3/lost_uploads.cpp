// ListMultipartUploads with the key as the prefix, page by page. The key itself comes first: every
// other key with that prefix is longer.
#include "mover/s3/lost_uploads.h"

#include "mover/s3/url.h"
#include "mover/s3/xml.h"

#include <ctime>
#include <vector>

namespace drydock::mover::s3 {
namespace {

// Of the clock that the note was made by: a server refuses signatures that are older.
constexpr std::int64_t k_clock_ms_max = 15LL * 60 * 1000;
constexpr int k_pages_max = 100;  // of uploads of one key

struct Found {
    std::string key;
    std::string id;
    std::int64_t begun_ms = 0;  // 0: the server does not tell
};

struct UploadPage {
    std::vector<Found> uploads;
    bool has_more = false;
    std::string next_key;
    std::string next_id;
};

// Reads "2026-01-01T00:00:00.000Z" to the second; 0 if it is none.
std::int64_t time_ms(std::string_view text) {
    std::tm parts{};
    const std::string copy(text);
    const char* end = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    return end == nullptr ? 0 : std::int64_t{timegm(&parts)} * 1000;
}

Result<UploadPage> read_page(std::string_view body) {
    DRYDOCK_TRY_ASSIGN(const XmlElement root, parse_xml(body));
    if (root.name != "ListMultipartUploadsResult") {
        return fail("s3.answer", "the list of uploads cannot be read", "look at the server");
    }
    const bool is_encoded = root.text_of("EncodingType") == "url";
    const auto plain = [&](std::string_view text) {
        return is_encoded ? percent_decoded(text) : Result<std::string>(std::string(text));
    };
    UploadPage page;
    page.has_more = root.text_of("IsTruncated") == "true";
    DRYDOCK_TRY_ASSIGN(page.next_key, plain(root.text_of("NextKeyMarker")));
    page.next_id = root.text_of("NextUploadIdMarker");
    for (const XmlElement& element : root.children) {
        if (element.name == "Upload") {
            Found found;
            DRYDOCK_TRY_ASSIGN(found.key, plain(element.text_of("Key")));
            found.id = element.text_of("UploadId");
            found.begun_ms = time_ms(element.text_of("Initiated"));
            page.uploads.push_back(std::move(found));
        }
    }
    return page;
}

// The bucket of which the uploads are, and the way to it.
struct Place {
    HttpLoop& loop;
    Client& client;
    const std::string& bucket;
};

// True if the server says that the upload is there and has no part.
bool is_empty(const Place& place, const Found& upload) {
    const Answer answer = ask(place.loop,
                              place.client,
                              {.bucket = place.bucket,
                               .key = upload.key,
                               .query = {{"uploadId", upload.id}, {"max-parts", "1"}},
                               .has_xml_answer = true});
    const auto root = parse_xml(answer.wire.body);
    return answer.is_done() && root && root->name == "ListPartsResult"
           && root->child("Part") == nullptr;
}

// True if the upload may be that of the intent: begun behind it, and in the wanted state.
bool is_lost(const Place& place,
             const UploadIntent& intent,
             WhichUploads which,
             const Found& upload) {
    const bool is_older =
        upload.begun_ms != 0 && upload.begun_ms < intent.noted_ms - k_clock_ms_max;
    return upload.key == intent.key && !is_older
           && (which != WhichUploads::without_parts || is_empty(place, upload));
}

Status remove(const Place& place, const Found& upload) {
    const Answer answer = ask(place.loop,
                              place.client,
                              {.method = "DELETE",
                               .bucket = place.bucket,
                               .key = upload.key,
                               .query = {{"uploadId", upload.id}}});
    if (!answer.is_done() && answer.kind != AnswerKind::missing) {
        return tl::unexpected(answer.error.with_context("removing an upload of an earlier run"));
    }
    return {};
}

}  // namespace

Result<LostUploads> remove_lost_uploads(HttpLoop& loop,
                                        Client& client,
                                        const std::string& bucket,
                                        const UploadIntent& intent,
                                        WhichUploads which) {
    LostUploads lost;
    UploadPage page;
    for (int i = 0; i < k_pages_max; ++i) {
        Call call = {.bucket = bucket,
                     .query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", intent.key}},
                     .has_xml_answer = true};
        if (page.has_more) {
            call.query.emplace_back("key-marker", page.next_key);
            call.query.emplace_back("upload-id-marker", page.next_id);
        }
        const Answer answer = ask(loop, client, std::move(call));
        if (!answer.is_done()) {
            lost.is_unsure = true;
            return lost;
        }
        DRYDOCK_TRY_ASSIGN(page, read_page(answer.wire.body));
        for (const Found& upload : page.uploads) {
            if (is_lost({loop, client, bucket}, intent, which, upload)) {
                DRYDOCK_TRY(remove({loop, client, bucket}, upload));
                ++lost.removed;
            }
        }
        if (!page.has_more || page.next_key != intent.key) {
            return lost;
        }
    }
    lost.is_unsure = true;
    return lost;
}

Status remove_noted_uploads(HttpLoop& loop,
                            Client& client,
                            const std::string& bucket,
                            CopyJournal& journal,
                            CloneReport& report,
                            NotedUploads which) {
    DRYDOCK_TRY_ASSIGN(const std::vector<OpenUpload> uploads, journal.uploads());
    for (const OpenUpload& upload : uploads) {
        if (which == NotedUploads::without_source && !upload.source.empty()) {
            continue;
        }
        const Answer answer = ask(loop,
                                  client,
                                  {.method = "DELETE",
                                   .bucket = bucket,
                                   .key = upload.key,
                                   .query = {{"uploadId", upload.id}}});
        if (!answer.is_done() && answer.kind != AnswerKind::missing) {
            return tl::unexpected(
                answer.error.with_context("removing an upload of an earlier run"));
        }
        report.removed_uploads += answer.is_done() ? 1 : 0;
        DRYDOCK_TRY(journal.remove_upload(upload.id));
    }
    return journal.commit();
}

Status remove_unknown_uploads(HttpLoop& loop,
                              Client& client,
                              const std::string& bucket,
                              CopyJournal& journal,
                              CloneReport& report) {
    DRYDOCK_TRY_ASSIGN(const std::vector<UploadIntent> intents, journal.intents());
    report.unsure_uploads = {};
    for (const UploadIntent& intent : intents) {
        DRYDOCK_TRY_ASSIGN(
            const LostUploads lost,
            remove_lost_uploads(loop, client, bucket, intent, WhichUploads::without_parts));
        report.removed_uploads += lost.removed;
        if (lost.is_unsure) {
            report.unsure_uploads.add(intent.key);
        } else {
            DRYDOCK_TRY(journal.remove_intent(intent.key));
        }
    }
    return journal.commit();
}

}  // namespace drydock::mover::s3
