// The app of the tests, in the place of the real one, which they do not link.
#include "app/block_store.h"
#include "app/buckets.h"
#include "app/chain.h"
#include "app/extract.h"
#include "app/rehearsal.h"
#include "app/trying.h"
#include "app/updates.h"
#include "app/vfolders.h"
#include "base/text.h"
#include "chain/graph.h"
#include "cli/sample.h"

namespace drydock::cli {

app::HostReport sample_host(const std::string& name, bool is_reached) {
    app::HostReport report;
    report.name = name;
    report.way = "ssh " + name + " sudo -n";
    report.state = "/var/lib/drydock";
    report.members = {"m-" + name};
    report.is_reached = is_reached;
    if (is_reached) {
        report.connect_ms = 312;
        report.call_ms = 0.42;
        report.version = "0.4.0";
        report.skew_ms = -3'000;
        report.user = "root";
        report.machine = "x86_64";
        report.services = "systemd";
        report.packages = "dpkg";
        report.state_free_bytes = 31'000'000'000;
        report.problems = {{"host.clock",
                            "its clock is 3.0 s behind ours",
                            "set the clocks, as by NTP",
                            ErrorClass::permanent}};
    } else {
        report.problems = {{"ssh.host_key",
                            "Host key verification failed.",
                            "log in once by hand",
                            ErrorClass::permanent}};
    }
    return report;
}

FakeApp& fake_app() {
    static FakeApp app;
    return app;
}

}  // namespace drydock::cli

