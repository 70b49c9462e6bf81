// Each ability is found out by a request that a lesser server gets wrong: a digest that does not
// match, a condition that does not hold.
#include "mover/s3/abilities.h"

#include "base/hash.h"
#include "base/text.h"
#include "mover/s3/listed_page.h"
#include "mover/s3/lost_uploads.h"
#include "mover/s3/object_facts.h"
#include "mover/s3/part_sizes.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace drydock::mover::s3 {
namespace {

constexpr const char* k_bytes = "drydock probes what this server can";

struct Probe {
    HttpLoop& loop;
    Client& client;
    std::string bucket;
    std::string key;

    Answer send(const char* method, NameValues query, NameValues headers, std::string body = {}) {
        return ask(loop,
                   client,
                   {.method = method,
                    .bucket = bucket,
                    .key = key,
                    .query = std::move(query),
                    .headers = std::move(headers),
                    .body = std::move(body)});
    }

    [[nodiscard]] NameValue copy_source() const {
        return {"x-amz-copy-source", "/" + bucket + "/" + percent_encoded(key, "/")};
    }
};

std::string digest_of(std::string_view bytes) {
    const Digest digest = sha256(bytes);
    return base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

// Returns the ETag of a part that the server copied from the object; empty if it did not. One that
// does not know the header of the source takes the request for a part without bytes.
std::string copied_part(Probe& probe, const NameValues& part) {
    const Answer answer = ask(probe.loop,
                              probe.client,
                              {.method = "PUT",
                               .bucket = probe.bucket,
                               .key = probe.key,
                               .query = part,
                               .headers = {probe.copy_source()},
                               .has_xml_answer = true});
    return answer.is_done() ? etag_in(answer) : std::string();
}

// A multipart upload of one part, copied or else sent, tells three abilities.
void probe_parts(Probe& probe, Abilities& abilities) {
    const Answer created = probe.send("POST", {{"uploads", ""}}, {});
    const auto root = parse_xml(created.wire.body);
    const std::string id(root ? root->text_of("UploadId") : "");
    if (!created.is_done() || id.empty()) {
        return;
    }
    const NameValues query = {{"partNumber", "1"}, {"uploadId", id}};
    std::string etag = copied_part(probe, query);
    abilities.copies_parts = !etag.empty();
    if (etag.empty()) {
        etag = bare_etag(probe.send("PUT", query, {}, k_bytes).header("etag"));
    }
    const std::string body = fmt::format("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
                                         "<ETag>\"{}\"</ETag></Part></CompleteMultipartUpload>",
                                         xml_escaped(etag));
    if (!probe.send("POST", {{"uploadId", id}}, {}, body).is_done()) {
        (void)probe.send("DELETE", {{"uploadId", id}}, {});
        return;
    }
    const Answer head = probe.send("HEAD", {{"partNumber", "1"}}, {});
    abilities.tells_part_sizes = head.is_done() && head.header("x-amz-mp-parts-count") == "1";
    const Answer whole = probe.send("HEAD", {}, {});
    abilities.digests_parts =
        whole.is_done() && bare_etag(whole.header("etag")) == etag_of_parts({etag});
}

bool keeps_tags(Probe& probe) {
    const Answer tags = probe.send("GET", {{"tagging", ""}}, {});
    return tags.is_done() && tags.wire.body.find("drydock-tag") != std::string::npos;
}

// Returns all that has the probe's key at its begin. In a bucket with versions a plain DELETE would
// only add a marker, so each version is named.
std::vector<ListedObject> listed_probes(Probe& probe, bool has_versions) {
    const Answer listed =
        ask(probe.loop,
            probe.client,
            {.bucket = probe.bucket,
             .query = {{"encoding-type", "url"},
                       {"prefix", probe.key},
                       has_versions ? NameValue("versions", "") : NameValue("list-type", "2")}});
    const auto page = read_listed_page(listed.wire.body);
    return page ? page->objects : std::vector<ListedObject>();
}

void clean_up(Probe& probe, bool has_versions) {
    for (const ListedObject& object : listed_probes(probe, has_versions)) {
        Probe one = {probe.loop, probe.client, probe.bucket, object.key};
        (void)one.send(
            "DELETE", has_versions ? NameValues{{"versionId", object.version}} : NameValues(), {});
    }
}

// Servers that keep objects as files may take a key for a path. The second key comes out as one of
// the probe's, too, so that no other object is written to.
bool keeps_keys(Probe& probe) {
    const std::string name = probe.key.substr(probe.key.rfind('/') + 1);
    const std::vector<std::string> keys = {probe.key + "-a//b", probe.key + "-c/../" + name + "-d"};
    for (const std::string& key : keys) {
        Probe one = {probe.loop, probe.client, probe.bucket, key};
        if (!one.send("PUT", {}, {}, k_bytes).is_done()) {
            return false;
        }
    }
    const std::vector<ListedObject> listed = listed_probes(probe, false);
    return std::all_of(keys.begin(), keys.end(), [&](const std::string& key) {
        return std::any_of(listed.begin(), listed.end(), [&](const ListedObject& object) {
            return object.key == key;
        });
    });
}

}  // namespace

Result<bool> has_versions_on(HttpLoop& loop, Client& client, const std::string& bucket) {
    const Answer answer = ask(
        loop, client, {.bucket = bucket, .query = {{"versioning", ""}}, .has_xml_answer = true});
    if (answer.wire.status == 501) {
        return false;
    }
    if (!answer.is_done()) {
        return tl::unexpected(answer.error.with_context("s3://" + bucket));
    }
    const auto root = parse_xml(answer.wire.body);
    return root && root->text_of("Status") == "Enabled";
}

bool is_path_like(std::string_view key) {
    const std::string parts = "/" + std::string(key) + "/";
    const std::string_view inner = key.ends_with('/') ? key.substr(0, key.size() - 1) : key;
    return key.starts_with('/') || inner.ends_with('/') || inner.find("//") != inner.npos
           || parts.find("/./") != parts.npos || parts.find("/../") != parts.npos;
}

Error other_key_error() {
    return {"s3.key",
            "the server would write this object to another key",
            "rename it at the source, or copy to a server that keeps such keys",
            ErrorClass::permanent};
}

std::string new_probe_key(const std::string& prefix) {
    std::random_device random;
    return fmt::format("{}.drydock-probe-{:08x}{:08x}", prefix, random(), random());
}

Status
remove_probe(HttpLoop& loop, Client& client, const std::string& bucket, const std::string& key) {
    Probe probe = {loop, client, bucket, key};
    DRYDOCK_TRY_ASSIGN(const bool has_versions, has_versions_on(loop, client, bucket));
    clean_up(probe, has_versions);
    DRYDOCK_TRY(remove_lost_uploads(loop, client, bucket, {key, 0}, WhichUploads::all));
    return {};
}

Result<Abilities>
probe_abilities(HttpLoop& loop, Client& client, const std::string& bucket, const std::string& key) {
    Abilities abilities;
    DRYDOCK_TRY_ASSIGN(abilities.keeps_versions, has_versions_on(loop, client, bucket));
    Probe probe = {loop, client, bucket, key};
    const Answer put = probe.send("PUT", {}, {{"x-amz-tagging", "drydock-tag=1"}}, k_bytes);
    const Answer plain = put.is_done() ? put : probe.send("PUT", {}, {}, k_bytes);
    if (!plain.is_done()) {
        return tl::unexpected(plain.error.with_context("trying to write to the target"));
    }
    abilities.keeps_tags = put.is_done() && keeps_tags(probe);
    abilities.checks_sums =
        !probe.send("PUT", {}, {{"x-amz-checksum-sha256", digest_of("other")}}, k_bytes).is_done();
    abilities.checks_if_none_match = probe.send("PUT", {}, {{"if-none-match", "*"}}, k_bytes).kind
                                     == AnswerKind::precondition_failed;
    abilities.checks_copy_condition =
        probe
            .send("PUT",
                  {},
                  {probe.copy_source(),
                   {"x-amz-copy-source-if-match", "\"00000000000000000000000000000000\""},
                   {"x-amz-metadata-directive", "REPLACE"}})
            .kind
        == AnswerKind::precondition_failed;
    probe_parts(probe, abilities);
    abilities.keeps_keys = keeps_keys(probe);
    clean_up(probe, abilities.keeps_versions);
    abilities.is_probed = true;
    return abilities;
}

std::vector<std::string> shortcomings(const Abilities& abilities, bool passes_bytes) {
    std::vector<std::string> lines;
    if (!abilities.is_probed) {
        return lines;
    }
    if (!abilities.checks_copy_condition && !passes_bytes) {
        lines.emplace_back(
            "the server copies whatever the source has become: each copy is compared "
            "with the ETag that was listed");
    }
    if (!abilities.tells_part_sizes && !passes_bytes) {
        lines.emplace_back("the server does not tell the sizes of parts: they are guessed from the "
                           "ETag, and where that fails the copy has another ETag");
    }
    if (!abilities.copies_parts && !passes_bytes) {
        lines.emplace_back("the server copies no parts: the bytes of objects that were uploaded in "
                           "parts, or are above 5 GiB, pass through drydock");
    }
    if (!abilities.digests_parts) {
        lines.emplace_back("the ETag of an upload is no digest of its parts: each part and the "
                           "size are checked, and the journal notes the ETag");
    }
    if (!abilities.checks_sums) {
        lines.emplace_back(
            "the server ignores checksums that come with a body: ETags are compared");
    }
    if (!abilities.checks_if_none_match) {
        lines.emplace_back("the server ignores If-None-Match: nobody else may write to the target");
    }
    if (!abilities.keeps_keys) {
        lines.emplace_back("the server takes keys for paths: a key with an empty part, \".\" or "
                           "\"..\" would become another one, and is left and named");
    }
    if (!abilities.keeps_tags) {
        lines.emplace_back("the server keeps no tags of objects: tags are lost");
    }
    return lines;
}

}  // namespace drydock::mover::s3
