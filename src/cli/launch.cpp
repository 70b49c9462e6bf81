// Makes the command line of the launcher, and executes it in the place of this process.
#include "cli/launch.h"

#include "cli/say.h"
#include "os/files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <sstream>

namespace drydock::cli {

namespace {

bool is_number(const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char letter) {
        return letter >= '0' && letter <= '9';
    });
}

std::vector<std::string> split(const std::string& text) {
    std::istringstream stream(text);
    return {std::istream_iterator<std::string>(stream), {}};
}

// Open MPI refuses to run as root unless it is told twice. Who copies owners has to be root.
void allow_root() {
    if (::geteuid() == 0) {
        // NOLINTBEGIN(concurrency-mt-unsafe): there is one thread
        ::setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 0);
        ::setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 0);
        // NOLINTEND(concurrency-mt-unsafe)
    }
}

}  // namespace

// One process on each node; its threads share the node's processors.
std::vector<std::string>
words_to_launch(const Invocation& invocation, const std::string& program, bool is_slurm_job) {
    const std::string& nodes = invocation.nodes;
    const bool is_count = is_number(nodes);
    const std::string count =
        is_count ? nodes : std::to_string(std::count(nodes.begin(), nodes.end(), ',') + 1);
    std::vector<std::string> words = split(invocation.launcher);
    if (words.empty()) {
        words = {is_slurm_job ? "srun" : "mpirun"};
    }
    const bool is_srun = os::name_of(words.front()) == "srun";
    if (is_srun) {
        words.insert(words.end(), {"--kill-on-bad-exit=1", "--ntasks-per-node=1", "--ntasks"});
    } else {
        words.emplace_back("-np");
    }
    words.push_back(count);
    if (!is_count) {
        words.emplace_back(is_srun ? "--nodelist" : "--host");
        words.push_back(nodes);
    }
    words.push_back(program);
    words.insert(words.end(), invocation.words.begin(), invocation.words.end());
    return words;
}

Error launch_nodes(const Invocation& invocation, const std::string& own_program) {
    const std::string program = os::folder_of(own_program) + "/drydock-ranks";
    if (::access(program.c_str(), X_OK) != 0) {
        return {"copy.nodes",
                say("there is no {}: this drydock was built without MPI", program),
                "build it where MPI is (libopenmpi-dev), or copy without --nodes",
                {}};
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    const bool is_slurm_job = std::getenv("SLURM_JOB_ID") != nullptr;
    std::vector<std::string> words = words_to_launch(invocation, program, is_slurm_job);
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    allow_root();
    ::execvp(argv.front(), argv.data());
    auto error = fail_errno("copy.nodes", "start " + words.front(), errno).value();
    error.remedy = "install it, or name another one: --launcher";
    return error;
}

}  // namespace drydock::cli
