// The operator's cluster as the cluster file describes it, with every default filled in and every
// ${name} replaced.
#pragma once

#include "base/diagnostics.h"
#include "base/enum_names.h"
#include "base/json.h"
#include "model/pack.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::model {

struct Host {
    std::string name;
    std::vector<std::string> connect;  // empty: this machine
    std::vector<std::string> become;
    std::string
        agent;  // path of drydock there; empty: the running program (local), "drydock" elsewhere
    std::string state_dir;                      // that host's folder for actions
    std::map<std::string, std::string> labels;  // {"rack": "r1"}; not part of a plan
};

enum class SecretKind : std::uint8_t { file, env, command };
inline constexpr EnumNames<SecretKind, SecretKind::command>
    k_secret_kinds({"file", "env", "command"});

[[nodiscard]] inline std::string_view name_of(SecretKind kind) {
    return k_secret_kinds.of(kind);
}

// The origin of a secret's value; the value itself is never part of a Cluster.
struct SecretSource {
    SecretKind kind = SecretKind::file;
    std::vector<std::string> origin;  // the path, the variable, the argv
};

struct Member {
    std::string role;
    std::string name;
    std::string side;  // such as "blue"; empty: its role has no sides
    std::string host;
    Json service;      // the agent's service object ({"type":"process", ...})
    std::string link;  // the symlink that is switched; empty if the release is no link
    std::map<std::string, std::string> versions;  // release -> folder
    Json venv;  // {python, pins by release, wheels?, check?, env?}; null unless drydock makes them
    std::map<std::string, std::string> settings;  // resolved; secrets as ${secret:NAME}
    std::map<std::string, std::string> labels;    // its host's, with its own on top
    Position position;
};

// The reaction to a halt of a run.
enum class FailurePolicy : std::uint8_t {
    halt,       // wait for a person
    take_back,  // "return": begin the downgrade, if it is possible
};
inline constexpr EnumNames<FailurePolicy, FailurePolicy::take_back> k_failure_policies({"halt",
                                                                                        "return"});

[[nodiscard]] inline std::string_view name_of(FailurePolicy policy) {
    return k_failure_policies.of(policy);
}

struct Policy {
    int max_unavailable = 1;
    std::int64_t soak_ms = 600'000;
    FailurePolicy on_failure = FailurePolicy::halt;
    std::string backup_path;  // folder on the hosts
    int backup_keep = 2;
    std::string
        allowed_signers;  // file of keys that may sign plans; empty: signatures are not checked
    bool signature_required = true;
};

struct Cluster {
    std::string name;
    std::string system;
    std::string file;       // path as given
    std::string state_dir;  // absolute folder of the journal
    std::map<std::string, Host> hosts;
    std::vector<Member> members;  // in the file's order
    Policy policy;
    std::map<std::string, ReleaseSpec> releases;  // own builds, which the pack does not know
    std::map<std::string, SecretSource> secrets;  // by the NAME in ${secret:NAME}
    // "source" and "target" of the plan that is being made; empty if no role has sides.
    std::map<std::string, std::string> sides;
};

}  // namespace drydock::model
