// Known last words of OpenSSH and sudo. The first that fits counts, so the narrower come first.
#include "transport/ssh/explain.h"

#include <fmt/format.h>

#include <array>

namespace drydock::transport {
namespace {

struct Meaning {
    std::string_view words;
    const char* code;
    const char* remedy;  // {0} is the host's name for ssh
    ErrorClass kind;
};

constexpr std::array k_meanings = {
    Meaning{"REMOTE HOST IDENTIFICATION HAS CHANGED",
            "ssh.host_key_changed",
            "if {0} was made anew, compare the new fingerprint with the host's own, then remove "
            "the old key with `ssh-keygen -R {0}` and log in once by hand: ssh {0}",
            ErrorClass::permanent},
    Meaning{"Host key verification failed",
            "ssh.host_key",
            "its host key is not known here, and drydock accepts none by itself. Log in once by "
            "hand and compare the fingerprint: ssh {0}",
            ErrorClass::permanent},
    Meaning{"password is required",
            "ssh.become",
            "let sudo on {0} ask no password (NOPASSWD in sudoers), or do without `become`",
            ErrorClass::permanent},
    Meaning{"is not in the sudoers file",
            "ssh.become",
            "let this account use sudo on {0}, or do without `become`",
            ErrorClass::permanent},
    Meaning{"Permission denied (",
            "ssh.denied",
            "see that a key without a question leads there: ssh -o BatchMode=yes {0} true",
            ErrorClass::permanent},
    Meaning{"Could not resolve hostname",
            "ssh.unknown_host",
            "name it in ~/.ssh/config, or correct the cluster file: ssh {0}",
            ErrorClass::transient},
    Meaning{"Connection refused",
            "ssh.unreachable",
            "see that sshd runs there: ssh {0}",
            ErrorClass::transient},
    Meaning{"timed out",
            "ssh.unreachable",
            "see that the host is up, and the way to it: ssh {0}",
            ErrorClass::transient},
    Meaning{"No route to host",
            "ssh.unreachable",
            "see that the host is up, and the way to it: ssh {0}",
            ErrorClass::transient},
};

}  // namespace

Error explain_ssh_end(const std::string& name, Error ended, std::string_view last_words) {
    for (const Meaning& meaning : k_meanings) {
        if (last_words.find(meaning.words) != std::string_view::npos) {
            ended.code = meaning.code;
            ended.remedy = fmt::format(fmt::runtime(meaning.remedy), name);
            ended.kind = meaning.kind;
            return ended;
        }
    }
    ended.remedy = fmt::format("run it by hand and see what it says: ssh {}", name);
    return ended;
}

}  // namespace drydock::transport
