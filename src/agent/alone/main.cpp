// drydock-agent: the small program for hosts on which nothing but the agent is needed.
//
// It is linked statically, so that it runs on any Linux (docs/design/0017-the-static-agent.md). Two
// things of a host must not reach into it: modules of name services, and the settings of another
// OpenSSL. Either could load a library that was made for another C library.
#include "agent/serve.h"

#include <nss.h>

#include <cstdio>
#include <cstdlib>

namespace {

// The C library has these two services built in. All others are libraries of the host.
void use_built_in_services() {
    __nss_configure_lookup("hosts", "files dns");
    for (const char* database : {"passwd", "group", "services", "protocols"}) {
        __nss_configure_lookup(database, "files");
    }
}

}  // namespace

int main(int count, char** values) {
    use_built_in_services();
    ::setenv("OPENSSL_CONF", "/dev/null", 1);
    const std::vector<std::string> arguments(values + 1, values + count);
    if (arguments.empty() || arguments[0] != "agent") {
        std::fputs("use: drydock-agent agent --state FOLDER [--folder FOLDER]...\n", stderr);
        return 2;
    }
    return drydock::agent::agent_main({arguments.begin() + 1, arguments.end()});
}
