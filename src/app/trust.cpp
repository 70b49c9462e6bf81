// What would be executed, and the memory of what was agreed to: one digest a line.
#include "app/trust.h"

#include "base/hash.h"
#include "base/text.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <set>

namespace drydock::app {

namespace {

constexpr std::size_t k_memory_bytes_max = 4U << 20U;  // about 64,000 digests
constexpr std::size_t k_script_bytes_max = 1U << 20U;  // larger files are no scripts
constexpr std::size_t k_digest_shown = 12;

// Programs change with every update of the system; a script or a settings file is told by content.
std::string script_digest(const std::string& word) {
    const auto content = os::read_plain_file(word, k_script_bytes_max);
    const bool is_script = content
                           && !content->starts_with("\x7f"
                                                    "ELF");
    return is_script ? sha256_hex(*content) : std::string();
}

Executed executed(const std::string& what, const std::vector<std::string>& argv) {
    Json words = Json::Array{};
    Json scripts = Json::Array{};
    std::string text = what + ":";
    for (std::size_t i = 0; i < argv.size(); ++i) {
        words.push(argv[i]);
        text += " " + argv[i];
        const bool may_be_file = i > 0 || argv[i].find('/') != std::string::npos;
        const std::string digest = may_be_file ? script_digest(argv[i]) : "";
        scripts.push(digest);
        text += digest.empty() ? "" : fmt::format(" [{}]", digest.substr(0, k_digest_shown));
    }
    Json decides;
    decides.set("what", what).set("argv", std::move(words)).set("scripts", std::move(scripts));
    return {std::move(text), sha256_hex(decides.dump())};
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

Result<std::string> memory_folder() {
    // NOLINTBEGIN(concurrency-mt-unsafe): no thread changes the environment
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    // NOLINTEND(concurrency-mt-unsafe)
    if (state != nullptr && *state == '/') {
        return std::string(state) + "/drydock";
    }
    if (home != nullptr && *home == '/') {
        return std::string(home) + "/.local/state/drydock";
    }
    return fail("trust.memory",
                "there is no place to remember in: neither XDG_STATE_HOME nor HOME is a folder",
                "set one of them");
}

// Nothing is known where nothing was ever remembered.
Result<std::set<std::string>> read_memory() {
    DRYDOCK_TRY_ASSIGN(const std::string folder, memory_folder());
    if (!os::exists(folder)) {
        return std::set<std::string>();
    }
    DRYDOCK_TRY(os::ensure_private_folder(folder));
    auto text = os::read_plain_file(folder + "/trusted", k_memory_bytes_max);
    if (!text && text.error().code == "os.missing") {
        return std::set<std::string>();
    }
    if (!text) {
        return tl::unexpected(text.error());
    }
    const auto lines = split(*text, '\n');
    return std::set<std::string>(lines.begin(), lines.end());
}

// One write of whole lines at the end, so that two processes do not lose each other's.
Status remember(const std::vector<Executed>& all) {
    DRYDOCK_TRY_ASSIGN(const std::string folder, memory_folder());
    DRYDOCK_TRY(os::ensure_private_folder(folder));
    DRYDOCK_TRY_ASSIGN(const os::Fd file,
                       os::open_file(folder + "/trusted",
                                     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK));
    std::string lines;
    for (const Executed& one : all) {
        lines += one.digest + "\n";
    }
    return os::write_all(file.get(), lines);
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
        if (source.kind == "command") {
            all.push_back(executed("secret " + name, source.from));
        }
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
                               programs.empty() ? "no commands of its own"
                                                : join({programs.begin(), programs.end()}, ", ")),
                   digest});
    return all;
}

Status
check_trust(const Options& options, const std::string& file, const std::vector<Executed>& all) {
    if (all.empty() || options.trust == Trust::this_time) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const auto known, read_memory());
    std::vector<Executed> fresh;
    std::vector<std::string> texts;
    for (const Executed& one : all) {
        if (!known.contains(one.digest)) {
            fresh.push_back(one);
            texts.push_back(one.text);
        }
    }
    if (fresh.empty()) {
        return {};
    }
    const bool agreed =
        options.trust == Trust::remember || (options.ask && options.ask(file, texts));
    if (!agreed) {
        return fail(
            "trust.unknown",
            fmt::format("{} is not known here. It would execute: {}", file, join(texts, "; ")),
            "read it; if you trust it: the same command with --trust, which is remembered");
    }
    return remember(fresh);
}

Status remember_own(const model::Plan& plan) {
    return remember(executed_by(plan));
}

}  // namespace drydock::app