namespace drydock::app {

namespace {

using cli::fake_app;

void ask(const std::string& what) {
    fake_app().requests.push_back(what);
}

}  // namespace

std::vector<std::string> list_packs(const std::string& /*program*/) {
    return {"etcd"};
}

AppResult<LintedPack> lint_pack(const std::string& name, const std::string& /*program*/) {
    if (name == "packs/warned") {
        LintedPack linted;
        linted.pack.folder = name;
        linted.warnings.warning("condition.stopped", {name + "/x.yaml", 4, 2}, "nobody is asked");
        return linted;
    }
    Failure failure = {k_exit_usage, {}};
    failure.diagnostics.error("key.unknown",
                              {name + "/pack.yaml", 3, 7},
                              "unknown key `servce`",
                              "did you mean `service`?");
    return tl::unexpected(failure);
}

AppResult<trial::Trial>
try_pack(const std::string& folder, const std::string& to, const std::string& /*program*/) {
    ask("try " + folder + " " + to);
    return fake_app().trial;
}

AppResult<NewPack> new_pack(const std::string& folder, const std::string& name, bool dry_run) {
    ask("new " + folder + " " + name + (dry_run ? " dry" : ""));
    return NewPack{folder, {"case.yaml", "pack/pack.yaml"}};
}

AppResult<Survey> survey(const Options& options) {
    ask("survey " + options.cluster_file);
    return cli::sample_survey();
}

AppResult<std::vector<HostReport>> list_hosts(const Options& options) {
    ask("hosts list " + options.cluster_file);
    return std::vector<HostReport>{cli::sample_host("a", true)};
}

AppResult<std::vector<HostReport>> check_hosts(const Options& options) {
    ask("hosts check " + options.cluster_file);
    return std::vector<HostReport>{cli::sample_host("a", true), cli::sample_host("b", false)};
}

AppResult<mover::blocks::Inspection> inspect_store(const StoreRequest& request,
                                                   bool /*only_schema*/) {
    ask("inspect " + request.config + " " + request.key_file);
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().inspection;
}

AppResult<StoreVerified> verify_store(const StoreRequest& request,
                                      const OnStoreProgress& on_progress) {
    ask("verify " + request.config + " " + std::to_string(request.workers));
    on_progress({1, 2, "rows", 0});
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().verified;
}

AppResult<mover::blocks::Restored>
restore_from_store(const StoreRequest& /*request*/,
                   // NOLINTNEXTLINE(performance-unnecessary-value-param)
                   mover::blocks::RestoreRequest restore_request,
                   const OnStoreProgress& /*on_progress*/) {
    ask("restore " + restore_request.version + " " + restore_request.path);
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().restored;
}

AppResult<mover::blocks::ExportReport> export_from_store(const StoreRequest& request,
                                                         const std::string& version,
                                                         const std::string& file) {
    ask("export " + request.config + " " + version + " " + file);
    return fake_app().exported;
}

AppResult<mover::blocks::ImportReport> import_to_store(const StoreRequest& request,
                                                       const std::string& file) {
    ask("import " + request.config + " " + file);
    return fake_app().imported;
}

AppResult<VfoldersMoved> move_vfolders(const VfoldersRequest& request) {
    ask("vfolders " + request.move.root + " " + request.move.list
        + (request.goes_back ? " back" : "") + (request.finishes ? " finish" : "")
        + (request.dry_run ? " dry" : ""));
    request.move.on_progress(1, 2);
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().vfolders;
}

AppResult<extract::Inspection> inspect_extract(const std::string& file,
                                               const extract::OnBytes& on_bytes) {
    ask("extract " + file);
    on_bytes(1, 2);
    return fake_app().extract.inspection;
}

AppResult<ExtractVerified> verify_extract(const std::string& file,
                                          const std::string& against,
                                          const extract::OnBytes& on_bytes) {
    ask("extract " + file + " against " + against);
    on_bytes(1, 2);
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().extract;
}

AppResult<TreeCopied> copy_tree(const TreeCopyRequest& request) {
    ask("copy tree " + request.source + " " + request.target + (request.replaces ? " replace" : "")
        + (request.dry_run ? " dry" : ""));
    return fake_app().tree_copied;
}

AppResult<mover::tree::Compared> verify_trees(const TreeVerifyRequest& request) {
    ask("verify trees " + request.source + " " + request.target);
    return fake_app().trees_compared;
}

AppResult<mover::tree::ManifestReport> write_tree_manifest(const TreeManifestRequest& request) {
    ask("manifest of tree " + request.source + " " + request.output);
    return mover::tree::ManifestReport();
}

bool is_tree(const std::string& place) {
    return !place.starts_with("s3://");
}

AppResult<BucketCopied> copy_bucket(const BucketCopyRequest& request) {
    ask("copy " + request.source.uri + " " + request.target.uri + " "
        + request.source.settings.profile + " " + request.target.settings.profile
        + (request.has_versions ? " versions" : "") + (request.dry_run ? " dry" : ""));
    request.progressed({.done = 1, .known = 2});
    if (fake_app().store_failure) {
        return tl::unexpected(*fake_app().store_failure);
    }
    return fake_app().copied;
}

AppResult<mover::s3::CompareReport> verify_buckets(const BucketVerifyRequest& request) {
    const std::string& file = request.options.cluster_file;
    ask("verify " + request.source.uri + " " + request.target.uri
        + (request.reads_all ? " read" : "") + (file.empty() ? "" : " of " + file));
    return fake_app().compared;
}

AppResult<mover::s3::ManifestReport> write_bucket_manifest(const BucketManifestRequest& request) {
    ask("manifest " + request.place.uri);
    if (request.output.empty()) {
        *request.stream << "{}\n";
    }
    return mover::s3::ManifestReport();
}

AppResult<StoreUpgraded> upgrade_store(const StoreUpgradeRequest& request) {
    ask("upgrade " + request.store.config + (request.undo ? " undo" : "")
        + (request.copy_only ? " only" : "") + (request.dry_run ? " dry" : "") + " "
        + request.copy);
    return fake_app().upgraded;
}

AppResult<StoreRewritten> rewrite_store(const StoreRewriteRequest& request,
                                        const OnStoreProgress& on_progress) {
    ask(std::string(request.work == mover::blocks::RewriteWork::encrypt ? "encrypt" : "rekey") + " "
        + request.new_key_file + (request.frees_old ? " free" : "")
        + (request.goes_back ? " back" : "") + (request.dry_run ? " dry" : ""));
    on_progress({1, 2, "blobs", 0});
    return fake_app().rewritten;
}

// OLD has one revision; NEW one more.
ChainAnswer compare_chains(const ChainRequest& request) {
    chain::Texts texts = {{"v/versions/a.py", "revision = 'a'\ndown_revision = None\n"}};
    ChainAnswer answer;
    answer.old_reading = chain::read_texts(request.old_package, texts);
    texts["v/versions/b.py"] = "\"\"\"add b\"\"\"\nrevision = 'b'\ndown_revision = 'a'\n";
    answer.new_reading = chain::read_texts(request.new_package, texts);
    answer.comparison = chain::compare(answer.old_reading, answer.new_reading, request.database);
    answer.explanation = chain::explain(answer.old_reading, answer.new_reading, answer.comparison);
    answer.exit_code = chain::exit_code_of(answer.comparison.verdict);
    return answer;
}

AppResult<UpdateRoute>
update_route(const std::string& /*folder*/, const std::string& start, const std::string& target) {
    UpdateRoute answer;
    answer.start = start;
    answer.target = target;
    answer.has_way = target != "9.0.0";
    answer.stops = {"4.2.0", target};
    return answer;
}

AppResult<RouteAnswer> route(const Options& /*options*/, const std::string& target) {
    return RouteAnswer{
        "3.4.23", target, {{{"3.4.23", target, "upgrade", "one minor at a time"}}, {}}};
}

AppResult<model::Plan> make_plan(const Options& /*options*/, const PlanRequest& request) {
    ask("plan " + request.target + (request.rebuild ? " rebuild" : "") + request.restore
        + (request.facts_file.empty() ? "" : " with " + request.facts_file));
    return fake_app().plan;
}

AppResult<model::Plan> read_plan(const std::string& /*file*/) {
    return fake_app().plan;
}

Status remember_own(const Options& /*options*/, const model::Plan& /*plan*/) {
    return {};
}

Status write_plan(const model::Plan& /*plan*/, const std::string& file) {
    ask("write " + file);
    return {};
}

CheckResult
// NOLINTNEXTLINE(performance-unnecessary-value-param): the true one takes it over
check(const Options& /*options*/, const model::Plan& /*plan*/, checker::Options check_options) {
    ask("check " + checker::show(check_options.faults));
    return fake_app().checked;
}

CheckResult quick_check(const Options& /*options*/, model::Plan& /*plan*/) {
    ask("check soon");
    return fake_app().checked;
}

Json verdict_of(const CheckResult& checked, const model::Plan& plan) {
    Json json;
    json.set("digest", plan.digest());
    return json.set("verdict", std::string(checker::name_of(checked.report.verdict)));
}

AppResult<RunStatus>
apply(const Options& options, const model::Plan& plan, run::Observer& observer) {
    ask("apply " + options.cluster_file + (options.dry_run ? " dry" : "")
        + (options.allow_unchecked.empty() ? "" : " because " + options.allow_unchecked)
        + (options.approvals.empty() ? "" : " approving " + join(options.approvals, " ")));
    run::State state(plan.actions.size());
    observer.on_start(plan, state);
    for (const run::Event& event : fake_app().events) {
        observer.on_event(event, plan, state);
    }
    return fake_app().run;
}

AppResult<RunStatus>
rehearse(const Options& options, const model::Plan& plan, run::Observer& /*observer*/) {
    ask("rehearse " + plan.from_version + " " + plan.to_version + (options.dry_run ? " dry" : ""));
    return fake_app().run;
}

AppResult<RunStatus>
upgrade(const Options& options, const UpgradeRequest& request, run::Observer& observer) {
    ask("upgrade " + request.target + (options.dry_run ? " dry" : "")
        + (request.through.empty() ? "" : " through " + join(request.through, " "))
        + (options.approvals.empty() ? "" : " approving " + join(options.approvals, " ")));
    if (fake_app().run && fake_app().run->journey) {
        observer.on_journey(*fake_app().run->journey);
    }
    return fake_app().run;
}

AppResult<Simulation> simulate(const model::Plan& /*plan*/,
                               std::uint64_t seed,
                               std::uint64_t runs,
                               const std::function<void(const std::string&)>& tell) {
    Simulation all;
    all.seed = seed;
    all.runs = runs;
    if (tell) {
        tell("    0.001 s  conductor 1: conductor.started");
    }
    if (seed == 13) {
        all.failed_runs = 1;
        sim::SimulationSummary bad;
        bad.seed = 13;
        bad.violations = {{"twice", "roll/m1/stop ran 2 times"}};
        all.examples = {bad};
    }
    return all;
}

AppResult<Replay> replay(const model::Plan& /*plan*/,
                         const std::string& trace_file,
                         const std::function<void(const std::string&)>& /*tell*/) {
    ask("replay " + trace_file);
    sim::ReplayResult broken = {"quorum", 4, 4, "", true, true, {{"quorum", "roll/m2/stop"}}};
    sim::ReplayResult stopped = {"twice", 9, 2, "turn 3 of 9 (done x) did not come about: y"};
    return Replay{{broken, stopped}, {}};
}

AppResult<RunStatus> resume(const Options& options, run::Observer& /*observer*/) {
    ask("resume " + options.cluster_file);
    return fake_app().resumed;
}

AppResult<model::Plan> plan_downgrade(const Options& options) {
    ask("plan downgrade" + (options.back_to.empty() ? "" : " to " + options.back_to));
    return fake_app().plan;
}

AppResult<RunStatus> downgrade(const Options& options, run::Observer& /*observer*/) {
    ask("downgrade" + (options.back_to.empty() ? "" : " to " + options.back_to));
    return fake_app().run;
}

AppResult<RunStatus> approve(const Options& options, const std::string& gate) {
    ask("approve " + gate + " " + options.cluster_file);
    return fake_app().run;
}

AppResult<RunStatus> pause(const Options& options) {
    ask(options.dry_run ? "pause dry" : "pause");
    return fake_app().run;
}

AppResult<RunStatus> abort(const Options& options, run::Observer& /*observer*/) {
    ask(options.give_up_hosts ? "abort and give up hosts" : "abort");
    return fake_app().run;
}

AppResult<RunStatus> note(const Options& /*options*/, const std::string& text) {
    ask("note " + text);
    return fake_app().run;
}

AppResult<RunStatus> status(const Options& /*options*/, const std::string& run) {
    ask("status " + run);
    return fake_app().run;
}

AppResult<std::vector<LogLine>> log(const Options& /*options*/, const std::string& /*run*/) {
    Json event;
    event.set("type", "action.ended").set("action", "roll/m3/stop").set("outcome", "done");
    return std::vector<LogLine>{{7, 1'700'000'000'000, event}};
}

Status sign_plan(const model::Plan& /*plan*/, const std::string& /*file*/, const std::string& key) {
    return key == "k" ? Status() : Status(fail("plan.signature", "no such key"));
}

AppResult<VerifiedJournal>
verify_journal(const Options& /*options*/, const std::string& /*head*/, bool with_hosts) {
    VerifiedJournal journal = {{{"12", 57, "7f3a91c2"}}, {}};
    if (with_hosts) {
        journal.hosts = {{"h1", 9, 0}, {"h2", 1, 3}};
    }
    return journal;
}

}  // namespace drydock::app
