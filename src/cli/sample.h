// Samples for this folder's tests: a plan of a rolling upgrade of three members, runs of it, and an
// app with the answers that a test sets. Only tests link them.
#pragma once

#include "app/app.h"
#include "app/block_store.h"
#include "app/buckets.h"
#include "app/hosts_check.h"
#include "app/extract.h"
#include "app/trees.h"
#include "app/trying.h"
#include "app/vfolders.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace drydock::cli {

[[nodiscard]] model::Plan sample_plan();
// Returns a rolling upgrade of that many members.
[[nodiscard]] model::Plan sample_plan_of(std::size_t members);
// Every action before `id` is done; `id` has the status.
[[nodiscard]] run::State
sample_state(const model::Plan& plan, const std::string& id, run::Status status);
[[nodiscard]] app::RunStatus sample_status(run::State state);
// 3.4.23 -> 3.5.16 -> 3.6.1; run 11 has closed the first hop, run 12 is the second.
[[nodiscard]] run::Journey sample_journey();
[[nodiscard]] app::Survey sample_survey();
// Returns a check, with a counterexample if it does not hold.
[[nodiscard]] app::CheckResult sample_check(checker::Verdict verdict);

// Returns a case whose failing twin is stopped by the check, if the case is as told.
[[nodiscard]] trial::Trial sample_trial(bool is_as_told);

// The answers of the app in tests, and the requests that it received ("approve
// point-of-no-return").
struct FakeApp {
    app::AppResult<app::RunStatus> run = sample_status(run::State(sample_plan().actions.size()));
    app::AppResult<app::RunStatus> resumed = run;
    app::AppResult<model::Plan> plan = sample_plan();
    app::CheckResult checked = sample_check(checker::Verdict::holds);
    app::AppResult<trial::Trial> trial = sample_trial(true);
    mover::blocks::Inspection inspection;
    app::StoreVerified verified;
    app::VfoldersMoved vfolders;
    app::ExtractVerified extract;
    app::BucketCopied copied;
    app::TreeCopied tree_copied;
    mover::tree::Compared trees_compared;
    mover::s3::CompareReport compared;
    mover::blocks::Restored restored;
    app::StoreUpgraded upgraded;
    mover::blocks::ExportReport exported;
    mover::blocks::ImportReport imported;
    app::StoreRewritten rewritten;
    std::optional<app::Failure> store_failure;
    std::vector<std::string> requests;
    std::vector<run::Event> events;  // told to the observer of apply
};

[[nodiscard]] FakeApp& fake_app();

// A host that was reached, or one that was not.
[[nodiscard]] app::HostReport sample_host(const std::string& name, bool is_reached);

// Compares the text with tests/golden/cli/<name>. With DRYDOCK_ACCEPT=1 writes the file instead,
// and skips the test.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace drydock::cli
