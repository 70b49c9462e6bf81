// The process of one member of a fake etcd: `etcd --name m1 ...`, in a release's own folder.
//
// It holds a connection to fake_etcd_server, which answers on the member's ports as long as the
// process lives. The server ends the connection where the release would refuse to start.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

namespace {

std::string option(int count, char** arguments, const std::string& name) {
    for (int i = 1; i + 1 < count; ++i) {
        if (arguments[i] == name) {
            return arguments[i + 1];
        }
    }
    return {};
}

int connect_to(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const int line = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto* raw = reinterpret_cast<const sockaddr*>(&address);
    return line >= 0 && ::connect(line, raw, sizeof address) == 0 ? line : -1;
}

}  // namespace

// The folder above the releases holds the server's socket.
int main(int count, char** arguments) {
    const auto program = std::filesystem::canonical("/proc/self/exe");
    const auto release = program.parent_path();
    const int line = connect_to((release.parent_path().parent_path() / "server.sock").string());
    const std::string greeting = option(count, arguments, "--name") + " " + release.string() + "\n";
    if (line < 0 || ::write(line, greeting.data(), greeting.size()) < 0) {
        std::fprintf(stderr, "no fake_etcd_server listens\n");
        return 1;
    }
    char byte = 0;
    if (::read(line, &byte, 1) <= 0) {
        std::fprintf(stderr, "invalid downgrade; server version is lower than the cluster's\n");
    }
    return 1;
}
