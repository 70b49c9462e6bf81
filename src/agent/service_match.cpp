// Comparison of a process with a service, by user, program and arguments.
//
// Arguments are compared with tolerance where reality needs it. An interpreter may stand before
// the program, and a start may have added arguments of its own at the end. A secret in the cluster
// file matches any text, since only a start knows it.
//
// Two members may have equal arguments. So user, release and folder decide whether a process
// belongs to this member.
#include "agent/service_match.h"

#include "agent/action_key.h"
#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace drydock::agent {
namespace {

constexpr std::size_t k_start_arguments_max = 2;  // "--upgrade", which only one start had
constexpr std::size_t k_interpreters_max = 2;     // "/usr/bin/env python3 script ..."
constexpr std::size_t k_near_arguments_max = 8;   // so many may be too many or missing
constexpr std::size_t k_shown_bytes_max = 60;     // of an argument
constexpr std::size_t k_maps_bytes_max = 4U << 20U;

using Texts = std::vector<std::string>;

// True if both are equal, or equal up to a secret that only a start knows.
bool same_argument(const std::string& expected, const std::string& actual) {
    const auto secret = expected.find("${secret:");
    return secret == expected.npos
               ? expected == actual
               : std::string_view(actual).starts_with(expected.substr(0, secret));
}

// Compares names without folders: a process may have been started through a link, or by a relative
// path.
bool same_program(const std::string& expected, const std::string& actual, const std::string& exe) {
    return os::name_of(actual) == os::name_of(expected)
           || os::name_of(exe) == os::name_of(expected);
}

// True if the expected arguments stand behind `offset` arguments of an interpreter. Up to two more
// at the end may belong to this one start.
bool same_arguments_behind(std::size_t offset,
                           const Texts& expected,
                           const os::ProcessFacts& process) {
    const auto& actual = process.arguments;
    if (actual.size() < expected.size() + offset
        || actual.size() > expected.size() + offset + k_start_arguments_max) {
        return false;
    }
    const auto first = actual.begin() + static_cast<std::ptrdiff_t>(offset);
    const bool same_name = offset == 0 ? same_program(expected[0], *first, process.exe)
                                       : *first == expected[0];  // a script behind its interpreter
    return same_name && std::equal(expected.begin() + 1, expected.end(), first + 1, same_argument);
}

bool same_arguments(const Texts& expected, const os::ProcessFacts& process) {
    for (std::size_t offset = 0; offset <= k_interpreters_max; ++offset) {
        if (same_arguments_behind(offset, expected, process)) {
            return true;
        }
    }
    return false;
}

bool lies_in(const std::string& path, const std::string& folder) {
    return !folder.empty() && (path == folder || path.starts_with(folder + "/"));
}

// Returns the folders of the releases, as written and with their links followed.
Texts homes_of(const ProcessShape& shape) {
    Texts homes;
    for (const std::string& folder : shape.releases) {
        homes.push_back(folder);
        homes.push_back(os::real_path_of(folder));
    }
    return homes;
}

bool lies_in_one(const std::string& path, const Texts& homes) {
    return std::any_of(
        homes.begin(), homes.end(), [&](const auto& home) { return lies_in(path, home); });
}

// Returns the paths in an argument such as "/a", "@/a" or "--class-path=/a:/b".
Texts paths_in(const std::string& argument) {
    Texts paths;
    for (const std::string& part : split(argument, ':')) {
        if (const auto start = part.find('/'); start != part.npos) {
            paths.push_back(part.substr(start));
        }
    }
    return paths;
}

// True if an argument leads into a release: an interpreter's executable lies elsewhere.
bool runs_script_of(const os::ProcessFacts& process, const Texts& homes) {
    return std::any_of(
        process.arguments.begin(), process.arguments.end(), [&](const std::string& argument) {
            const Texts paths = paths_in(argument);
            return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
                return lies_in_one(os::real_path_of(path), homes);
            });
        });
}

// True if user and program fit. The agent starts processes only as its own user, so others are
// foreign.
bool is_of_member(const ProcessShape& shape, const os::ProcessFacts& process) {
    if (os::effective_user_of(process.pid) != ::geteuid()) {
        return false;
    }
    if (shape.releases.empty()) {
        return true;
    }
    const Texts homes = homes_of(shape);
    return lies_in_one(process.exe, homes) || process.exe == os::real_path_of(shape.argv[0])
           || runs_script_of(process, homes);
}

