#include "base/text.h"
#include "gateway.h"

#include <fstream>
#include <iostream>
#include <map>

namespace drydock::field {
namespace {

constexpr int k_page_keys = 20000;
constexpr std::string_view k_first_key = "w/";
constexpr std::string_view k_last_key = "w0";  // the key after every "w/..."

using Revisions = std::map<std::string, std::string, std::less<>>;

// Key and mod_revision of everything that the writers wrote, read at one revision of the cluster.
Result<Revisions> read_all(const std::string& endpoint) {
    Gateway gateway(endpoint);
    Revisions found;
    Json request;
    request.set("key", base64_encode(k_first_key)).set("range_end", base64_encode(k_last_key));
    request.set("limit", k_page_keys).set("keys_only", true);
    for (bool more = true; more;) {
        DRYDOCK_TRY_ASSIGN(const Json page, gateway.call("/v3/kv/range", request));
        std::string last;
        for (const auto& pair : page["kvs"].items()) {
            DRYDOCK_TRY_ASSIGN(last, base64_decode(pair["key"].as_string()));
            found[last] = pair["mod_revision"].as_string();
        }
        more = page["more"].as_bool();
        request.set("key", base64_encode(last + '\0'));
        if (!request.contains("revision")) {
            request.set("revision", page["header"]["revision"].as_string());
        }
    }
    return found;
}

}  // namespace

int run_verify(const Options& options) {
    std::ifstream record(options.file);
    const auto found = read_all(options.endpoints.front());
    if (!record || !found) {
        std::cerr << (record ? found.error().text() : "cannot read " + options.file) << "\n";
        return 2;
    }
    std::map<std::string_view, std::int64_t> counts;
    std::vector<std::string> lost;
    // A line without its end is the last one of a writer that was killed: it claims nothing.
    for (std::string line; std::getline(record, line) && !record.eof();) {
        const auto words = split(line, ' ');  // ok key revision, or unknown key
        if (words.size() != (words.front() == "ok" ? 3 : 2)) {
            std::cerr << options.file << " is no record of etcd_load: " << line << "\n";
            return 2;
        }
        const auto entry = found->find(words[1]);
        if (words.front() == "unknown") {
            counts["unknown_landed"] += entry != found->end();
        } else if (entry == found->end()) {
            lost.push_back(words[1]);
        } else {
            counts[entry->second == words[2] ? "right" : "moved"] += 1;
        }
    }
    const auto lost_count = static_cast<std::int64_t>(lost.size());
    Json result;
    result.set("acknowledged", counts["right"] + counts["moved"] + lost_count);
    result.set("lost", lost_count).set("moved", counts["moved"]);
    result.set("unknown_landed", counts["unknown_landed"]);
    std::cout << result.dump() << "\n";
    if (!options.lost_file.empty()) {
        std::ofstream(options.lost_file) << join(lost, "\n") << (lost.empty() ? "" : "\n");
    }
    return lost.empty() && counts["moved"] == 0 ? 0 : 1;
}

}  // namespace drydock::field
