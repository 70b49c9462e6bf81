// Patches before they are sent: items by key, what is done already, and which test does not hold.
#include "kubernetes/json_patch.h"
#include "kubernetes/object.h"

#include <gtest/gtest.h>

namespace drydock::kubernetes {
namespace {

Json json(const std::string& text) {
    auto value = Json::parse(text);
    EXPECT_TRUE(value) << text;
    return value.value_or(Json());
}

const Json& service() {
    static const Json object = json(
        R"({"metadata":{"uid":"u","resourceVersion":"7","labels":{"a/b":"c"}},
            "spec":{"ports":[{"name":"api","nodePort":30650},{"name":"http","nodePort":30652}]}})");
    return object;
}

PreparedPatch prepared(const std::string& operations) {
    const auto patch = prepare_patch(service(), json(operations));
    EXPECT_TRUE(patch) << (patch ? "" : patch.error().text());
    return patch.value_or(PreparedPatch());
}

TEST(JsonPatch, finds_items_by_key_and_guards_them) {
    const auto patch =
        prepared(R"([{"op":"replace","path":"/spec/ports/[name=http]/nodePort","value":"30651"}])");
    EXPECT_FALSE(patch.is_applied);
    EXPECT_EQ(patch.failed_test, "");
    EXPECT_EQ(patch.operations.dump(),
              R"([{"op":"test","path":"/spec/ports/1/name","value":"http"},)"
              R"({"op":"replace","path":"/spec/ports/1/nodePort","value":30651}])");
}

TEST(JsonPatch, sees_what_is_done_already) {
    const char* done =
        R"([{"op":"test","path":"/spec/ports/0/nodePort","value":30649},
            {"op":"replace","path":"/spec/ports/0/nodePort","value":30650},
            {"op":"remove","path":"/spec/none"},
            {"op":"add","path":"/metadata/labels/a~1b","value":"c"}])";
    EXPECT_TRUE(prepared(done).is_applied);
    EXPECT_EQ(prepared(done).failed_test, "");
}

// The test of a value that the patch does not change counts, done or not.
TEST(JsonPatch, names_the_test_that_does_not_hold) {
    EXPECT_EQ(prepared(R"([{"op":"test","path":"/spec/ports/0/nodePort","value":30640},
                           {"op":"replace","path":"/spec/ports/0/nodePort","value":30649}])")
                  .failed_test,
              "/spec/ports/0/nodePort is 30650, not 30640");
    const auto other = prepared(R"([{"op":"test","path":"/spec/type","value":"NodePort"},
                                    {"op":"replace","path":"/spec/ports/0/nodePort","value":30650}])");
    EXPECT_EQ(other.failed_test, "/spec/type is not there, not NodePort");
    EXPECT_FALSE(other.is_applied);
}

TEST(JsonPatch, refuses_what_is_none) {
    for (const char* wrong :
         {R"({})",
          R"([])",
          R"([{"op":"test","path":"/metadata/uid","value":"u"}])",
          R"([{"op":"move","path":"/a","from":"/b"}])",
          R"([{"op":"replace","path":"/a"}])",
          R"([{"op":"replace","path":"a","value":1}])",
          R"([{"op":"replace","path":"/spec/ports/[name=ftp]/nodePort","value":1}])",
          R"([{"op":"replace","path":"/none/[name=api]/nodePort","value":1}])",
          R"([{"op":"replace","path":"/spec/ports/[api]/nodePort","value":1}])",
          R"([{"op":"replace","path":"/spec/ports/[name=api","value":1}])"}) {
        const auto patch = prepare_patch(service(), json(wrong));
        ASSERT_FALSE(patch) << wrong;
        EXPECT_EQ(patch.error().code, "kubernetes.patch");
    }
}

TEST(JsonPatch, holds_a_patch_to_one_object_at_one_version) {
    EXPECT_EQ(guarded(json(R"([{"op":"remove","path":"/a"}])"), "u", "7").dump(),
              R"([{"op":"replace","path":"/metadata/resourceVersion","value":"7"},)"
              R"({"op":"test","path":"/metadata/uid","value":"u"},{"op":"remove","path":"/a"}])");
}

TEST(JsonPatch, compares_a_manifest_with_what_became_of_it) {
    EXPECT_TRUE(
        contains(service(), json(R"({"spec":{"ports":[{"name":"api"},{"name":"http"}]}})")));
    EXPECT_FALSE(contains(service(), json(R"({"spec":{"ports":[{"name":"api"}]}})")));
    EXPECT_FALSE(contains(service(), json(R"({"spec":{"type":"NodePort"}})")));
}

TEST(ObjectName, makes_paths_of_plain_names_only) {
    const auto path = [](const std::string& resource,
                         std::optional<std::string> name_space,
                         const std::string& name) {
        return path_of(Object{{resource, std::move(name_space)}, name}).value_or("refused");
    };
    EXPECT_EQ(path("services", "default", "pachd"), "/api/v1/namespaces/default/services/pachd");
    EXPECT_EQ(path("apps/v1/deployments", "a", "b"), "/apis/apps/v1/namespaces/a/deployments/b");
    EXPECT_EQ(path("rbac.authorization.k8s.io/v1/clusterroles", {}, "system:node"),
              "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node");
    EXPECT_EQ(path("services", "", "pachd"), "refused");
    EXPECT_EQ(path("services", "a/b", "pachd"), "refused");
    EXPECT_EQ(path("services", "a", ""), "refused");
    EXPECT_EQ(path("services", "a", "x?dryRun=All"), "refused");
    EXPECT_EQ(path("a/b/c/d", "a", "x"), "refused");
    EXPECT_EQ(query_escape("suite=a,b in (c)"), "suite%3Da%2Cb%20in%20%28c%29");
}

}  // namespace
}  // namespace drydock::kubernetes
