// Loads the input of every command: the pack, the cluster file, secrets, and surveys.
//
// Packs and cluster files name commands for hosts, so each is checked for its owner and its mode
// before it is read. open_project() executes nothing. survey_for() asks for consent (app/trust.h)
// before it reads secrets or contacts a host. docs/security.md describes what these checks are
// worth.
#include "app/agent_program.h"
#include "app/internal.h"
#include "app/trust.h"
#include "base/text.h"
#include "executor/facts_reader.h"
#include "executor/host_ownership.h"
#include "executor/work_on_hosts.h"
#include "os/files.h"
#include "os/process.h"
#include "pack/load.h"
#include "transport/ssh/ssh.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace drydock::app {

namespace fs = std::filesystem;

tl::unexpected<Failure> refuse(Error error, int exit_code) {
    Failure failure;
    failure.exit_code = exit_code;
    failure.errors.push_back(std::move(error));
    return tl::unexpected(std::move(failure));
}

tl::unexpected<Failure> refuse_input(Diagnostics diagnostics) {
    Failure failure;
    failure.exit_code = k_exit_usage;
    failure.diagnostics = std::move(diagnostics);
    return tl::unexpected(std::move(failure));
}

// The folder is found from the program's own path and never from the working directory, where
// anybody may have put a pack.
std::string packs_folder(const std::string& program) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    if (const char* folder = std::getenv("DRYDOCK_PACKS"); folder != nullptr && *folder != '\0') {
        return folder;
    }
    std::error_code ignored;
    const fs::path real = fs::canonical(program, ignored);
    const fs::path installed = real.parent_path().parent_path() / "share" / "drydock" / "packs";
    if (fs::is_directory(installed, ignored)) {
        return installed.string();
    }
#ifdef DRYDOCK_SOURCE_FOLDER
    // A program that was not installed, in the tree that it was built from.
    if (real.string().starts_with(DRYDOCK_SOURCE_FOLDER "/build/")) {
        return DRYDOCK_SOURCE_FOLDER "/packs";
    }
#endif
    return "/usr/share/drydock/packs";
}

// The agent for other hosts lies beside the program: where both are installed, and in a build.
std::string agent_program(const std::string& program) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    if (const char* file = std::getenv("DRYDOCK_AGENT_PROGRAM"); file != nullptr && *file != '\0') {
        return file;
    }
    std::error_code ignored;
    const fs::path folder = fs::canonical(program, ignored).parent_path();
    for (const char* place : {"drydock-agent", "../lib/drydock/drydock-agent"}) {
        if (fs::exists(folder / place, ignored)) {
            return (folder / place).lexically_normal().string();
        }
    }
    return (folder / "../agent/alone/drydock-agent").lexically_normal().string();
}

namespace {

bool is_pack(const fs::path& folder) {
    std::error_code ignored;
    return fs::exists(folder / "pack.yaml", ignored);
}

// Returns where the pack of that name would be: below the folder of packs, which may be that very
// pack.
std::string pack_folder(const std::string& program, const std::string& name) {
    const std::string folder = packs_folder(program);
    return is_pack(folder) && pack::pack_name(folder) == name ? folder : folder + "/" + name;
}

}  // namespace

// A missing file passes: the caller's own reading names it better.
Status check_own(const std::string& code, const std::string& path) {
    struct stat facts = {};
    if (::stat(path.c_str(), &facts) != 0) {
        return {};  // reading it says so
    }
    const bool has_trusted_owner = facts.st_uid == 0 || facts.st_uid == ::geteuid();
    if (has_trusted_owner && (facts.st_mode & 022U) == 0) {
        return {};
    }
    return fail(
        code,
        fmt::format("{} {}",
                    path,
                    has_trusted_owner ? "may be written by others" : "belongs to another user"),
        "let only root or yourself write there");
}

