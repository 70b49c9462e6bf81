// The script on the host, and the conductor's side of it.
//
// The script is written for any POSIX shell with the usual small tools. It holds no single quote
// and no new line, and a blank or `=` behind each `!`, so that every login shell passes it on
// unchanged. A new agent is written beside its place, compared with the digest, tried, and only
// then renamed. So the name of an agent never leads to half of one. `head` may read more than it
// was told on some systems; nothing is sent behind the agent before the script has answered.
#include "transport/ssh/bootstrap.h"

#include "base/text.h"
#include "transport/frames.h"
#include "transport/ssh/explain.h"

#include <fmt/format.h>
#include <sys/utsname.h>

namespace drydock::transport {
namespace {

constexpr std::string_view k_line_start = "drydock-bootstrap 1 ";
constexpr std::size_t k_banner_shown = 200;

// Arguments: state folder, digest, size, machine.
constexpr std::string_view k_script =
    R"sh(umask 077; s=$1; d=$2; n=$3; m=$4; a=$s/.agents; f=$a/drydock-agent-$d; t=; )sh"
    R"sh(say() { echo "drydock-bootstrap 1 $*"; }; )sh"
    R"sh(fail() { say error "$@"; [ -z "$t" ] || rm -f "$t"; exit 69; }; )sh"
    R"sh(sum() { sha256sum 2>/dev/null <"$1" | cut -d" " -f1; }; )sh"
    R"sh([ "$(uname -m)" = "$m" ] || fail machine "$(uname -m)"; )sh"
    R"sh(command -v sha256sum >/dev/null || fail tool sha256sum; )sh"
    R"sh(mkdir -p "$a" 2>/dev/null || fail state "$(id -un)"; )sh"
    R"sh(if [ -L "$a" ] || [ ! -O "$a" ] || [ ! -O "$s" ]; then fail owner "$(id -un)"; fi; )sh"
    R"sh(if [ -L "$f" ] || [ ! -f "$f" ] || [ "$(sum "$f")" != "$d" ]; then )sh"
    R"sh(t=$(mktemp "$a/new.XXXXXX" 2>/dev/null) || fail write "$(id -un)"; say need; )sh"
    R"sh(head -c "$n" >"$t" 2>/dev/null || fail write "$(id -un)"; )sh"
    R"sh([ "$(sum "$t")" = "$d" ] || fail digest "$(wc -c <"$t")"; chmod 700 "$t"; )sh"
    R"sh("$t" >/dev/null 2>&1; r=$?; [ "$r" = 2 ] || fail start "$r"; )sh"
    R"sh(mv -f "$t" "$f" || fail write "$(id -un)"; t=; )sh"
    R"sh(for o in "$a"/drydock-agent-*; do [ "$o" = "$f" ] || rm -f "$o"; done; )sh"
    R"sh(find "$a" -name "new.*" -mmin +60 -exec rm -f {} + 2>/dev/null; )sh"
    R"sh(fi; say have; exec "$f" agent --state "$s")sh";

std::string quoted(const std::string& word) {
    std::string result = "'";
    for (const char c : word) {
        result += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return result + "'";
}

std::string quoted_words(const std::vector<std::string>& words) {
    std::string result;
    for (const std::string& word : words) {
        result += quoted(word) + " ";
    }
    return result;
}

std::string own_machine() {
    utsname facts = {};
    return ::uname(&facts) == 0 ? facts.machine : "";
}

// Turns an `error` line of the script into an error of ours.
Error bootstrap_error(const std::string& name, const std::string& words) {
    const auto space = std::min(words.find(' '), words.size());
    const std::string reason = words.substr(0, space);
    const std::string detail = trim(words.substr(space));
    const auto error = [&](const char* code, std::string message, std::string remedy) {
        return Error{code, std::move(message), std::move(remedy), ErrorClass::permanent};
    };
    if (reason == "machine") {
        return error(
            "ssh.machine",
            fmt::format("{} is a {}, and the agent here is for {}", name, detail, own_machine()),
            "put a drydock-agent for that machine on the host, and name it with `agent:`");
    }
    if (reason == "tool") {
        return error(
            "ssh.tool",
            fmt::format("{} has no `{}`, so that no copy can be checked", name, detail),
            "install it (coreutils), or put drydock-agent there and name it with `agent:`");
    }
    if (reason == "state" || reason == "write") {
        return error("ssh.state",
                     fmt::format("{} cannot write in the state folder of {}, or its disk is full",
                                 detail,
                                 name),
                     "name a folder of that user with `state:`, or use `become: [sudo, -n]`; see "
                     "`df` there");
    }
    if (reason == "owner") {
        return error(
            "ssh.owner",
            fmt::format("the state folder of {}, or .agents in it, is not {}'s own", name, detail),
            "name another folder with `state:`");
    }
    if (reason == "start") {
        return error("ssh.noexec",
                     fmt::format("{} cannot execute the agent in the state folder (exit {}): the "
                                 "file system may be mounted noexec",
                                 name,
                                 detail),
                     "name a folder with `state:` where programs may be executed");
    }
    return {"ssh.copy",
            fmt::format("the agent did not arrive whole on {}: {} bytes, or changed", name, detail),
            "try again; see that the disk there is not full",
            ErrorClass::transient};
}

class BootstrapOpening final : public Opening {
public:
    BootstrapOpening(std::string name, AgentCopy agent)
        : name_(std::move(name))
        , agent_(std::move(agent)) {}

    Result<Step> take(std::string_view bytes) override {
        buffer_ += bytes;
        Step step;
        for (auto end = buffer_.find('\n'); end != buffer_.npos && !step.is_done;
             end = buffer_.find('\n')) {
            const std::string line = buffer_.substr(0, end);
            buffer_.erase(0, end + 1);
            DRYDOCK_TRY(take_line(line, step));
        }
        if (step.is_done) {
            step.rest = std::move(buffer_);
            return step;
        }
        if (banner_bytes_ + buffer_.size() > k_banner_bytes_max) {
            return fail("ssh.banner",
                        fmt::format("{} prints {} bytes and more before the agent speaks: `{}`",
                                    name_,
                                    k_banner_bytes_max,
                                    banner_.empty() ? buffer_.substr(0, k_banner_shown) : banner_),
                        "see which start-up file of the shell there prints when nobody watches");
        }
        return step;
    }

    Error explain_end(Error ended, std::string_view last_words) const override {
        return explain_ssh_end(name_, std::move(ended), last_words);
    }

private:
    Status take_line(const std::string& line, Step& step) {
        if (!line.starts_with(k_line_start)) {
            banner_bytes_ += line.size() + 1;
            banner_ = line.substr(0, k_banner_shown);
            return {};
        }
        const std::string words = trim(line.substr(k_line_start.size()));
        if (words == "have") {
            step.is_done = true;
        } else if (words == "need" && !was_sent_) {
            was_sent_ = true;
            step.send = agent_.bytes;
        } else if (words.starts_with("error ")) {
            return tl::unexpected(bootstrap_error(name_, words.substr(6)));
        } else {
            return fail("ssh.bootstrap",
                        fmt::format("{} says `{}`, which was not asked", name_, words),
                        "see what that host is");
        }
        return {};
    }

    std::string name_;
    AgentCopy agent_;
    std::string buffer_;
    std::string banner_;  // its last line, for messages
    std::size_t banner_bytes_ = 0;
    bool was_sent_ = false;
};

class SshOpening final : public Opening {
public:
    explicit SshOpening(std::string name) : name_(std::move(name)) {}

    Result<Step> take(std::string_view bytes) override {
        return Step{true, std::string(bytes), {}};
    }

    Error explain_end(Error ended, std::string_view last_words) const override {
        return explain_ssh_end(name_, std::move(ended), last_words);
    }

private:
    std::string name_;
};

}  // namespace

std::string bootstrap_command(const std::vector<std::string>& become,
                              const std::string& state,
                              const AgentCopy& agent) {
    return fmt::format("exec {}sh -c '{}' drydock {}{} {} {}",
                       quoted_words(become),
                       k_script,
                       quoted_words({state}),
                       agent.digest,
                       agent.bytes->size(),
                       quoted(own_machine()));
}

std::string agent_command(const std::vector<std::string>& become,
                          const std::string& agent,
                          const std::string& state) {
    return fmt::format(
        "exec {}{}agent --state {}", quoted_words(become), quoted_words({agent}), quoted(state));
}

std::unique_ptr<Opening> make_bootstrap_opening(std::string name, AgentCopy agent) {
    return std::make_unique<BootstrapOpening>(std::move(name), std::move(agent));
}

std::unique_ptr<Opening> make_ssh_opening(std::string name) {
    return std::make_unique<SshOpening>(std::move(name));
}

}  // namespace drydock::transport
