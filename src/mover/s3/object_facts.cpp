// Reads answers to requests for one object. A header that is not listed here is not carried: it
// belongs to the server, as the date does.
#include "mover/s3/object_facts.h"

#include "mover/s3/listed_page.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::mover::s3 {
namespace {

constexpr const char* k_content_headers[] = {"content-type",
                                             "cache-control",
                                             "content-disposition",
                                             "content-encoding",
                                             "content-language",
                                             "expires",
                                             "x-amz-storage-class",
                                             "x-amz-website-redirect-location"};
constexpr long k_not_implemented = 501;

bool is_carried(std::string_view name) {
    return name.starts_with("x-amz-meta-")
           || std::find(std::begin(k_content_headers), std::end(k_content_headers), name)
                  != std::end(k_content_headers);
}

}  // namespace

NameValues carried_headers(const Answer& answer) {
    NameValues result;
    for (const auto& [name, value] : answer.wire.headers) {
        if (is_carried(name)) {
            result.emplace_back(name, value);
        }
    }
    return result;
}

ObjectTags tags_of(const Answer& answer) {
    ObjectTags tags;
    const auto root = parse_xml(answer.wire.body);
    const XmlElement* set = root ? root->child("TagSet") : nullptr;
    if (!answer.is_done() || set == nullptr) {
        return tags;
    }
    for (const XmlElement& tag : set->children) {
        tags.header += fmt::format("{}{}={}",
                                   tags.header.empty() ? "" : "&",
                                   percent_encoded(tag.text_of("Key")),
                                   percent_encoded(tag.text_of("Value")));
    }
    tags.document = answer.wire.body;
    return tags;
}

bool has_no_tags(const Answer& answer) {
    return answer.kind == AnswerKind::missing || answer.wire.status == k_not_implemented;
}

bool has_own_key(const Answer& answer) {
    return answer.header("x-amz-server-side-encryption").starts_with("aws:kms")
           || !answer.header("x-amz-server-side-encryption-customer-algorithm").empty();
}

std::string etag_in(const Answer& answer) {
    const auto root = parse_xml(answer.wire.body);
    return root ? std::string(bare_etag(root->text_of("ETag"))) : std::string();
}

std::int64_t number_of(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace drydock::mover::s3
