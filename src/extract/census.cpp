// The rules by which ops are counted. pachd's own restore is the model (src/server/admin).
//
// A block, and up to 1.8 an object, is a run of ops, each with a part of at most 10 MiB. A part
// without bytes ends the run. An object of that time has no name in the stream: its name is the
// SHA-512 of its bytes, which is computed here.
#include "extract/census.h"

#include "extract/wire.h"

#include <fmt/format.h>

namespace drydock::extract {

namespace {

constexpr int k_minor_with_times = 11;  // from 1.11 on, pachd ends each commit that it extracts
constexpr int k_minor_maybe_times = 10;
constexpr std::size_t k_example_bytes_max = 200;
constexpr std::uint32_t k_value_of_object = 1;
constexpr std::uint32_t k_value_of_block = 2;
constexpr std::uint32_t k_pipeline_of_job = 2;

// Names are bytes of the file. Those that are printed are cut to a length that a line can hold.
std::string clipped(std::string_view name) {
    return std::string(name.substr(0, k_example_bytes_max));
}

// Returns "repo@commit", or "repo@branch".
std::string words_of(const CommitId& commit) {
    return fmt::format("{}@{}", clipped(commit.repo), clipped(commit.id));
}

bool is_secret(OpKind kind) {
    return kind == OpKind::set_auth_config || kind == OpKind::activate_auth
           || kind == OpKind::restore_auth_token || kind == OpKind::activate_enterprise;
}

}  // namespace

Status Census::add(std::string_view record) {
    ++inspection_.ops;
    DRYDOCK_TRY_ASSIGN(const Op op, decode_op(record));
    ++inspection_.kinds[static_cast<std::size_t>(op.kind)];
    note_version(op);
    end_run_before(op);
    if (!dispatch(op)) {
        return fail("extract.protobuf",
                    fmt::format("its {} is no protobuf message", k_op_kinds.of(op.kind)),
                    "the checksums are right, so it was written so: extract again");
    }
    if (commits_.is_full() || objects_.is_full() || blocks_.is_full() || branches_.is_full()) {
        return fail("extract.too_many",
                    fmt::format("more than {} commits, objects or blocks are named",
                                FingerprintTable::k_names_max),
                    "count them on the cluster");
    }
    return {};
}

// Kinds that have no rule are only counted.
bool Census::dispatch(const Op& op) {
    inspection_.holds_secrets = inspection_.holds_secrets || is_secret(op.kind);
    switch (op.kind) {
    case OpKind::object:
    case OpKind::block:
        return add_part(op);
    case OpKind::tag:
        return add_tag(op.body);
    case OpKind::repo:
        return add_repo(op.body);
    case OpKind::commit:
        return add_commit(op);
    case OpKind::branch:
        return add_branch(op.body);
    case OpKind::pipeline:
        return add_pipeline(op.body);
    case OpKind::job:
        return add_job(op.body);
    case OpKind::create_object:
        return add_create_object(op.body);
    case OpKind::unknown:
        report(FindingKind::unknown_op, "");
        return true;
    case OpKind::set_acl:
    case OpKind::set_cluster_role_binding:
    case OpKind::set_auth_config:
    case OpKind::activate_auth:
    case OpKind::restore_auth_token:
    case OpKind::activate_enterprise:
    case OpKind::check_auth_token:
        break;
    }
    return true;
}

// The first op sets the version of the stream: pachd refuses all others.
void Census::note_version(const Op& op) {
    if (op.minor == 0) {
        return;
    }
    ++inspection_.versions[static_cast<std::size_t>(op.minor - k_minor_first)];
    if (minor_ == 0) {
        minor_ = op.minor;
    } else if (op.minor != minor_) {
        report(FindingKind::mixed_versions, fmt::format("op version 1.{}", op.minor));
    }
}

void Census::end_run_before(const Op& op) {
    if (run_.kind == OpKind::unknown || run_.kind == op.kind) {
        return;
    }
    report(FindingKind::unended_block, clipped(run_.block));
    run_ = {};
}

bool Census::add_part(const Op& op) {
    const bool is_block = op.kind == OpKind::block;
    const std::uint32_t value_number = is_block ? k_value_of_block : k_value_of_object;
    std::string_view value;
    std::string_view hash;
    FieldReader fields(op.body);
    while (fields.next()) {
        const Field& field = fields.field();
        if (field.bytes && field.number == value_number) {
            value = *field.bytes;
        } else if (field.bytes && is_block && field.number == 1) {
            hash = last_bytes(*field.bytes, 1).value_or(std::string_view{});
        }
    }
    run_.kind = op.kind;
    run_.bytes += static_cast<std::int64_t>(value.size());
    if (run_.block.empty()) {
        run_.block = hash;
    }
    if (value.empty()) {
        end_part(op);
    } else if (!is_block) {
        object_digest_.update(value);
    }
    return !fields.is_broken();
}

void Census::end_part(const Op& op) {
    const bool is_block = op.kind == OpKind::block;
    Contents& contents = is_block ? inspection_.blocks : inspection_.objects;
    ++contents.count;
    contents.bytes += run_.bytes;
    if (is_block) {
        blocks_.mark_later(fingerprint(run_.block), FingerprintTable::k_defined);
    } else {
        objects_.mark_later(fingerprint(object_digest_.finish_hex()), FingerprintTable::k_defined);
    }
    run_ = {};
}

bool Census::add_create_object(std::string_view body) {
    const std::string_view reference = last_bytes(body, 2).value_or(std::string_view{});
    objects_.mark_later(fingerprint(first_name(body)), FingerprintTable::k_defined);
    blocks_.mark_later(fingerprint(first_name(reference)), FingerprintTable::k_referenced);
    return true;
}

bool Census::add_tag(std::string_view body) {
    objects_.mark_later(fingerprint(first_name(body)), FingerprintTable::k_referenced);
    return true;
}

// Returns the counts of a repo by name; nothing if there are too many names.
RepoCounts* Census::repo_of(std::string_view name) {
    auto place = inspection_.repos.find(name);
    if (place != inspection_.repos.end()) {
        return &place->second;
    }
    if (inspection_.repos.size() >= k_listed_max || name.size() > k_example_bytes_max) {
        inspection_.is_listed_whole = false;
        return nullptr;
    }
    return &inspection_.repos[std::string(name)];
}

bool Census::add_repo(std::string_view body) {
    const std::string_view name = first_name(body);
    const auto before = repos_.mark(fingerprint(name), FingerprintTable::k_defined);
    inspection_.repeated += before != 0 ? 1 : 0;
    (void)repo_of(name);
    return true;
}

bool Census::add_commit(const Op& op) {
    if (!decode_commit(op.body, commit_)) {
        return false;
    }
    for (const CommitId& source : commit_.provenance) {
        commits_.fetch(fingerprint(source.repo, source.id));
    }
    for (const std::string_view hash : commit_.objects) {
        objects_.mark_later(fingerprint(hash), FingerprintTable::k_referenced);
    }
    note_open(op, commit_);
    look_up_commit(commit_);
    const auto key = fingerprint(commit_.commit.repo, commit_.commit.id);
    commits_.mark_later(key, FingerprintTable::k_defined);
    if (RepoCounts* repo = repo_of(commit_.commit.repo)) {
        ++repo->commits;
    }
    return true;
}

void Census::look_up_commit(const CommitOp& commit) {
    const auto is_defined = [&](std::string_view repo, std::string_view id) {
        return commits_.has(fingerprint(repo, id), FingerprintTable::k_defined);
    };
    const std::string_view repo = commit.commit.repo;
    if (!repos_.has(fingerprint(repo), FingerprintTable::k_defined)) {
        report(FindingKind::missing_repo, words_of(commit.commit));
    }
    if (!commit.parent.empty() && !is_defined(repo, commit.parent)) {
        report(
            FindingKind::missing_parent, words_of(commit.commit), words_of({repo, commit.parent}));
    }
    for (const CommitId& source : commit.provenance) {
        if (!is_defined(source.repo, source.id)) {
            report(FindingKind::missing_provenance, words_of(commit.commit), words_of(source));
        }
    }
}

// Versions 1.7 to 1.9 write no times, and early 1.10 does not either. From 1.11 on an open commit
// gets the time of the extract, so it can only be told from the cluster.
void Census::note_open(const Op& op, const CommitOp& commit) {
    inspection_.has_times = inspection_.has_times || commit.has_started || commit.has_finished;
    inspection_.commits_without_tree += commit.has_tree ? 0 : 1;
    const bool must_be_finished =
        op.minor >= k_minor_with_times || (op.minor == k_minor_maybe_times && commit.has_started);
    if (must_be_finished && !commit.has_finished) {
        report(FindingKind::open_commit, words_of(commit.commit));
    }
}

bool Census::add_branch(std::string_view body) {
    BranchOp branch;
    if (!decode_branch(body, branch)) {
        return false;
    }
    look_up_branch(branch);
    const auto key = fingerprint(branch.repo, branch.name);
    inspection_.repeated += branches_.mark(key, FingerprintTable::k_defined) != 0 ? 1 : 0;
    if (RepoCounts* repo = repo_of(branch.repo)) {
        ++repo->branches;
    }
    return true;
}

void Census::look_up_branch(const BranchOp& branch) {
    const CommitId name = {branch.repo, branch.name};
    if (!repos_.has(fingerprint(branch.repo), FingerprintTable::k_defined)) {
        report(FindingKind::missing_repo, words_of(name));
    }
    const auto head = fingerprint(branch.head.repo, branch.head.id);
    if (!branch.head.id.empty() && !commits_.has(head, FingerprintTable::k_defined)) {
        report(FindingKind::missing_head, words_of(name), words_of(branch.head));
    }
}

bool Census::add_pipeline(std::string_view body) {
    const std::string_view name = first_name(body);
    const auto before = pipelines_.mark(fingerprint(name), FingerprintTable::k_defined);
    inspection_.repeated += before != 0 ? 1 : 0;
    if (inspection_.jobs.size() < k_listed_max && name.size() <= k_example_bytes_max) {
        inspection_.jobs.try_emplace(std::string(name));
    } else {
        inspection_.is_listed_whole = false;
    }
    return true;
}

bool Census::add_job(std::string_view body) {
    const std::string_view pipeline =
        last_bytes(body, k_pipeline_of_job).value_or(std::string_view{});
    const std::string_view name = last_bytes(pipeline, 1).value_or(std::string_view{});
    if (!pipelines_.has(fingerprint(name), FingerprintTable::k_defined)) {
        report(FindingKind::missing_pipeline, clipped(name));
    }
    const auto place = inspection_.jobs.find(name);
    if (place != inspection_.jobs.end()) {
        ++place->second;
    }
    return true;
}

void Census::report(FindingKind kind, std::string_view subject, std::string_view other) {
    Finding& finding = inspection_.finding(kind);
    ++finding.count;
    if (finding.examples.size() < k_examples_max) {
        finding.examples.push_back(fmt::format("op {}{}{}{}{}",
                                               inspection_.ops,
                                               subject.empty() ? "" : ": ",
                                               subject,
                                               other.empty() ? "" : " needs ",
                                               other));
    }
}

Status Census::finish() {
    inspection_.objects_referenced = objects_.count(FingerprintTable::k_referenced);
    inspection_.repeated += commits_.repeats();
    inspection_.has_objects = inspection_.objects.count + inspection_.blocks.count
                                  + inspection_.count_of(OpKind::create_object)
                              > 0;
    if (inspection_.damage) {
        return {};
    }
    if (run_.kind != OpKind::unknown) {
        return fail("extract.truncated",
                    fmt::format("the file ends inside of a {}, {} bytes after its begin",
                                k_op_kinds.of(run_.kind),
                                run_.bytes),
                    "take another copy, or extract again");
    }
    find_missing_contents();
    find_missing_auth();
    return {};
}

// A file without objects names them all, and has none: the bucket has them.
void Census::find_missing_contents() {
    if (!inspection_.has_objects) {
        return;
    }
    inspection_.finding(FindingKind::missing_object).count =
        objects_.count_exactly(FingerprintTable::k_referenced);
    inspection_.finding(FindingKind::missing_block).count =
        blocks_.count_exactly(FingerprintTable::k_referenced);
}

// pachd writes the check first and the activation near the end, both or neither.
void Census::find_missing_auth() {
    if (inspection_.count_of(OpKind::check_auth_token) > 0
        && inspection_.count_of(OpKind::activate_auth) == 0) {
        report(FindingKind::missing_auth, "the last one");
    }
}

}  // namespace drydock::extract
