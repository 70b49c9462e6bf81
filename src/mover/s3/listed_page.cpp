// Reads a page from its XML. Versions and delete markers stand in one list, whose order is kept.
#include "mover/s3/listed_page.h"

#include "mover/s3/url.h"
#include "mover/s3/xml.h"

#include <fmt/format.h>

#include <charconv>

namespace drydock::mover::s3 {
namespace {

tl::unexpected<Error> refuse(std::string_view reason) {
    return fail("s3.answer",
                fmt::format("the list of objects cannot be read: {}", reason),
                "look at the endpoint: is it an S3 server?");
}

Result<std::int64_t> read_size(std::string_view text) {
    std::int64_t bytes = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    if (error != std::errc() || end != text.data() + text.size() || bytes < 0) {
        return refuse("a size is no number");
    }
    return bytes;
}

Result<ListedObject> read_object(const XmlElement& element, bool is_encoded) {
    ListedObject object;
    const std::string_view key = element.text_of("Key");
    if (key.empty()) {
        return refuse("an object has no key");
    }
    if (is_encoded) {
        DRYDOCK_TRY_ASSIGN(object.key, percent_decoded(key));
    } else {
        object.key = key;
    }
    object.version = element.text_of("VersionId");
    object.is_marker = element.name == "DeleteMarker";
    if (!object.is_marker) {
        object.etag = bare_etag(element.text_of("ETag"));
        DRYDOCK_TRY_ASSIGN(object.bytes, read_size(element.text_of("Size")));
    }
    return object;
}

bool is_object(std::string_view name) {
    return name == "Contents" || name == "Version" || name == "DeleteMarker";
}

}  // namespace

std::string_view bare_etag(std::string_view etag) {
    if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
        etag.remove_prefix(1);
        etag.remove_suffix(1);
    }
    return etag;
}

Result<ListedPage> read_listed_page(std::string_view xml) {
    DRYDOCK_TRY_ASSIGN(const XmlElement root, parse_xml(xml));
    if (root.name != "ListBucketResult" && root.name != "ListVersionsResult") {
        return refuse("it is no list");
    }
    ListedPage page;
    const bool is_encoded = root.text_of("EncodingType") == "url";
    page.has_more = root.text_of("IsTruncated") == "true";
    for (const XmlElement& element : root.children) {
        if (is_object(element.name)) {
            DRYDOCK_TRY_ASSIGN(ListedObject object, read_object(element, is_encoded));
            page.objects.push_back(std::move(object));
        }
    }
    return page;
}

}  // namespace drydock::mover::s3
