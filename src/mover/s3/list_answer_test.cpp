#include "mover/s3/list_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace drydock::mover::s3 {
namespace {

const std::string k_head = R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>)";

TEST(ListAnswer, has_keys_sizes_and_whether_there_is_more) {
    const auto page = read_list(
        k_head
        + "<IsTruncated>true</IsTruncated><Contents><Key>a&amp;b</Key><Size>12</Size></Contents>"
          "<Contents>\n<Key>c</Key><ETag>&quot;x&quot;</ETag><Size>0</Size>\n</Contents>"
          "</ListBucketResult>");
    ASSERT_TRUE(page) << page.error().text();
    ASSERT_EQ(page->objects.size(), 2U);
    EXPECT_EQ(page->objects[0].key, "a&b");
    EXPECT_EQ(page->objects[0].bytes, 12);
    EXPECT_EQ(page->objects[1].key, "c");
    EXPECT_TRUE(page->has_more);
}

TEST(ListAnswer, of_an_empty_bucket) {
    const auto page = read_list(k_head + "<IsTruncated>false</IsTruncated></ListBucketResult>");
    ASSERT_TRUE(page) << page.error().text();
    EXPECT_TRUE(page->objects.empty());
    EXPECT_FALSE(page->has_more);
}

TEST(ListAnswer, that_is_cut_off_is_refused) {
    const std::string whole =
        k_head + "<Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(read_list(whole.substr(0, size))) << size;
    }
    EXPECT_TRUE(read_list(whole));
    EXPECT_FALSE(read_list(k_head + "<Contents><Key>a</Key></Contents></ListBucketResult>"));
    EXPECT_FALSE(
        read_list(k_head + "<Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>"));
    EXPECT_FALSE(read_list(k_head + "<IsTruncated>true</IsTruncated></ListBucketResult>"));
}

TEST(ListAnswer, error_code) {
    EXPECT_EQ(error_code_of("<Error><Code>NoSuchKey</Code><Key>k</Key></Error>"), "NoSuchKey");
    EXPECT_EQ(error_code_of("<html>502</html>"), "");
}

}  // namespace
}  // namespace drydock::mover::s3
