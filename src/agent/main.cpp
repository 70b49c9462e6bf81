// drydock-agent: the small program for hosts on which nothing but the agent is needed.
#include "agent/serve.h"

#include <cstdio>

int main(int count, char** values) {
    const std::vector<std::string> arguments(values + 1, values + count);
    if (arguments.empty() || arguments[0] != "agent") {
        std::fputs("use: drydock-agent agent --state FOLDER [--folder FOLDER]...\n", stderr);
        return 2;
    }
    return drydock::agent::agent_main({arguments.begin() + 1, arguments.end()});
}
