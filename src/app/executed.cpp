// Lists the commands that a cluster file or a plan would execute, one entry for each part that can
// change alone.
//
// Each entry has a text for people and a digest for the memory of consents (trust.cpp). The digest
// covers more than the text shows: every setting of a member may become a word of a command, so no
// setting is left out as harmless. Files that a command line names are part of the digest by their
// content. docs/design/0007-trust.md has the reasons.
#include "agent/digest.h"
#include "app/internal.h"
#include "app/trust.h"
#include "base/hash.h"
#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <set>

namespace drydock::app {

namespace {

constexpr off_t k_file_bytes_max = 256U << 20U;  // larger files are read for too long
constexpr std::size_t k_digest_shown = 12;
constexpr std::string_view k_system_folder = "/usr/";

// One word of a command line, as it enters an entry.
struct Word {
    std::string digest;      // of the file that it names; empty: told by its letters alone
    bool too_large = false;  // a file that is not told by its content
};

// Digests the file that a word names. Programs below /usr are left out, because each update of the
// system changes them and would ask the person again.
Word word_of(const std::string& word) {
    struct stat facts = {};
    const bool is_file = ::stat(word.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
    if (!is_file || os::real_path_of(word).starts_with(k_system_folder)) {
        return {};
    }
    if (facts.st_size > k_file_bytes_max) {
        return {"", true};
    }
    return {agent::digest_file_cached(word).value_or(""), false};
}

// Returns the suffix that shows a person which content of a file is meant.
std::string note_of(const Word& word) {
    if (word.too_large) {
        return " [too large to be told by its content]";
    }
    return word.digest.empty() ? "" : fmt::format(" [{}]", word.digest.substr(0, k_digest_shown));
}

// Makes the entry of one command line. The first word counts as a file only if it has a slash;
// otherwise it is looked up in PATH. A file that is too large leaves the digest empty, and an entry
// without a digest is asked about each time.
Executed executed(const std::string& subject, const std::vector<std::string>& argv) {
    Json words = Json::Array{};
    Json scripts = Json::Array{};
    std::string text = subject + ":";
    bool is_told = true;
    for (std::size_t i = 0; i < argv.size(); ++i) {
        const bool may_be_file = i > 0 || argv[i].find('/') != std::string::npos;
        const Word word = may_be_file ? word_of(argv[i]) : Word{};
        words.push(argv[i]);
        scripts.push(word.digest);
        text += " " + argv[i] + note_of(word);
        is_told = is_told && !word.too_large;
    }
    Json decides;
    decides.set("what", subject).set("argv", std::move(words)).set("scripts", std::move(scripts));
    return {std::move(text), is_told ? sha256_hex(decides.dump()) : ""};
}

// Returns all words that start an agent, with its state directory. Empty for an agent on this
// machine with default settings, which the entry of the cluster covers.
std::vector<std::string> launch_of(const model::Host& host, const std::string& state) {
    std::vector<std::string> argv = host.connect;
    argv.insert(argv.end(), host.become.begin(), host.become.end());
    const bool is_usual = host.state_dir.empty() || host.state_dir == usual_state(host.name, state);
    if (argv.empty() && host.agent.empty() && is_usual) {
        return {};
    }
    argv.push_back(host.agent.empty() ? "drydock" : host.agent);
    argv.insert(argv.end(), {"agent", "--state"});
    argv.push_back(host.state_dir.empty() ? usual_state(host.name, state) : host.state_dir);
    return argv;
}

// A secret belongs to one cluster: the digest has the cluster's name. Otherwise a second cluster
// file could send the same secret to its own hosts.
Executed
executed(const std::string& cluster, const std::string& name, const model::SecretSource& source) {
    const std::string subject = fmt::format("secret {} of cluster {}", name, cluster);
    if (source.kind == model::SecretKind::command) {
        return executed(subject, source.origin);
    }
    // The digest covers the name of the file, since its content may change.
    std::string text =
        fmt::format("{}: {} {}", subject, name_of(source.kind), join(source.origin, " "));
    Json decides = Json::Array{};
    decides.push(subject).push(std::string(name_of(source.kind)));
    for (const std::string& word : source.origin) {
        decides.push(word);
    }
    return {std::move(text), sha256_hex(decides.dump())};
}

std::string text_of_script(const Json& script) {
    const std::string digest = sha256_hex(script["content"].as_string());
    return fmt::format(
        "script {} [{}]", script["name"].as_string(), digest.substr(0, k_digest_shown));
}

// Adds every command line below `value`, at any depth: those of services, probes, steps and
// environments. A script stands there by its content. The search knows only the keys that the
// pack's schema has for command lines.
void add_commands(const Json& value, std::set<std::string>& programs) {
    static constexpr std::array k_commands = {"argv", "start", "stop", "status", "check"};
    const Json& script = value["script"];
    for (const char* name : k_commands) {
        std::string words;
        for (const Json& word : value[name].items()) {
            const bool is_script = script.is_object() && word.show() == "${script}";
            const bool is_own = word.show() == "${drydock}";  // which runs anyway
            words += words.empty() ? "" : " ";
            words += is_script ? text_of_script(script) : is_own ? "drydock" : word.show();
        }
        programs.insert(words);
    }
    for (const auto& [key, inner] : value.members()) {
        add_commands(inner, programs);
    }
    for (const Json& inner : value.items()) {
        add_commands(inner, programs);
    }
}

// Returns each command line once, and each script with its digest.
std::set<std::string> programs_of(const model::Plan& plan) {
    std::set<std::string> programs;
    for (const auto& [key, source] : plan.sources) {
        add_commands(source.probe, programs);
    }
    for (const model::Action& action : plan.actions) {
        const Json& script = action.request["script"];
        if (action.request["kind"].as_string() == "venv") {
            programs.insert(fmt::format("{} -m venv, and pip with {}",
                                        action.request["python"].as_string(),
                                        action.request["pins"].as_string()));
        } else if (!script.is_null()) {
            programs.insert(text_of_script(script));
        }
        add_commands(action.request, programs);
    }
    programs.erase("");
    return programs;
}

std::string list(const std::set<std::string>& programs) {
    return join({programs.begin(), programs.end()}, ", ");
}

Json to_json(const std::map<std::string, std::string>& texts) {
    Json json = Json::Object{};
    for (const auto& [name, text] : texts) {
        json.set(name, text);
    }
    return json;
}

// Returns the line that a person reads about a member: its programs and the folders of its
// releases.
std::string text_of(const model::Member& member, const model::FactSources& sources) {
    std::set<std::string> programs;
    add_commands(member.service, programs);
    add_commands(member.venv, programs);
    programs.insert(member.venv["python"].as_string());
    for (const auto& [key, source] : sources) {
        if (source.member == member.name) {
            add_commands(source.probe, programs);
        }
    }
    programs.erase("");
    std::set<std::string> folders;
    for (const auto& [version, folder] : member.versions) {
        folders.insert(folder);
    }
    return fmt::format("member {} on {}: {}{}{}",
                       member.name,
                       member.host,
                       programs.empty() ? "programs" : list(programs),
                       folders.empty() ? "" : ", from ",
                       list(folders));
}

// Digests all that the cluster file says of a member, and the way to its host. Settings are
// included, because a pack may put any of them into a command.
Executed executed(const model::Cluster& cluster,
                  const model::Member& member,
                  const model::FactSources& sources) {
    Json launch = Json::Array{};
    if (const auto host = cluster.hosts.find(member.host); host != cluster.hosts.end()) {
        for (const std::string& word : launch_of(host->second, cluster.state_dir)) {
            launch.push(word);
        }
    }
    Json decides;
    decides.set("cluster", cluster.name).set("system", cluster.system);
    decides.set("member", member.name).set("role", member.role).set("side", member.side);
    decides.set("host", member.host).set("launch", std::move(launch)).set("link", member.link);
    decides.set("service", member.service).set("venv", member.venv);
    decides.set("versions", to_json(member.versions));
    decides.set("settings", to_json(member.settings));
    decides.set("backups", cluster.policy.backup_path);
    return {text_of(member, sources), sha256_hex(decides.dump())};
}

// This function and the two below feed digests. A new field of the model belongs here, or a change
// of it would pass without a question.
Json to_json(const model::Policy& policy) {
    Json json;
    json.set("max_unavailable", policy.max_unavailable).set("soak_ms", policy.soak_ms);
    json.set("on_failure", std::string(name_of(policy.on_failure)))
        .set("backup_path", policy.backup_path);
    json.set("backup_keep", policy.backup_keep).set("allowed_signers", policy.allowed_signers);
    return json.set("signature_required", policy.signature_required);
}

Json to_json(const model::FormatSupport& law) {
    Json reads = Json::Array{};
    for (const std::string& format : law.reads) {
        reads.push(format);
    }
    Json json;
    json.set("reads", std::move(reads)).set("writes", law.writes);
    json.set("raises", std::string(model::name_of(law.trigger)));
    return json.set("lowers_on_request", law.lowers_on_request);
}

Json to_json(const model::ReleaseSpec& release) {
    Json laws = Json::Object{};
    for (const auto& [store, law] : release.laws) {
        laws.set(store, to_json(law));
    }
    Json json;
    json.set("series", release.series).set("laws", std::move(laws));
    return json.set("needs", to_json(release.needs)).set("unavailable", release.unavailable);
}

// Returns the releases that the cluster file defines itself; they override those of the pack.
std::string list_releases(const model::Cluster& cluster) {
    std::set<std::string> versions;
    for (const auto& [version, release] : cluster.releases) {
        versions.insert(version);
    }
    return versions.empty() ? "" : ", own releases " + list(versions);
}

// Makes the entry of settings outside of members: the directory of the journal, the policy, and the
// cluster's own releases.
Executed executed(const model::Cluster& cluster) {
    Json releases = Json::Object{};
    for (const auto& [version, release] : cluster.releases) {
        releases.set(version, to_json(release));
    }
    Json decides;
    decides.set("cluster", cluster.name)
        .set("system", cluster.system)
        .set("state", cluster.state_dir);
    decides.set("policy", to_json(cluster.policy)).set("releases", std::move(releases));
    std::string text = fmt::format("cluster {}: records in {}, policy max_unavailable {}, "
                                   "on_failure {}{}{}",
                                   cluster.name,
                                   cluster.state_dir,
                                   cluster.policy.max_unavailable,
                                   name_of(cluster.policy.on_failure),
                                   cluster.policy.allowed_signers.empty() ? "" : ", signers in ",
                                   cluster.policy.allowed_signers);
    return {text + list_releases(cluster), sha256_hex(decides.dump())};
}

using Hosts = std::map<std::string, model::Host>;
using Secrets = std::map<std::string, model::SecretSource>;

// Lists the hosts, then the secrets, of one cluster.
std::vector<Executed> executed(const std::string& cluster,
                               const std::string& state,
                               const Hosts& hosts,
                               const Secrets& secrets) {
    std::vector<Executed> entries;
    for (const auto& [name, host] : hosts) {
        if (const auto argv = launch_of(host, state); !argv.empty()) {
            entries.push_back(executed("host " + name, argv));
        }
    }
    for (const auto& [name, source] : secrets) {
        entries.push_back(executed(cluster, name, source));
    }
    return entries;
}

}  // namespace

std::vector<Executed> executed_by(const model::Cluster& cluster,
                                  const model::FactSources& sources) {
    auto entries = executed(cluster.name, cluster.state_dir, cluster.hosts, cluster.secrets);
    entries.push_back(executed(cluster));
    for (const model::Member& member : cluster.members) {
        entries.push_back(executed(cluster, member, sources));
    }
    return entries;
}

// A plan is one entry by its own digest, since its parts cannot change alone.
std::vector<Executed> executed_by(const model::Plan& plan) {
    auto entries = executed(plan.cluster, plan.state_dir, plan.hosts, plan.secrets);
    const auto programs = programs_of(plan);
    const std::string digest = plan.digest();
    entries.push_back({fmt::format("plan {} [{}], on its hosts: {}",
                                   plan.run,
                                   digest.substr(0, k_digest_shown),
                                   programs.empty() ? "no commands of its own" : list(programs)),
                       digest});
    return entries;
}

}  // namespace drydock::app
