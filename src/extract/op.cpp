// Decodes ops by the field numbers of Pachyderm's protocol, 1.7 to 1.13.
//
// The numbers below are from the messages BuildCommitRequest and CreateBranchRequest. Provenance
// has field 2 up to 1.8, and field 6 with one more level from 1.9 on; no version has both.
#include "extract/op.h"

#include "extract/wire.h"

#include <fmt/format.h>

namespace drydock::extract {

namespace {

constexpr std::uint32_t k_kind_first = 2;
constexpr std::uint32_t k_kind_last = 17;

namespace commit_field {
constexpr std::uint32_t k_parent = 1;
constexpr std::uint32_t k_old_provenance = 2;
constexpr std::uint32_t k_tree = 3;
constexpr std::uint32_t k_id = 5;
constexpr std::uint32_t k_provenance = 6;
constexpr std::uint32_t k_trees = 7;
constexpr std::uint32_t k_datums = 8;
constexpr std::uint32_t k_started = 10;
constexpr std::uint32_t k_finished = 11;
}  // namespace commit_field

namespace branch_field {
constexpr std::uint32_t k_head = 1;
constexpr std::uint32_t k_old_name = 2;
constexpr std::uint32_t k_branch = 3;
}  // namespace branch_field

tl::unexpected<Error> broken(std::string_view reason) {
    return fail("extract.protobuf",
                std::string(reason),
                "the checksums are right, so it was written so: extract again");
}

// A Commit is {repo = 1 {name = 1}, id = 2}, a Branch {repo = 1 {name = 1}, name = 2}.
bool decode_name(std::string_view message, CommitId& name) {
    FieldReader fields(message);
    while (fields.next()) {
        const Field& field = fields.field();
        if (field.number == 1 && field.bytes) {
            name.repo = last_bytes(*field.bytes, 1).value_or(std::string_view{});
        } else if (field.number == 2 && field.bytes) {
            name.id = *field.bytes;
        }
    }
    return !fields.is_broken();
}

std::string_view name_in(std::string_view message) {
    return last_bytes(message, 1).value_or(std::string_view{});
}

bool add_provenance(std::string_view message, CommitOp& op) {
    op.provenance.emplace_back();
    return decode_name(message, op.provenance.back());
}

bool decode_parent(std::string_view message, CommitOp& op) {
    CommitId parent;
    if (!decode_name(message, parent)) {
        return false;
    }
    op.commit.repo = parent.repo;
    op.parent = parent.id;
    return true;
}

// An object without a hash is none: pachd writes such for a commit without data.
void add_object(std::string_view message, bool is_tree, CommitOp& op) {
    const std::string_view hash = name_in(message);
    if (!hash.empty()) {
        op.objects.push_back(hash);
        op.has_tree = op.has_tree || is_tree;
    }
}

bool read_commit_field(std::uint32_t number, std::string_view bytes, CommitOp& op) {
    switch (number) {
    case commit_field::k_parent:
        return decode_parent(bytes, op);
    case commit_field::k_old_provenance:
        return add_provenance(bytes, op);
    case commit_field::k_provenance:
        return add_provenance(name_in(bytes), op);
    case commit_field::k_tree:
    case commit_field::k_trees:
        add_object(bytes, /*is_tree=*/true, op);
        return true;
    case commit_field::k_datums:
        add_object(bytes, /*is_tree=*/false, op);
        return true;
    case commit_field::k_id:
        op.commit.id = bytes;
        return true;
    case commit_field::k_started:
        op.has_started = true;
        return true;
    case commit_field::k_finished:
        op.has_finished = true;
        return true;
    default:
        return true;
    }
}

void clear(CommitOp& op) {
    op.commit = {};
    op.parent = {};
    op.provenance.clear();
    op.objects.clear();
    op.has_tree = op.has_started = op.has_finished = false;
}

// Reads the inner union: the kind and its body.
Status decode_kind(std::string_view message, Op& op) {
    FieldReader fields(message);
    bool is_found = false;
    while (fields.next()) {
        const Field& field = fields.field();
        const bool is_known = field.number >= k_kind_first && field.number <= k_kind_last;
        if (!is_known || !field.bytes) {
            continue;
        }
        if (is_found) {
            return broken("holds two requests");
        }
        is_found = true;
        op.kind = static_cast<OpKind>(field.number - k_kind_first);
        op.body = *field.bytes;
    }
    return fields.is_broken() ? Status(broken("its request is no protobuf message")) : Status{};
}

}  // namespace

Result<Op> decode_op(std::string_view record) {
    Op op;
    std::string_view message;
    FieldReader fields(record);
    while (fields.next()) {
        const Field& field = fields.field();
        const int minor = static_cast<int>(field.number) + k_minor_first - 1;
        if (minor > k_minor_last || !field.bytes) {
            continue;
        }
        if (op.minor != 0) {
            return broken("holds two ops");
        }
        op.minor = minor;
        message = *field.bytes;
    }
    if (fields.is_broken()) {
        return broken("is no protobuf message");
    }
    DRYDOCK_TRY(decode_kind(message, op));
    return op;
}

bool decode_commit(std::string_view body, CommitOp& op) {
    clear(op);
    FieldReader fields(body);
    while (fields.next()) {
        const Field& field = fields.field();
        if (field.bytes && !read_commit_field(field.number, *field.bytes, op)) {
            return false;
        }
    }
    return !fields.is_broken();
}

// Up to 1.6 a branch had its name in a field of its own, and its repo in its head.
bool decode_branch(std::string_view body, BranchOp& op) {
    op = {};
    CommitId branch;
    std::string_view old_name;
    FieldReader fields(body);
    while (fields.next()) {
        const Field& field = fields.field();
        if (!field.bytes) {
            continue;
        }
        if (field.number == branch_field::k_head && !decode_name(*field.bytes, op.head)) {
            return false;
        }
        if (field.number == branch_field::k_branch && !decode_name(*field.bytes, branch)) {
            return false;
        }
        if (field.number == branch_field::k_old_name) {
            old_name = *field.bytes;
        }
    }
    op.repo = branch.repo.empty() ? op.head.repo : branch.repo;
    op.name = branch.id.empty() ? old_name : branch.id;
    return !fields.is_broken();
}

std::string_view first_name(std::string_view body) {
    return name_in(name_in(body));
}

}  // namespace drydock::extract
