// Op: one operation of an extract stream, decoded as far as counting needs it. Pure.
//
// pachd writes an op as a union by its own version: field 1 is that of 1.7, field 7 that of 1.13.
// In it is a union by kind, whose numbers are the same in all versions. Views borrow from the
// record.
#pragma once

#include "base/enum_names.h"
#include "base/result.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace drydock::extract {

// In the order of their field numbers, which begin with 2. The names are those of Pachyderm.
enum class OpKind : std::uint8_t {
    object,
    tag,
    repo,
    commit,
    branch,
    pipeline,
    job,
    create_object,
    block,
    set_acl,
    set_cluster_role_binding,
    set_auth_config,
    activate_auth,
    restore_auth_token,
    activate_enterprise,
    check_auth_token,
    unknown,
};
inline constexpr EnumNames<OpKind, OpKind::unknown> k_op_kinds({"object",
                                                                "tag",
                                                                "repo",
                                                                "commit",
                                                                "branch",
                                                                "pipeline",
                                                                "job",
                                                                "create_object",
                                                                "block",
                                                                "set_acl",
                                                                "set_cluster_role_binding",
                                                                "set_auth_config",
                                                                "activate_auth",
                                                                "restore_auth_token",
                                                                "activate_enterprise",
                                                                "check_auth_token",
                                                                "unknown"});

inline constexpr int k_minor_first = 7;  // of the oldest op version, 1.7
inline constexpr int k_minor_last = 13;

struct Op {
    int minor = 0;  // 7 for op version 1.7; 0 for an op of no version that is known
    OpKind kind = OpKind::unknown;
    std::string_view body;  // the request of that kind, encoded
};

// Error: "extract.protobuf" if the record is no message, or holds more than one op.
[[nodiscard]] Result<Op> decode_op(std::string_view record);

struct CommitId {
    std::string_view repo;
    std::string_view id;  // empty: no commit, as in the parent of a first one
};

struct CommitOp {
    CommitId commit;
    std::string_view parent;  // its id, in the same repo; empty if there is none
    std::vector<CommitId> provenance;
    std::vector<std::string_view> objects;  // the hashes of trees and datums
    bool has_tree = false;
    bool has_started = false;
    bool has_finished = false;
};

struct BranchOp {
    CommitId head;
    std::string_view repo;
    std::string_view name;
};

// Return false if the body is no such message. Vectors are cleared first, and their memory is
// used again.
[[nodiscard]] bool decode_commit(std::string_view body, CommitOp& op);
[[nodiscard]] bool decode_branch(std::string_view body, BranchOp& op);

// A message with a name in field 1, inside of field 1: a repo, a pipeline, an object.
[[nodiscard]] std::string_view first_name(std::string_view body);

}  // namespace drydock::extract
