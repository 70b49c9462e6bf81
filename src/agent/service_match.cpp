#include "agent/service_match.h"

#include "agent/key.h"
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

// Equal, or equal up to a secret that only a start knows.
bool same_argument(const std::string& expected, const std::string& actual) {
    const auto secret = expected.find("${secret:");
    return secret == expected.npos ? expected == actual
                                 : std::string_view(actual).starts_with(expected.substr(0, secret));
}

bool same_program(const std::string& expected, const std::string& actual, const std::string& exe) {
    return os::name_of(actual) == os::name_of(expected) || os::name_of(exe) == os::name_of(expected);
}

// `before` arguments are an interpreter's; those that are too many at the end are its start's own.
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

// The folders of the releases, as written and with their links followed.
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

// The paths in an argument: "/a", "@/a", "--class-path=/a:/b".
Texts paths_in(const std::string& argument) {
    Texts paths;
    for (const std::string& part : split(argument, ':')) {
        if (const auto start = part.find('/'); start != part.npos) {
            paths.push_back(part.substr(start));
        }
    }
    return paths;
}

bool runs_script_of(const os::ProcessFacts& process, const Texts& homes) {
    return std::any_of(
        process.arguments.begin(), process.arguments.end(), [&](const std::string& argument) {
            const Texts paths = paths_in(argument);
            return std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
                return lies_in_one(os::real_path_of(path), homes);
            });
        });
}

// The agent has no other user: what it starts is of its own.
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

// A title replaces the arguments and the environment in place.
bool has_title(const ProcessShape& shape, const os::ProcessFacts& process) {
    return !shape.title.empty() && !process.arguments.empty()
           && process.arguments.front().starts_with(shape.title);
}

// Takes away from `left` what `other` has too.
void remove_common(Texts& first, Texts& second) {
    std::erase_if(first, [&](const std::string& argument) {
        const auto same = std::find_if(second.begin(), second.end(), [&](const std::string& candidate) {
            return same_argument(argument, candidate);
        });
        if (same != second.end()) {
            second.erase(same);
            return true;
        }
        return false;
    });
}

// The names of options, without their values: those may be secret.
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

// Arguments alone may fit a process of another member.
bool same_place(const ProcessShape& shape, const os::ProcessFacts& process) {
    if (!shape.cwd.empty() && !process.folder.empty() && process.folder != shape.cwd) {
        return false;
    }
    if (has_title(shape, process)) {
        return true;  // its environment is overwritten
    }
    const auto read = os::read_environment(process.pid);
    if (!read || !*read) {
        return true;  // nobody can tell
    }
    const auto& environment = **read;
    return std::all_of(shape.env.begin(), shape.env.end(), [&](const auto& entry) {
        const auto expected = entry.first + "=" + entry.second;
        return std::any_of(environment.begin(), environment.end(), [&](const auto& variable) {
            return same_argument(expected, variable);
        });
    });
}

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
