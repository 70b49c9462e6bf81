// Census counts the ops of a stream and looks after the names in them. Private to this folder.
//
// A restore reads the ops in order. So a name counts as missing unless it is defined before.
#pragma once

#include "base/result.h"
#include "extract/digest.h"
#include "extract/fingerprints.h"
#include "extract/inspection.h"
#include "extract/op.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::extract {

class Census {
public:
    // Writes into the inspection, which it borrows.
    explicit Census(Inspection& inspection) : inspection_(inspection) {}

    // Counts one record. Errors: "extract.protobuf", and "extract.too_many" if there are more names
    // than FingerprintTable takes.
    [[nodiscard]] Status add(std::string_view record);

    // Compares the names at the end of the stream. A stream with damage has no such end: what is
    // missing there may lie behind the damage. Error: "extract.truncated" if a block has no end.
    [[nodiscard]] Status finish();

private:
    // The block or object whose parts are coming in.
    struct Run {
        OpKind kind = OpKind::unknown;  // unknown: none
        std::string block;              // its hash, from the first part that has it
        std::int64_t bytes = 0;
    };

    [[nodiscard]] bool dispatch(const Op& op);
    void note_version(const Op& op);
    void end_run_before(const Op& op);
    [[nodiscard]] bool add_part(const Op& op);
    void end_part(const Op& op);
    [[nodiscard]] bool add_repo(std::string_view body);
    [[nodiscard]] bool add_commit(const Op& op);
    [[nodiscard]] bool add_branch(std::string_view body);
    [[nodiscard]] bool add_pipeline(std::string_view body);
    [[nodiscard]] bool add_job(std::string_view body);
    [[nodiscard]] bool add_create_object(std::string_view body);
    [[nodiscard]] bool add_tag(std::string_view body);
    void note_open(const Op& op, const CommitOp& commit);
    void look_up_commit(const CommitOp& commit);
    void look_up_branch(const BranchOp& branch);
    RepoCounts* repo_of(std::string_view name);
    void find_missing_contents();
    void find_missing_auth();
    void report(FindingKind kind, std::string_view subject, std::string_view other = {});

    Inspection& inspection_;
    int minor_ = 0;    // the version of the first op
    CommitOp commit_;  // kept for its memory
    Run run_;
    FingerprintTable repos_;
    FingerprintTable commits_;
    FingerprintTable branches_;
    FingerprintTable pipelines_;
    FingerprintTable objects_;
    FingerprintTable blocks_;
    StreamDigest object_digest_{StreamDigest::Algorithm::sha512};
};

}  // namespace drydock::extract
