// Commands on data: stores, virtual folders, extract files, buckets.
#include "cli/execute_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::cli {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ExecuteData : public ::testing::Test, protected Typist {};

TEST_F(ExecuteData, StoreCommandsTellDamageFromWhatCannotBeRead) {
    EXPECT_EQ(type({"store", "inspect", "backy.cfg", "--key-file", "key"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("inspect backy.cfg key"));
    fake_app().inspection.missing = 1;
    EXPECT_EQ(type({"store", "inspect", "backy.cfg"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("something is missing"));
    fake_app().inspection = {};
    fake_app().inspection.orphan_rows = 1;
    EXPECT_EQ(type({"store", "inspect", "backy.cfg"}), 1);
    fake_app().inspection = {};
    fake_app().inspection.schema.half_done = "column expire added";
    EXPECT_EQ(type({"store", "inspect", "backy.cfg"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("half-done upgrade: column expire added"));
    EXPECT_THAT(out_.str(), Not(HasSubstr("--undo")));
    fake_app().inspection.schema.undo = "ALTER TABLE versions DROP COLUMN expire";
    EXPECT_EQ(type({"store", "inspect", "backy.cfg"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("with --undo it takes the half step back"));
    fake_app().store_failure = {app::k_exit_usage, {{"blocks.metadata", "no database", ""}}};
    EXPECT_EQ(type({"store", "inspect", "backy.cfg", "--json"}), 2);
    EXPECT_THAT(out_.str(), HasSubstr("blocks.metadata"));
    EXPECT_EQ(type({"store", "inspect"}), 2);
    EXPECT_EQ(type({"store", "inspct", "backy.cfg"}), 2);
}

TEST_F(ExecuteData, VfoldersMoveEndsWithOneUnlessAllAreInPlace) {
    fake_app().vfolders.report.is_done = true;
    EXPECT_EQ(type({"vfolders", "move", "/vf", "--list", "rows"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("vfolders /vf rows"));
    EXPECT_THAT(out_.str(), HasSubstr("--back takes it back"));
    fake_app().vfolders.report.blocked = 1;
    EXPECT_EQ(type({"vfolders", "move", "/vf"}), 1);
    fake_app().vfolders.report.blocked = 0;
    fake_app().vfolders.report.vanished = 1;
    EXPECT_EQ(type({"vfolders", "move", "/vf"}), 1);
    fake_app().vfolders.report.is_refused = true;
    EXPECT_EQ(type({"vfolders", "move", "/vf", "--back"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("nothing was moved"));
    EXPECT_EQ(type({"vfolders", "move", "/vf", "--back", "--dry-run"}), 2);
    EXPECT_EQ(type({"vfolders", "move", "/vf", "--back", "--finish"}), 2);
    EXPECT_EQ(type({"vfolders", "move"}), 2);
    fake_app().store_failure = {app::k_exit_usage, {{"rename.read", "no volume", ""}}};
    EXPECT_EQ(type({"vfolders", "move", "/vf", "--json"}), 2);
}

TEST_F(ExecuteData, ExtractInspectEndsWithOneForDamageOnly) {
    EXPECT_EQ(type({"extract", "inspect", "dump"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("extract dump"));
    fake_app().extract.inspection.finding(extract::FindingKind::missing_parent) = {1, {"op 2: c"}};
    EXPECT_EQ(type({"extract", "inspect", "dump"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("missing_parent: 1"));
    fake_app().extract.inspection.damage =
        extract::Damage{"extract.crc", "bad sum", "again", 3, 40};
    EXPECT_EQ(type({"extract", "inspect", "dump"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("damaged: bad sum"));
    EXPECT_EQ(type({"extract", "inspect"}), 2);
    EXPECT_EQ(type({"extract", "inspect", "dump", "--against", "counts"}), 2);
}

TEST_F(ExecuteData, ExtractVerifyEndsWithOneIfAnythingIsWrong) {
    EXPECT_EQ(type({"extract", "verify", "dump", "--against", "counts"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("extract dump against counts"));
    EXPECT_THAT(out_.str(), StartsWith("unproved"));
    fake_app().extract.comparison.verdict = extract::Verdict::complete;
    EXPECT_EQ(type({"extract", "verify", "dump"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("complete"));
    fake_app().extract.comparison.verdict = extract::Verdict::wrong;
    fake_app().extract.comparison.differences = {{"commit", "3", "4"}};
    EXPECT_EQ(type({"extract", "verify", "dump"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("in the file: 3"));
    fake_app().store_failure = {app::k_exit_usage, {{"os.missing", "no dump", ""}}};
    EXPECT_EQ(type({"extract", "verify", "dump", "--json"}), 2);
}

TEST_F(ExecuteData, CopyEndsWithOneUnlessAllIsAtTheTarget) {
    fake_app().copied.report.copied = 3;
    EXPECT_EQ(type({"copy", "s3://a", "s3://b/x", "--profile", "p", "--versions"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("copy s3://a s3://b/x p p versions"));
    EXPECT_THAT(out_.str(), HasSubstr("copied: 3 objects"));
    fake_app().copied.report.failed = 1;
    fake_app().copied.report.failures = {{"the\nkey", {"s3.etag", "another ETag", ""}}};
    EXPECT_EQ(type({"copy", "s3://a", "s3://b", "--target-profile", "q", "--json"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("s3.etag"));
    EXPECT_EQ(type({"copy", "s3://a", "s3://b"}), 1);
    EXPECT_THAT(out_.str(), Not(HasSubstr("the\nkey"))) << "a key is no line of its own";
    fake_app().copied = {};
    fake_app().copied.report.differ.add("k");
    EXPECT_EQ(type({"copy", "s3://a", "s3://b", "--dry-run"}), 1);
    EXPECT_EQ(type({"copy", "s3://a"}), 2);
    EXPECT_EQ(type({"copy", "s3://a", "s3://b", "--in-flight", "0"}), 2);
    fake_app().store_failure = {app::k_exit_usage, {{"s3.credentials", "no key", ""}}};
    EXPECT_EQ(type({"copy", "s3://a", "s3://b"}), 2);
}

// A variable that is set for another command must not give `s3://a` another meaning.
TEST_F(ExecuteData, BucketsHaveNamesOfAClusterFileOnlyIfItIsTyped) {
    setenv("DRYDOCK_CLUSTER", "from-variable.yaml", 1);
    EXPECT_EQ(type({"verify", "s3://a", "s3://b"}), 0);
    EXPECT_EQ(type({"verify", "s3://a", "folder", "-c", "typed.yaml"}), 0);
    unsetenv("DRYDOCK_CLUSTER");
    EXPECT_THAT(fake_app().requests,
                ElementsAre("verify s3://a s3://b", "verify s3://a folder of typed.yaml"));
}

TEST_F(ExecuteData, VerifyOfBucketsEndsWithOneForADifference) {
    EXPECT_EQ(type({"verify", "s3://a", "s3://b", "--read"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("verify s3://a s3://b read"));
    fake_app().compared.missing.add("k");
    EXPECT_EQ(type({"verify", "s3://a", "s3://b"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("missing at the target: 1"));
    fake_app().compared = {};
    fake_app().compared.extra.add("k");
    EXPECT_EQ(type({"verify", "s3://a", "s3://b", "--json"}), 0) << "extra keys are no loss";
    EXPECT_EQ(type({"manifest", "s3://a"}), 0);
    EXPECT_EQ(out_.str(), "{}\n");
}

TEST_F(ExecuteData, StoreVerifyEndsWithOneForDamageAndForOrphans) {
    EXPECT_EQ(type({"store", "verify", "backy.cfg", "--workers", "3"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("verify backy.cfg 3"));
    EXPECT_THAT(out_.str(), StartsWith("every version can be restored"));
    fake_app().verified.verdict.orphan_rows = 1;
    EXPECT_EQ(type({"store", "verify", "backy.cfg"}), 1);
    fake_app().verified = {};
    fake_app().verified.verdict.versions["u1"].damaged = 1;
    fake_app().verified.verdict.versions["u1"].lost = {{4096, 8192}};
    EXPECT_EQ(type({"store", "verify", "backy.cfg"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("4096+8192"));
}

TEST_F(ExecuteData, StoreRestoreGoesToAFileOrAPipe) {
    EXPECT_EQ(type({"store", "restore", "backy.cfg", "u1", "-o", "x.img"}), 0);
    EXPECT_THAT(fake_app().requests, ElementsAre("restore u1 x.img"));
    EXPECT_EQ(type({"store", "restore", "backy.cfg", "u1", "-o", "-"}, true), 2);
    EXPECT_EQ(type({"store", "restore", "backy.cfg", "u1", "-o", "-"}), 0);
    EXPECT_EQ(out_.str(), "");  // the image's place
    EXPECT_THAT(err_.str(), HasSubstr("restored"));
    EXPECT_EQ(type({"store", "restore", "backy.cfg", "u1"}), 2);
    fake_app().restored.lost = {{0, 4096}};
    EXPECT_EQ(type({"store", "restore", "backy.cfg", "u1", "-o", "x.img", "--allow-holes"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("restored with losses"));
}

TEST_F(ExecuteData, StoreExportAndImportCountRows) {
    fake_app().exported.rows = 3;
    fake_app().exported.left_out = {"its expiry"};
    EXPECT_EQ(type({"store", "export", "backy.cfg", "u1", "-o", "u1.csv"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("u1.csv, 3 block rows"));
    EXPECT_THAT(out_.str(), HasSubstr("no place for: its expiry"));
    fake_app().imported.rows = 1;
    EXPECT_EQ(type({"store", "import", "backy.cfg", "u1.csv"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("1 block row,"));
    EXPECT_THAT(fake_app().requests,
                ElementsAre("export backy.cfg u1 u1.csv", "import backy.cfg u1.csv"));
}

TEST_F(ExecuteData, StoreUpgradeTellsTheStepsAndWhatIsLeft) {
    EXPECT_EQ(type({"store", "upgrade", "backy.cfg"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("nothing to do"));
    fake_app().upgraded.report.steps = {{"add versions.expire", "ALTER"}};
    fake_app().upgraded.report.rows = {{"tags", 16}};
    fake_app().upgraded.notes = {"edit the configuration"};
    fake_app().upgraded.copy = "meta.copy";
    EXPECT_EQ(type({"store", "upgrade", "backy.cfg", "--undo", "--copy", "meta.copy"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("add versions.expire"));
    EXPECT_THAT(out_.str(), HasSubstr("rows kept: tags 16"));
    EXPECT_THAT(out_.str(), HasSubstr("equal: meta.copy"));
    EXPECT_THAT(out_.str(), HasSubstr("note: edit the configuration"));
    EXPECT_EQ(type({"store", "upgrade", "backy.cfg", "--dry-run"}), 0);
    EXPECT_THAT(fake_app().requests,
                ElementsAre("upgrade backy.cfg ",
                            "upgrade backy.cfg undo meta.copy",
                            "upgrade backy.cfg dry "));
}

TEST_F(ExecuteData, StoreUpgradeMayMakeTheCopyAlone) {
    EXPECT_EQ(type({"store", "upgrade", "backy.cfg", "--copy-only"}), 2);  // to which file?
    fake_app().upgraded.report.steps = {{"add versions.expire", "ALTER"}};
    fake_app().upgraded.report.old_schema.release = "2.10";
    fake_app().upgraded.copy_only = true;
    fake_app().upgraded.copy = "meta.copy";
    EXPECT_EQ(type({"store", "upgrade", "backy.cfg", "--copy", "meta.copy", "--copy-only"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("copied: the metadata of backy2 2.10, read back and equal"));
    EXPECT_THAT(out_.str(), Not(HasSubstr("add versions.expire")));
    EXPECT_THAT(fake_app().requests, ElementsAre("upgrade backy.cfg only meta.copy"));
}

TEST_F(ExecuteData, StoreEncryptAndRekeyTellWhatIsLeft) {
    EXPECT_EQ(type({"store", "encrypt", "backy.cfg"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("--free-old removes them"));
    EXPECT_EQ(type({"store", "rekey", "backy.cfg"}), 2);  // which key?
    EXPECT_EQ(type({"store", "rekey", "backy.cfg", "--new-key-file", "k", "--dry-run"}), 0);
    EXPECT_EQ(type({"store", "encrypt", "backy.cfg", "--back", "--free-old"}), 2);
    fake_app().rewritten.frees_old = true;
    EXPECT_EQ(type({"store", "encrypt", "backy.cfg", "--free-old"}), 0);
    EXPECT_THAT(out_.str(), HasSubstr("removed 0 old ones"));
    fake_app().rewritten.report.findings = {{{}, {"blocks.checksum", "no good", ""}}};
    EXPECT_EQ(type({"store", "encrypt", "backy.cfg"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("no good"));
    EXPECT_THAT(fake_app().requests,
                ElementsAre("encrypt ", "rekey k dry", "encrypt  free", "encrypt "));
}

TEST_F(ExecuteData, FoldersAreTreesAndEndWithOneUnlessAllIsWhole) {
    EXPECT_EQ(type({"copy", "/a", "/b", "--replace"}), 0);
    EXPECT_EQ(type({"verify", "/a", "/b"}), 0);
    EXPECT_EQ(type({"manifest", "/a", "-o", "m"}), 0);
    EXPECT_THAT(
        fake_app().requests,
        ElementsAre("copy tree /a /b replace", "verify trees /a /b", "manifest of tree /a m"));
    fake_app().tree_copied.report.refused = {1, {{"x\ny", "tree.attribute", "owner"}}};
    EXPECT_EQ(type({"copy", "/a", "/b"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("copied in part"));
    EXPECT_THAT(out_.str(), HasSubstr("not taken by the target: 1"));
    fake_app().trees_compared.missing = {1, {{"gone", "tree.missing", "it is not there"}}};
    EXPECT_EQ(type({"verify", "/a", "/b", "--json"}), 1);
    EXPECT_THAT(out_.str(), HasSubstr("\"gone\""));
    EXPECT_EQ(type({"copy", "/a", "/b", "--digest", "md5"}), 2);
}

}  // namespace

}  // namespace drydock::cli