namespace {

// Refuses a link of another user. Such a link leads wherever its owner wants, whatever lies there
// at the moment of the check.
Status check_own_link(const std::string& path) {
    struct stat facts = {};
    if (::lstat(path.c_str(), &facts) != 0 || facts.st_uid == 0 || facts.st_uid == ::geteuid()) {
        return {};
    }
    return fail("pack.not_private",
                fmt::format("{} belongs to another user", path),
                "let only root or yourself write there");
}

Status check_pack_file(const std::string& path) {
    DRYDOCK_TRY(check_own_link(path));
    return check_own("pack.not_private", path);
}

// Checks the folder, its parent and every file below: a pack is executed on hosts, so no other user
// may have written a part of it. Links to directories are followed.
Status check_pack_folder(const std::string& folder) {
    DRYDOCK_TRY(check_pack_file(os::folder_of(folder)));
    DRYDOCK_TRY(check_pack_file(folder));
    std::error_code unread;  // reading it says so
    const auto options = fs::directory_options::follow_directory_symlink;
    for (fs::recursive_directory_iterator file(folder, options, unread), end;
         file != end && !unread;
         file.increment(unread)) {
        DRYDOCK_TRY(check_pack_file(file->path().string()));
    }
    return {};
}

// Returns names for a plan that does not exist yet, so that the list of executed commands includes
// probes that need them. They come from the members' own releases.
planner::PlanNames naming_to_list(const model::Cluster& cluster) {
    for (const model::Member& member : cluster.members) {
        if (!member.versions.empty()) {
            return {member.versions.begin()->first, member.versions.rbegin()->first, "RUN", "COPY"};
        }
    }
    return {};
}

// Binds the probes of the cluster, and those of plans where the names above are enough.
model::FactSources sources_to_list(const Project& project) {
    const auto bind = [&](const planner::PlanNames& naming) {
        return planner::bind_sources(project.pack, project.cluster, naming);
    };
    auto sources = bind(naming_to_list(project.cluster));
    return sources ? std::move(*sources) : bind({}).value_or(model::FactSources());
}

}  // namespace

std::vector<std::string> list_packs(const std::string& program) {
    std::vector<std::string> names;
    std::error_code ignored;
    if (const std::string folder = packs_folder(program); is_pack(folder)) {
        return {pack::pack_name(folder)};
    }
    for (const auto& entry : fs::directory_iterator(packs_folder(program), ignored)) {
        if (is_pack(entry.path())) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

// A folder in the working directory wins over a pack of the same name, because its author runs lint
// there. `pack new` makes a folder with the pack in its subfolder `pack`.
AppResult<LintedPack> lint_pack(const std::string& folder_or_name, const std::string& program) {
    const fs::path typed = folder_or_name;
    std::string folder = folder_or_name;
    if (!is_pack(typed) && is_pack(typed / "pack")) {
        folder = (typed / "pack").string();
    } else if (!is_pack(typed) && is_pack(pack_folder(program, folder_or_name))) {
        folder = pack_folder(program, folder_or_name);
    }
    auto loaded = pack::load_pack(folder);
    if (!loaded.value) {
        return refuse_input(std::move(loaded.diagnostics));
    }
    return LintedPack{std::move(*loaded.value), std::move(loaded.diagnostics)};
}

// The system's name is read before the rest of the cluster file, because the pack decides which
// keys the file may have. Releases of the cluster file override those of the pack.
AppResult<Project> open_project(const Options& options) {
    auto system = pack::cluster_system(options.cluster_file);
    if (!system) {
        return refuse(system.error(), k_exit_usage);
    }
    const auto packs = list_packs(options.program);
    if (std::find(packs.begin(), packs.end(), *system) == packs.end()) {
        const std::string suggestion = nearest(*system, packs);
        return refuse(
            {"cluster.system",
             fmt::format("{}: there is no pack for `{}`", options.cluster_file, *system),
             fmt::format("{}known: {} (in {})",
                         suggestion.empty() ? "" : fmt::format("did you mean `{}`? ", suggestion),
                         join(packs, ", "),
                         packs_folder(options.program)),
             ErrorClass::permanent},
            k_exit_usage);
    }
    const std::string folder = pack_folder(options.program, *system);
    if (Status folder_check = check_pack_folder(folder); !folder_check) {
        return refuse(folder_check.error(), k_exit_usage);
    }
    auto pack = pack::load_pack(folder);
    if (!pack.value) {
        return refuse_input(std::move(pack.diagnostics));
    }
    auto cluster = pack::load_cluster(options.cluster_file, *pack.value);
    if (!cluster.value) {
        return refuse_input(std::move(cluster.diagnostics));
    }
    for (const auto& [version, release] : cluster.value->releases) {
        pack.value->releases.insert_or_assign(version, release);
    }
    return Project{std::move(*pack.value), std::move(*cluster.value)};
}

Status check_trust(const Options& options, const Project& project) {
    return check_trust(options, project.cluster.file, [&] {
        return executed_by(project.cluster, sources_to_list(project));
    });
}

std::string usual_state(const std::string& host, const std::string& state) {
    return fmt::format("{}/hosts/{}", state, host);
}

// Fills in the defaults. An agent on this machine is this very program; on other hosts `drydock` is
// found by the shell there.
std::map<std::string, transport::HostAddress>
addresses(const std::map<std::string, model::Host>& hosts,
          const Options& options,
          const std::string& state) {
    auto host_addresses = executor::addresses_of(hosts);
    for (auto& [name, address] : host_addresses) {
        if (address.agent.empty()) {
            const bool is_copied = transport::has_ssh_name(address);
            address.agent = is_copied ? "" : address.connect.empty() ? options.program : "drydock";
        }
        if (address.state.empty()) {
            address.state = usual_state(name, state);
        }
    }
    return host_addresses;
}

namespace {

// Reads one secret. An error names its source and never its value.
Result<std::string> read_secret(const model::SecretSource& source) {
    if (source.kind == model::SecretKind::file) {
        DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(source.origin.at(0), 64U << 10U));
        return trim(text);
    }
    if (source.kind == model::SecretKind::env) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
        const char* value = std::getenv(source.origin.at(0).c_str());
        return value != nullptr
                   ? Result<std::string>(value)
                   : fail("secret.env",
                          fmt::format("the environment has no {}", source.origin.at(0)),
                          "set it before you start drydock");
    }
    os::RunOptions options;
    options.spawn.argv = source.origin;
    DRYDOCK_TRY_ASSIGN(const os::RunResult result, os::run_to_end(options));
    if (result.timed_out || result.exit.code != 0) {
        return fail("secret.command",
                    fmt::format("{} ended with {}", source.origin.at(0), result.exit.text()),
                    "run it by hand");
    }
    return trim(result.output);
}

}  // namespace

