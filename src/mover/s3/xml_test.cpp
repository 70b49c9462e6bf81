#include "mover/s3/xml.h"

#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

TEST(Xml, IsATreeWithTexts) {
    const auto root = parse_xml("<?xml version=\"1.0\"?><a xmlns=\"urn:x\"><n:b>1&amp;<!-- no -->2"
                                "&#10;</n:b><b>3</b><c><d/></c></a>");
    ASSERT_TRUE(root);
    EXPECT_EQ(root->name, "a");
    EXPECT_EQ(root->text_of("b"), "1&2\n");
    EXPECT_EQ(root->children.size(), 3U);
    EXPECT_NE(root->child("c")->child("d"), nullptr);
    EXPECT_EQ(root->text_of("missing"), "");
}

// A server may send anything: cut-off documents, entities that grow, endless nesting.
TEST(Xml, RefusesWhatNoServerOfS3Sends) {
    std::string deep;
    for (int i = 0; i < 100; ++i) {
        deep += "<a>";
    }
    std::string wide = "<a>";
    for (int i = 0; i < 300'000; ++i) {
        wide += "<b/>";
    }
    for (const std::string& text : {std::string(),
                                    std::string("plain"),
                                    std::string("<a><b></b>"),
                                    std::string("<a>\x01</a>"),
                                    std::string("<!DOCTYPE a [<!ENTITY e \"x\">]><a>&e;</a>"),
                                    deep,
                                    wide + "</a>"}) {
        const auto root = parse_xml(text);
        ASSERT_FALSE(root) << text.substr(0, 60);
        EXPECT_EQ(root.error().code, "s3.answer");
    }
}

TEST(Xml, EscapesWhatItReadsBack) {
    const std::string text = "a<b>&\"c'";
    EXPECT_EQ(parse_xml("<t>" + xml_escaped(text) + "</t>")->text, text);
}

}  // namespace
}  // namespace drydock::mover::s3
