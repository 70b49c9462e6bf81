// Builds a tree from expat's events.
//
// expat is opened with dlopen, as libcurl is. The open elements are a stack of their own, because a
// pointer into a vector of children would not survive its growth.
#include "mover/s3/xml.h"

#include "os/shared_library.h"

#include <expat.h>
#include <fmt/format.h>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_depth_max = 16;          // answers of S3 nest 5 deep
constexpr std::size_t k_elements_max = 200'000;  // a page of 1,000 versions has about 15,000

struct LibExpat {
    decltype(&XML_ParserCreate) create = nullptr;
    decltype(&XML_ParserFree) free = nullptr;
    decltype(&XML_SetUserData) set_user_data = nullptr;
    decltype(&XML_SetElementHandler) set_elements = nullptr;
    decltype(&XML_SetCharacterDataHandler) set_text = nullptr;
    decltype(&XML_SetStartDoctypeDeclHandler) set_doctype = nullptr;
    decltype(&XML_StopParser) stop = nullptr;
    decltype(&XML_Parse) parse = nullptr;
    std::string missing;  // the first name that was not found; empty: none
};

LibExpat open_library() {
    LibExpat expat;
    os::SharedLibrary library("libexpat.so.1");
    library.find("XML_ParserCreate", expat.create);
    library.find("XML_ParserFree", expat.free);
    library.find("XML_SetUserData", expat.set_user_data);
    library.find("XML_SetElementHandler", expat.set_elements);
    library.find("XML_SetCharacterDataHandler", expat.set_text);
    library.find("XML_SetStartDoctypeDeclHandler", expat.set_doctype);
    library.find("XML_StopParser", expat.stop);
    library.find("XML_Parse", expat.parse);
    expat.missing = library.missing();
    return expat;
}

const LibExpat& library() {
    static const LibExpat expat = open_library();
    return expat;
}

struct Builder {
    XML_Parser parser;
    std::vector<XmlElement> open;  // the path from the root to the element that is read
    XmlElement root;
    std::size_t elements = 0;
};

Builder& builder_of(void* user_data) {
    return *static_cast<Builder*>(user_data);
}

void begin_element(void* user_data, const char* name, const char** /*attributes*/) {
    Builder& builder = builder_of(user_data);
    if (builder.open.size() >= k_depth_max || ++builder.elements > k_elements_max) {
        library().stop(builder.parser, XML_FALSE);
        return;
    }
    const std::string_view whole(name);
    builder.open.emplace_back();
    builder.open.back().name = whole.substr(whole.find(':') + 1);
}

void end_element(void* user_data, const char* /*name*/) {
    Builder& builder = builder_of(user_data);
    XmlElement element = std::move(builder.open.back());
    builder.open.pop_back();
    if (builder.open.empty()) {
        builder.root = std::move(element);
    } else {
        builder.open.back().children.push_back(std::move(element));
    }
}

void add_text(void* user_data, const char* text, int size) {
    Builder& builder = builder_of(user_data);
    if (!builder.open.empty()) {
        builder.open.back().text.append(text, static_cast<std::size_t>(size));
    }
}

void refuse_doctype(void* user_data, const char*, const char*, const char*, int) {
    library().stop(builder_of(user_data).parser, XML_FALSE);
}

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
    for (const XmlElement& element : children) {
        if (element.name == child_name) {
            return &element;
        }
    }
    return nullptr;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
    const XmlElement* element = child(child_name);
    return element == nullptr ? std::string_view() : std::string_view(element->text);
}

Result<XmlElement> parse_xml(std::string_view text) {
    const LibExpat& expat = library();
    if (!expat.missing.empty()) {
        return fail("s3.library",
                    fmt::format("S3 answers in XML, and {} is not there", expat.missing),
                    "install libexpat1");
    }
    Builder builder;
    builder.parser = expat.create(nullptr);
    expat.set_user_data(builder.parser, &builder);
    expat.set_elements(builder.parser, &begin_element, &end_element);
    expat.set_text(builder.parser, &add_text);
    expat.set_doctype(builder.parser, &refuse_doctype);
    const auto status =
        expat.parse(builder.parser, text.data(), static_cast<int>(text.size()), XML_TRUE);
    expat.free(builder.parser);
    if (status != XML_STATUS_OK) {
        return fail("s3.answer",
                    "an answer of the server is no XML of S3",
                    "look at the endpoint: is it an S3 server?");
    }
    return std::move(builder.root);
}

std::string xml_escaped(std::string_view text) {
    std::string result;
    for (const char c : text) {
        switch (c) {
        case '&':
            result += "&amp;";
            break;
        case '<':
            result += "&lt;";
            break;
        case '>':
            result += "&gt;";
            break;
        case '"':
            result += "&quot;";
            break;
        default:
            result += c;
        }
    }
    return result;
}

}  // namespace drydock::mover::s3
