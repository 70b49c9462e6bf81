// Signs plans and verifies their signatures with ssh-keygen.
//
// Verifying takes two calls, because ssh-keygen verifies for a named signer only: the first finds
// the signers whose key made the signature, the second verifies it for each. The plan goes to
// ssh-keygen as canonical bytes on its stdin, never by path, so the file cannot change between
// check and use. docs/design/0007-trust.md describes the bytes that a signature covers.
#include "app/signing.h"

#include "app/internal.h"
#include "base/text.h"
#include "os/files.h"
#include "os/process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

namespace drydock::app {

namespace {

constexpr const char* k_namespace = "drydock-plan";
constexpr std::size_t k_signature_bytes_max = 64U << 10U;
constexpr std::int64_t k_verify_ms_max = 30'000;
constexpr std::int64_t k_sign_ms_max = 600'000;  // a person may be asked for a passphrase

std::string signature_path(const std::string& plan_file) {
    return plan_file + ".sig";
}

Error no_ssh_keygen(const Error& error) {
    return {"plan.ssh_keygen", error.message, "install OpenSSH's client", ErrorClass::permanent};
}

// Runs ssh-keygen with the plan as its input and returns what it prints. An exit code other than 0
// is "plan.signature"; a missing ssh-keygen has an error of its own.
Result<std::string> ask_ssh_keygen(std::vector<std::string> arguments, const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(const os::Fd input, os::memory_file(plan_bytes(plan)));
    os::RunOptions options;
    options.spawn.argv = std::move(arguments);
    options.spawn.argv.insert(options.spawn.argv.begin(), {"ssh-keygen", "-Y"});
    options.spawn.input = input.get();
    options.timeout_ms = k_verify_ms_max;
    const auto result = os::run_to_end(options);
    if (!result) {
        return tl::unexpected(no_ssh_keygen(result.error()));
    }
    if (result->timed_out || result->exit.code != 0) {
        return fail("plan.signature", trim(result->output));
    }
    return result->output;
}

// Returns the signers of the list whose key made the signature. This does not verify the plan yet.
Result<std::vector<std::string>>
find_signers(const model::Plan& plan, const std::string& signature, const std::string& allowed) {
    const auto principals =
        ask_ssh_keygen({"find-principals", "-s", signature, "-f", allowed}, plan);
    if (!principals && principals.error().code != "plan.signature") {
        return tl::unexpected(principals.error());
    }
    if (!principals) {
        return fail("plan.signature",
                    fmt::format("{}: a signature by nobody whom {} allows, or none at all ({})",
                                signature,
                                allowed,
                                principals.error().message),
                    "let somebody sign it who may: drydock sign PLAN --key KEY");
    }
    std::vector<std::string> signers;
    for (const std::string& line : split(trim(*principals), '\n')) {
        for (const std::string& signer : split(trim(line), ',')) {
            signers.push_back(signer);
        }
    }
    return signers;
}

// Returns the signer whose signature covers this very plan. The first read of the signature file
// bounds its size before ssh-keygen opens it.
Result<std::string>
verify_signature(const model::Plan& plan, const std::string& file, const std::string& allowed) {
    const std::string signature = signature_path(file);
    DRYDOCK_TRY(os::read_file(signature, k_signature_bytes_max));
    DRYDOCK_TRY_ASSIGN(const auto signers, find_signers(plan, signature, allowed));
    for (const std::string& signer : signers) {
        const auto verified = ask_ssh_keygen(
            {"verify", "-n", k_namespace, "-f", allowed, "-I", signer, "-s", signature}, plan);
        if (verified) {
            return signer;
        }
        if (verified.error().code != "plan.signature") {
            return tl::unexpected(verified.error());
        }
    }
    return fail("plan.signature",
                fmt::format("the signature {} does not fit the plan: the plan was changed behind "
                            "it, or it was made for something else",
                            signature),
                "see what was changed; then sign it again: drydock sign PLAN --key KEY");
}

// Returns the cluster file whose policy holds, or nothing if the plan's own is gone. A file that a
// person named must exist; otherwise its policy would be passed by.
AppResult<std::optional<model::Cluster>> policy_file(const Options& options,
                                                     const model::Plan& plan) {
    Options policy_options = options;
    std::error_code ignored;
    policy_options.cluster_file =
        options.policy_file.empty() ? plan.cluster_file : options.policy_file;
    if (options.policy_file.empty() && !std::filesystem::exists(plan.cluster_file, ignored)) {
        return std::optional<model::Cluster>();
    }
    DRYDOCK_TRY_ASSIGN(auto project, open_project(policy_options));
    return std::optional(std::move(project.cluster));
}

// Compares all that decides where commands go and as which user they run.
bool is_same_host(const model::Host& first, const model::Host& second) {
    return first.connect == second.connect && first.become == second.become
           && first.agent == second.agent && first.state_dir == second.state_dir;
}

// A plan of another cluster with the same name is told by its state directory and its hosts.
bool is_plan_of(const model::Plan& plan, const model::Cluster& cluster) {
    return plan.cluster == cluster.name && plan.state_dir == cluster.state_dir
           && std::all_of(plan.hosts.begin(), plan.hosts.end(), [&](const auto& entry) {
                  const auto host = cluster.hosts.find(entry.first);
                  return host != cluster.hosts.end() && is_same_host(entry.second, host->second);
              });
}

tl::unexpected<Failure> other_cluster(const model::Plan& plan, const std::string& file) {
    return refuse({"plan.other_cluster",
                   fmt::format("this is not a plan of {}: its cluster `{}`, its state folder or "
                               "its hosts are others",
                               file,
                               plan.cluster),
                   "plan again with that cluster file",
                   ErrorClass::permanent});
}

// Whoever may write the list of signers may sign, so the list must belong to root or this account.
Status check_signers_file(const std::string& file) {
    DRYDOCK_TRY(check_own("signers.not_private", file));
    return check_own("signers.not_private", os::folder_of(file));
}

Error unsigned_error(const Options& options, const model::Cluster& cluster) {
    return {"plan.unsigned",
            fmt::format("{} is not signed, and the policy of {} asks for it",
                        options.plan_file,
                        cluster.file),
            "let somebody sign it who may: drydock sign PLAN --key KEY",
            ErrorClass::permanent};
}

// Returns the signer, if the plan is signed and the policy has a list of signers. Without such a
// list a signature means nothing and is not read.
AppResult<std::optional<std::string>>
check_policy(const Options& options, const model::Plan& plan, const model::Cluster& cluster) {
    const std::string& allowed = cluster.policy.allowed_signers;
    const bool is_signed = !allowed.empty() && os::exists(signature_path(options.plan_file));
    if (!is_signed && !allowed.empty() && cluster.policy.signature_required) {
        return refuse(unsigned_error(options, cluster));
    }
    if (!is_signed) {
        return std::optional<std::string>();
    }
    DRYDOCK_TRY(check_signers_file(allowed));
    DRYDOCK_TRY_ASSIGN(auto signer, verify_signature(plan, options.plan_file, allowed));
    return std::optional(std::move(signer));
}

}  // namespace

AppResult<std::optional<std::string>> check_signature(const Options& options,
                                                      const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(auto cluster, policy_file(options, plan));
    if (cluster && !options.policy_file.empty() && !is_plan_of(plan, *cluster)) {
        return other_cluster(plan, options.policy_file);
    }
    return cluster ? check_policy(options, plan, *cluster) : std::optional<std::string>();
}

// ssh-keygen speaks with the person's terminal and SSH agent, so it stays in this session. The
// signature is written only after ssh-keygen has succeeded.
Status sign_plan(const model::Plan& plan, const std::string& file, const std::string& key) {
    DRYDOCK_TRY_ASSIGN(const os::Fd input, os::memory_file(plan_bytes(plan)));
    DRYDOCK_TRY_ASSIGN(const os::Fd output, os::memory_file(""));
    os::SpawnOptions options;
    options.argv = {"ssh-keygen", "-Y", "sign", "-n", k_namespace, "-f", key};
    options.input = input.get();
    options.output = output.get();
    options.errors = STDERR_FILENO;
    options.own_session = false;  // a passphrase is asked for on the terminal
    auto child = os::spawn(options);
    if (!child) {
        return tl::unexpected(no_ssh_keygen(child.error()));
    }
    const auto exit = child->wait(k_sign_ms_max);
    if (!exit) {
        child->signal(SIGKILL);
    }
    if (!exit || exit->code != 0) {
        return fail("plan.signature",
                    fmt::format("ssh-keygen did not sign with {} ({})",
                                key,
                                exit ? exit->text() : "it took too long"),
                    "give a private key, or the public one of a key in the SSH agent");
    }
    DRYDOCK_TRY_ASSIGN(const std::string signature, os::read_again(output, k_signature_bytes_max));
    return os::write_file_durable(signature_path(file), signature, 0644);
}

}  // namespace drydock::app
