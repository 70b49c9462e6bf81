// serve: the agent's main loop, and the entry of the process that runs one action.
//
// `drydock agent --state FOLDER` calls serve(); it starts `drydock agent --fork-server`
// (fork_server.h), which forks for each action and calls run_action(). A program that serves must
// understand both (agent_main() does). All functions return an exit status: 0 if the conductor hung
// up, 2 for wrong use, 1 for any other reason.
#pragma once

#include <string>
#include <vector>

namespace drydock::agent {

// Speaks on standard input and output until the other side hangs up, then ends the process. Actions
// go on. Returns only if it could not begin. Files may be put and got below `folders`, and in
// `.files` of the state folder.
[[nodiscard]] int serve(const std::string& state_folder, std::vector<std::string> folders = {});

// Runs the action whose request is on standard input and whose lock is descriptor 3.
[[nodiscard]] int run_action(const std::string& action_folder);

// `arguments` are those after "agent": "--state FOLDER [--folder FOLDER]...", or "--fork-server".
[[nodiscard]] int agent_main(const std::vector<std::string>& arguments);

}  // namespace drydock::agent