Result<Json> read_secrets(const std::map<std::string, model::SecretSource>& secrets) {
    Json values = Json::Object{};
    for (const auto& [name, source] : secrets) {
        auto value = read_secret(source);
        if (!value) {
            return tl::unexpected(value.error().with_context(fmt::format("secret {}", name)));
        }
        values.set(name, std::move(*value));
    }
    return values;
}

// Reads all facts, asks every host for work that is under way, and waits until it has ended. Facts
// that were read beside such work are stale, so they are read again after it.
AppResult<Survey> survey_for(const Options& options,
                             Project project,
                             const planner::PlanNames& naming,
                             std::int64_t quiet_ms_max) {
    os::RealClock clock;
    const std::int64_t begin = clock.monotonic_ms();
    DRYDOCK_TRY_ASSIGN(auto sources, planner::bind_sources(project.pack, project.cluster, naming));
    DRYDOCK_TRY(check_trust(options, project));
    DRYDOCK_TRY_ASSIGN(auto secrets, read_secrets(project.cluster.secrets));
    Survey survey = {
        std::move(project.pack), std::move(project.cluster), std::move(sources), {}, 0, {}, {}};
    DRYDOCK_TRY(transport::LocalTransport::reserve(survey.cluster.hosts.size()));
    transport::SshTransport transport(agent_program(options.program));
    executor::AgentPool hosts(transport,
                              clock,
                              addresses(survey.cluster.hosts, options, survey.cluster.state_dir),
                              {},
                              std::move(secrets));
    std::vector<std::string> keys;
    for (const auto& [key, source] : survey.sources) {
        keys.push_back(key);
    }
    survey.facts = executor::read_now(survey.sources, keys, hosts, clock);
    const std::int64_t work_begin = clock.monotonic_ms();
    const executor::WorkReport first = executor::recall_work(hosts, clock);
    executor::Identity reader;
    reader.cluster = survey.cluster.name;
    reader.claims = executor::claims_of(survey.sources);
    const executor::WorkReport work =
        executor::await_quiet(hosts,
                              clock,
                              quiet_ms_max,
                              &first,
                              [&](const executor::AttemptOnHost& attempt) {
                                  return executor::is_neighbours(attempt, reader);
                              },
                              {});
    for (const executor::AttemptOnHost& attempt : work.running) {
        survey.under_way.push_back(
            executor::under_way_error(attempt, clock.monotonic_ms() - work_begin));
    }
    if (!first.running.empty() && work.running.empty()) {
        survey.facts = executor::read_now(survey.sources, keys, hosts, clock);
    }
    for (const std::string& host : hosts.names()) {
        if (const auto& trouble = hosts.trouble(host)) {
            survey.unreachable.push_back(*trouble);
        }
    }
    survey.took_ms = clock.monotonic_ms() - begin;
    return survey;
}

AppResult<Survey> survey(const Options& options) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    return survey_for(options, std::move(project), {});
}

}  // namespace drydock::app
