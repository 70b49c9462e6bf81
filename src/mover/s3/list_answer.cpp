// Reads the two XML answers that drydock needs, by a search for elements.
//
// The elements that are read have no attributes and contain no others of their name. So a search
// for `<Name>` and `</Name>` is enough, and no XML library with its entities and external documents
// is exposed to a server. A whole list ends with `</ListBucketResult>`; without that end it was cut
// off.
#include "mover/s3/list_answer.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace drydock::mover::s3 {
namespace {

tl::unexpected<Error> refuse(std::string_view reason) {
    return fail("s3.answer",
                fmt::format("the list of objects cannot be read: {}", reason),
                "look at the endpoint: is it an S3 server?");
}

// Returns the text between <name> and </name>, searched from `offset`, and moves `offset` behind
// it. Returns nothing if there is no further element.
std::optional<std::string_view>
element(std::string_view xml, std::string_view name, std::size_t& offset) {
    const std::string open = fmt::format("<{}>", name);
    const std::string close = fmt::format("</{}>", name);
    const auto begin = xml.find(open, offset);
    const auto end = begin == xml.npos ? xml.npos : xml.find(close, begin + open.size());
    if (end == xml.npos) {
        return std::nullopt;
    }
    offset = end + close.size();
    return xml.substr(begin + open.size(), end - begin - open.size());
}

std::optional<std::string_view> element(std::string_view xml, std::string_view name) {
    std::size_t offset = 0;
    return element(xml, name, offset);
}

struct Entity {
    std::string_view name;
    char character;
};

constexpr Entity k_entities[] = {
    {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

// Replaces the five entities of XML. Numeric ones stay: the keys of blobs need none.
std::string without_entities(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t step = 1;
        char character = text[i];
        for (const Entity& entity : k_entities) {
            if (text.substr(i).starts_with(entity.name)) {
                character = entity.character;
                step = entity.name.size();
            }
        }
        plain += character;
        i += step;
    }
    return plain;
}

Result<Object> read_object(std::string_view xml) {
    const auto key = element(xml, "Key");
    const auto size = element(xml, "Size");
    if (!key || !size) {
        return refuse("an object has no key or no size");
    }
    Object object = {without_entities(*key), 0};
    const auto [end, error] =
        std::from_chars(size->data(), size->data() + size->size(), object.bytes);
    if (error != std::errc() || end != size->data() + size->size()) {
        return refuse("a size is no number");
    }
    return object;
}

}  // namespace

// A page that announces more and has no object would make the caller ask for ever.
Result<ListPage> read_list(std::string_view xml) {
    if (xml.find("<ListBucketResult") == xml.npos || xml.find("</ListBucketResult>") == xml.npos) {
        return refuse("it is no whole ListBucketResult");
    }
    ListPage page;
    page.has_more = element(xml, "IsTruncated") == std::string_view("true");
    std::size_t offset = 0;
    while (const auto contents = element(xml, "Contents", offset)) {
        DRYDOCK_TRY_ASSIGN(Object object, read_object(*contents));
        page.objects.push_back(std::move(object));
    }
    if (page.has_more && page.objects.empty()) {
        return refuse("there is more, and no object");
    }
    return page;
}

std::string error_code_of(std::string_view xml) {
    const auto error = element(xml, "Error");
    const auto code = error ? element(*error, "Code") : std::nullopt;
    return code ? std::string(*code) : std::string();
}

}  // namespace drydock::mover::s3
