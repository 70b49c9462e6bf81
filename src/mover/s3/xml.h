// A small tree of an XML answer, read by expat. Pure; the library is opened at its first use.
//
// Documents with a DOCTYPE are refused, so no entity of the server's own is ever expanded.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

struct XmlElement {
    std::string name;  // without a namespace prefix
    std::string text;  // of this element alone
    std::vector<XmlElement> children;

    // Returns the first child of that name, or null.
    [[nodiscard]] const XmlElement* child(std::string_view child_name) const;
    // Returns the text of that child; empty if there is none.
    [[nodiscard]] std::string_view text_of(std::string_view child_name) const;
};

// Errors: "s3.answer" for a text that is no well-formed XML, or is nested or branched beyond all
// answers of S3; "s3.library" without libexpat.
[[nodiscard]] Result<XmlElement> parse_xml(std::string_view text);

// Returns text with &, <, > and quotes escaped.
[[nodiscard]] std::string xml_escaped(std::string_view text);

}  // namespace drydock::mover::s3
