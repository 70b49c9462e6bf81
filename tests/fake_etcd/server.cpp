// A fake etcd behind real sockets: `fake_etcd_server BASE VERSION`, for the cluster of
// BASE/cluster.yaml, whose data are at the level of VERSION.
//
// The model (fake_etcd.h) moves by the machine's clock. A member is a process of its own
// (member.cpp) that holds a connection to BASE/server.sock; while it serves, threads of this
// process answer on its client and peer ports. "state" on that socket tells what became of it all;
// "no-space" raises etcd's alarm, and "space" ends it. One mutex guards the model.
#include "fake_etcd/fake_etcd.h"
#include "os/clock.h"
#include "pack/load.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <thread>

namespace drydock::fake_etcd {

namespace {

constexpr auto k_tick = std::chrono::milliseconds(5);
constexpr auto k_hang = std::chrono::milliseconds(2500);  // longer than a probe waits
constexpr std::size_t k_request_bytes_max = 1U << 20U;

// False once the other side has ended, or said too much.
bool read_more(int line, std::string& text) {
    std::array<char, 4096> buffer{};
    const ssize_t got = ::read(line, buffer.data(), buffer.size());
    text.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got > 0 && text.size() < k_request_bytes_max;
}

bool read_until(int line, std::string& text, std::string_view end) {
    while (text.find(end) == text.npos) {
        if (!read_more(line, text)) {
            return false;
        }
    }
    return true;
}

void write_all(int line, std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::send(line, text.data(), text.size(), MSG_NOSIGNAL);
        if (put <= 0) {
            return;
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
}

int listen_on_port(int port) {
    const int line = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(line, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    const bool listens =
        line >= 0 && ::bind(line, raw, sizeof address) == 0 && ::listen(line, 64) == 0;
    return listens ? line : -1;
}

int listen_on_path(const std::string& path) {
    const int line = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    const bool listens =
        line >= 0 && ::bind(line, raw, sizeof address) == 0 && ::listen(line, 64) == 0;
    return listens ? line : -1;
}

int port_of(const std::string& url) {
    return std::stoi(url.substr(url.rfind(':') + 1));
}

class Server {
public:
    Server(const model::Cluster& cluster, const std::string& version)
        : faults_(1)
        , etcd_(cluster, version, faults_)
        , begun_ms_(clock_.monotonic_ms()) {
        for (const model::Member& member : cluster.members) {
            etcd_.stop_by_hand(member.name);
            members_.push_back(&member);
        }
    }

    // Never returns.
    void serve(const std::string& path) {
        const int line = listen_on_path(path);
        std::thread([this] { tick(); }).detach();
        for (;;) {
            const int taken = ::accept4(line, nullptr, nullptr, SOCK_CLOEXEC);
            std::thread([this, taken] { attend(taken); }).detach();
        }
    }

private:
    void advance() { etcd_.advance(clock_.monotonic_ms() - begun_ms_); }

    // Ports are open while their member serves, and a member that would exit does.
    void tick() {
        for (;;) {
            {
                const std::lock_guard lock(mutex_);
                advance();
                for (const model::Member* member : members_) {
                    open_ports(*member);
                    end_refused(member->name);
                }
            }
            std::this_thread::sleep_for(k_tick);
        }
    }

    void open_ports(const model::Member& member) {
        for (const char* setting : {"client_url", "peer_url"}) {
            const std::string& url = member.settings.at(setting);
            auto& line = ports_[url];
            if (etcd_.listens(member.name) && line <= 0) {
                line = listen_on_port(port_of(url));
                if (line > 0) {
                    std::thread([this, url, port = line] { take_clients(url, port); }).detach();
                }
            } else if (!etcd_.listens(member.name) && line > 0) {
                ::shutdown(line, SHUT_RDWR);
                ::close(line);
                line = 0;
            }
        }
    }

    void end_refused(const std::string& name) {
        const auto line = lines_.find(name);
        if (line != lines_.end() && etcd_.node(name).running.empty()) {
            ::shutdown(line->second, SHUT_RDWR);
        }
    }

    void take_clients(const std::string& url, int port) {
        for (;;) {
            const int client = ::accept4(port, nullptr, nullptr, SOCK_CLOEXEC);
            if (client < 0) {
                return;
            }
            std::thread([this, url, client] {
                answer(url, client);
                ::close(client);
            }).detach();
        }
    }

    // One request a connection.
    void answer(const std::string& url, int client) {
        std::string text;
        if (!read_until(client, text, "\r\n\r\n")) {
            return;
        }
        const std::string path =
            text.substr(text.find(' ') + 1, text.find(" HTTP") - text.find(' ') - 1);
        const std::size_t head = text.find("\r\n\r\n") + 4;
        while (text.size() < head + length_of(text) && read_more(client, text)) {
        }
        const auto body = Json::parse(text.substr(head));
        const FakeEtcd::Heard heard = ask(url + path, body.value_or(Json()));
        if (heard.status == 0) {
            std::this_thread::sleep_for(k_hang);
        }
        if (heard.status > 0) {
            write_all(
                client,
                fmt::format("HTTP/1.1 {} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
                            heard.status,
                            heard.body.size(),
                            heard.body));
        }
    }

    static std::size_t length_of(const std::string& text) {
        const auto at = text.find("Content-Length: ");
        return at == text.npos ? 0 : std::stoul(text.substr(at + 16));
    }

    FakeEtcd::Heard ask(const std::string& url, const Json& body) {
        const std::lock_guard lock(mutex_);
        advance();
        return etcd_.call(url, body);
    }

    // A member's process, or a test that asks for the state.
    void attend(int line) {
        std::string text;
        if (read_until(line, text, "\n")) {
            const std::string words = text.substr(0, text.find('\n'));
            if (words == "state") {
                write_all(line, state());
            } else if (words == "no-space" || words == "space") {
                const std::lock_guard lock(mutex_);
                etcd_.set_no_space(words == "no-space");
                write_all(line, "\n");
            } else {
                const auto space = words.find(' ');
                live(line, words.substr(0, space), words.substr(space + 1));
            }
        }
        ::close(line);
    }

    // The member's process before this one is gone; its end may be on its way.
    bool has_ended(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return !lines_.contains(name);
    }

    // As long as the process holds its connection.
    void live(int line, const std::string& name, const std::string& release) {
        while (!has_ended(name)) {
            std::this_thread::sleep_for(k_tick);
        }
        {
            const std::lock_guard lock(mutex_);
            advance();
            const std::string version = release.substr(release.rfind('/') + 1);
            etcd_.link_by_hand(name, version);
            etcd_.start_by_hand(name);
            lines_[name] = line;
        }
        char byte = 0;
        while (::read(line, &byte, 1) > 0) {
        }
        const std::lock_guard lock(mutex_);
        advance();
        lines_.erase(name);
        if (!etcd_.node(name).running.empty()) {
            etcd_.stop_by_hand(name);
        }
    }

    std::string state() {
        const std::lock_guard lock(mutex_);
        advance();
        Json nodes = Json::Object{};
        for (const auto& [name, node] : etcd_.nodes()) {
            Json one;
            one.set("running", node.running).set("starts", node.starts).set("stops", node.stops);
            nodes.set(name, one.set("refusals", node.refusals));
        }
        Json json;
        json.set("level", etcd_.store().level).set("nodes", std::move(nodes));
        json.set("acknowledged", std::uint64_t{etcd_.acknowledged()});
        json.set("serving", etcd_.serving());
        return json.set("lost", etcd_.lost_writes()).dump() + "\n";
    }

    os::RealClock clock_;
    transport::Faults faults_;
    FakeEtcd etcd_;
    std::vector<const model::Member*> members_;
    std::map<std::string, int> ports_;  // by URL: the listening socket; 0: none
    std::map<std::string, int> lines_;  // by member: the connection of its process
    std::mutex mutex_;
    std::int64_t begun_ms_;
};

}  // namespace

}  // namespace drydock::fake_etcd

int main(int count, char** arguments) {
    if (count != 3) {
        fmt::print(stderr, "fake_etcd_server BASE VERSION\n");
        return 2;
    }
    const std::string base = arguments[1];
    const auto pack = drydock::pack::load_pack(DRYDOCK_SOURCE_DIR "/packs/etcd");
    const auto cluster = pack.value
                             ? drydock::pack::load_cluster(base + "/cluster.yaml", *pack.value)
                             : drydock::pack::Loaded<drydock::model::Cluster>();
    if (!cluster.value) {
        fmt::print(stderr, "{}/cluster.yaml cannot be read\n", base);
        return 2;
    }
    drydock::fake_etcd::Server server(*cluster.value, arguments[2]);
    server.serve(base + "/server.sock");
}
