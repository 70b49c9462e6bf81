// What a cluster file or a plan would execute, one entry for each part that can change alone.
#include "agent/digest.h"
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

// How one word of a command line is told.
struct Word {
    std::string digest;      // of the file that it names; empty: told by its letters alone
    bool too_large = false;  // a file that is not told by its content
};

// The system's own programs change with every update; all other files are told by content.
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

std::string note_of(const Word& word) {
    if (word.too_large) {
        return " [too large to be told by its content]";
    }
    return word.digest.empty() ? "" : fmt::format(" [{}]", word.digest.substr(0, k_digest_shown));
}

Executed executed(const std::string& what, const std::vector<std::string>& argv) {
    Json words = Json::Array{};
    Json scripts = Json::Array{};
    std::string text = what + ":";
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
    decides.set("what", what).set("argv", std::move(words)).set("scripts", std::move(scripts));
    return {std::move(text), is_told ? sha256_hex(decides.dump()) : ""};
}

std::vector<std::string> launch_of(const model::Host& host) {
    std::vector<std::string> argv = host.connect;
    argv.insert(argv.end(), host.become.begin(), host.become.end());
    if (!host.agent.empty()) {
        argv.push_back(host.agent);
    } else if (!argv.empty()) {
        argv.emplace_back("drydock");
    }
    return argv;
}

Executed executed(const std::string& name, const model::SecretSource& source) {
    if (source.kind == "command") {
        return executed("secret " + name, source.from);
    }
    // A file that holds a secret may change; what it is called decides.
    std::string text = fmt::format("secret {}: {} {}", name, source.kind, join(source.from, " "));
    std::string digest = sha256_hex(text);
    return {std::move(text), std::move(digest)};
}

// Every command line below `value`, wherever it stands: of a service, a probe, a step.
void add_commands(const Json& value, std::set<std::string>& programs) {
    static constexpr std::array k_commands = {"argv", "start", "stop", "status"};
    for (const char* name : k_commands) {
        std::string words;
        for (const Json& word : value[name].items()) {
            words += (words.empty() ? "" : " ") + word.show();
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

// Each command line, once, and each script with its digest.
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
            const std::string digest = sha256_hex(script["content"].as_string());
            programs.insert(fmt::format(
                "script {} [{}]", script["name"].as_string(), digest.substr(0, k_digest_shown)));
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

// What a person reads of a member: its programs, and where else programs of it may lie.
std::string text_of(const model::Member& member, const model::FactSources& sources) {
    std::set<std::string> programs;
    add_commands(member.service, programs);
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

// All of a member that the cluster file says decides: its settings, too, become words of commands.
Executed executed(const model::Cluster& cluster,
                  const model::Member& member,
                  const model::FactSources& sources) {
    Json launch = Json::Array{};
    if (const auto host = cluster.hosts.find(member.host); host != cluster.hosts.end()) {
        for (const std::string& word : launch_of(host->second)) {
            launch.push(word);
        }
    }
    Json decides;
    decides.set("system", cluster.system).set("member", member.name).set("role", member.role);
    decides.set("host", member.host).set("launch", std::move(launch)).set("link", member.link);
    decides.set("service", member.service).set("venv", member.venv);
    decides.set("versions", to_json(member.versions));
    decides.set("settings", to_json(member.settings));
    decides.set("backups", cluster.policy.backup_path);
    return {text_of(member, sources), sha256_hex(decides.dump())};
}

}  // namespace

std::vector<Executed> executed_by(const std::map<std::string, model::Host>& hosts,
                                  const std::map<std::string, model::SecretSource>& secrets) {
    std::vector<Executed> all;
    for (const auto& [name, host] : hosts) {
        if (const auto argv = launch_of(host); !argv.empty()) {
            all.push_back(executed("host " + name, argv));
        }
    }
    for (const auto& [name, source] : secrets) {
        all.push_back(executed(name, source));
    }
    return all;
}

std::vector<Executed> executed_by(const model::Cluster& cluster,
                                  const model::FactSources& sources) {
    auto all = executed_by(cluster.hosts, cluster.secrets);
    for (const model::Member& member : cluster.members) {
        all.push_back(executed(cluster, member, sources));
    }
    return all;
}

std::vector<Executed> executed_by(const model::Plan& plan) {
    auto all = executed_by(plan.hosts, plan.secrets);
    const auto programs = programs_of(plan);
    const std::string digest = plan.digest();
    all.push_back({fmt::format("plan {} [{}], on its hosts: {}",
                               plan.run,
                               digest.substr(0, k_digest_shown),
                               programs.empty() ? "no commands of its own" : list(programs)),
                   digest});
    return all;
}

}  // namespace drydock::app