// True if the process has renamed itself. A title replaces the arguments and the environment in
// place.
bool has_title(const ProcessShape& shape, const os::ProcessFacts& process) {
    return !shape.title.empty() && !process.arguments.empty()
           && process.arguments.front().starts_with(shape.title);
}

// Removes from both lists the arguments that they have in common, each occurrence once.
void remove_common(Texts& first, Texts& second) {
    std::erase_if(first, [&](const std::string& argument) {
        const auto same =
            std::find_if(second.begin(), second.end(), [&](const std::string& candidate) {
                return same_argument(argument, candidate);
            });
        if (same != second.end()) {
            second.erase(same);
            return true;
        }
        return false;
    });
}

// Returns the names of options without their values, which may be secret.
std::string names_of(const Texts& arguments) {
    Texts names;
    for (const std::string& argument : arguments) {
        const std::string name =
            argument.substr(0, std::min(argument.find('='), k_shown_bytes_max));
        names.push_back("`" + to_utf8(name) + "`");
    }
    return join(names, ", ");
}

}  // namespace

Result<ProcessShape> read_process_shape(const Json& service) {
    ProcessShape shape;
    DRYDOCK_TRY_ASSIGN(shape.argv, read_texts(service["argv"], "service.argv"));
    shape.env = read_pairs(service["env"]);
    shape.cwd = service["cwd"].as_string();
    shape.title = service["title"].as_string();
    for (const Json& folder : service["releases"].items()) {
        shape.releases.push_back(folder.as_string());
    }
    return shape;
}

bool is_of_service(const ProcessShape& shape, const os::ProcessFacts& process) {
    return (same_arguments(shape.argv, process) || has_title(shape, process))
           && is_of_member(shape, process);
}

// Compares folder and environment: arguments alone may fit a process of another member. Facts that
// cannot be read count as fitting.
bool same_place(const ProcessShape& shape, const os::ProcessFacts& process) {
    if (!shape.cwd.empty() && !process.folder.empty() && process.folder != shape.cwd) {
        return false;
    }
    if (has_title(shape, process)) {
        return true;  // its environment is overwritten
    }
    const auto read = os::read_environment(process.pid);
    if (!read || !*read) {
        return true;  // unknown
    }
    const auto& environment = **read;
    return std::all_of(shape.env.begin(), shape.env.end(), [&](const auto& entry) {
        const auto expected = entry.first + "=" + entry.second;
        return std::any_of(environment.begin(), environment.end(), [&](const auto& variable) {
            return same_argument(expected, variable);
        });
    });
}

// Looks for a mapped file below the release's folder, which is two levels above argv[0], as in
// RELEASE/bin/PROGRAM.
bool uses_release_of(const ProcessShape& shape, const os::ProcessFacts& process) {
    const std::string home = os::real_path_of(os::folder_of(os::folder_of(shape.argv[0])));
    const std::string maps =
        os::read_file(fmt::format("/proc/{}/maps", process.pid), k_maps_bytes_max).value_or("");
    const auto lines = split(maps, '\n');
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        const auto path = line.find('/');
        return path != line.npos && lies_in(line.substr(path), home);
    });
}

// Returns a difference only for a process of the same program with something in common, and with
// arguments only missing or only surplus. All else is another process.
std::string near_miss(const ProcessShape& shape, const os::ProcessFacts& process) {
    if (process.arguments.empty() || shape.argv.size() < 2
        || !same_program(shape.argv[0], process.arguments[0], process.exe)
        || !is_of_member(shape, process)) {
        return {};
    }
    Texts missing(shape.argv.begin() + 1, shape.argv.end());
    Texts extra(process.arguments.begin() + 1, process.arguments.end());
    remove_common(missing, extra);
    const bool has_common = missing.size() + 1 < shape.argv.size();
    const bool is_near =
        missing.empty() != extra.empty() && missing.size() + extra.size() <= k_near_arguments_max;
    if (!has_common || !is_near) {
        return {};
    }
    return extra.empty() ? fmt::format("it lacks {}", names_of(missing))
                         : fmt::format("it has {} too", names_of(extra));
}

}  // namespace drydock::agent
