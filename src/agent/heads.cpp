// Heads as JSON, and the heads in the folders of actions.
//
// A hash must have exactly 64 hex digits: heads are compared as text, so one spelling is allowed.
#include "agent/heads.h"

#include "agent/action_key.h"
#include "agent/folder_names.h"
#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::agent {
namespace {

constexpr std::size_t k_hash_digits = 64;
constexpr std::size_t k_request_bytes_max = 64U << 20U;

bool is_hash(const std::string& text) {
    return text.size() == k_hash_digits && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

// Adds the head of a stored request, if the request has one.
void add_head(const std::string& folder, std::set<NotedHead>& heads) {
    const auto text = os::read_file(folder + "/request.json", k_request_bytes_max);
    const auto stored = text ? Json::parse(*text) : tl::unexpected(text.error());
    if (!stored || (*stored)["head"].is_null()) {
        return;
    }
    if (auto head = read_head((*stored)["head"])) {
        heads.insert(std::move(*head));
    }
}

}  // namespace

Json to_json(const NotedHead& head) {
    Json value;
    value.set("journal", head.journal).set("epoch", head.epoch).set("run", head.run);
    return value.set("sequence", head.sequence).set("hash", head.hash);
}

Result<NotedHead> read_head(const Json& value) {
    const std::int64_t sequence = value["sequence"].as_int();
    if (!is_plain_name(value["run"].as_string(), "-_.") || sequence < 1
        || !is_hash(value["hash"].as_string())) {
        return fail("agent.bad_request",
                    "a `head` is a run, a sequence from 1, and 64 hex digits",
                    "use the same drydock on both sides");
    }
    return NotedHead{value["journal"].as_string(),
                     value["epoch"].as_int(),
                     value["run"].as_string(),
                     sequence,
                     value["hash"].as_string()};
}

// Skips every folder that cannot be read: fewer heads weaken a comparison and never falsify it.
std::set<NotedHead> read_noted_heads(const std::string& state_folder, const std::string& run) {
    const std::vector<std::string> named = {run};
    const auto runs = run.empty() ? run_names(state_folder) : named;
    std::set<NotedHead> heads;
    for (const std::string& name : runs.value_or(std::vector<std::string>())) {
        const std::string folder = fmt::format("{}/{}", state_folder, name);
        for (const std::string& attempt : names_in(folder).value_or(std::vector<std::string>())) {
            if (key_of(name, attempt)) {
                add_head(fmt::format("{}/{}", folder, attempt), heads);
            }
        }
    }
    return heads;
}

}  // namespace drydock::agent
