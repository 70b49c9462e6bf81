// etcd_load: writes to a real etcd cluster, and afterwards proves that nothing was lost.
//
//   etcd_load write  --endpoints http://a:1,http://b:2 --writers 3 --out FILE [--rate N] [--seconds
//   S] etcd_load verify --endpoint http://a:1 --in FILE [--out-lost FILE]
//
// Each write has a key of its own, w/<writer>/<number>, and is never repeated. It is acknowledged
// when etcd answered 200 with a revision (line "ok <key> <revision>"); everything else is unknown:
// it may be there or not (line "unknown <key>"). `write` runs until SIGTERM or SIGINT. `verify`
// compares key and mod_revision of every acknowledged write with the cluster. Both print one JSON
// object at the end; verify exits 0 only when nothing is lost and nothing has another revision.
#include "base/json.h"
#include "base/text.h"

#include <CLI/CLI.hpp>
#include <httplib.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto k_call_timeout = std::chrono::seconds(2);  // below the 7 s a follower may hang
constexpr auto k_flush_every = milliseconds(50);
constexpr auto k_pause_after_error = milliseconds(20);  // else a refused port gives 10,000 lines/s
constexpr int k_page_keys = 20000;
constexpr std::string_view k_first_key = "w/";
constexpr std::string_view k_last_key = "w0";  // the key after every "w/..."

std::atomic<bool> stopping = false;

struct Options {
    std::vector<std::string> endpoints;
    std::string file;
    std::string lost_file;
    int writers = 3;
    double rate = 0;  // writes per second and writer; 0 is as fast as it goes
};

// The record of all writers: lines are collected and written in one go every k_flush_every.
class Record {
public:
    explicit Record(const std::string& path) : file_(path, std::ios::trunc) {}

    void add(const std::string& line) {
        std::lock_guard lock(mutex_);
        lines_ += line;
    }

    bool flush() {
        std::string lines;
        {
            std::lock_guard lock(mutex_);
            lines.swap(lines_);
        }
        file_ << lines << std::flush;
        return file_.good();
    }

private:
    std::mutex mutex_;
    std::string lines_;
    std::ofstream file_;
};

struct Tally {
    std::int64_t acknowledged = 0;
    std::int64_t unknown = 0;
    Clock::duration worst_gap{};  // between two acknowledgements, or the last one and the end
};

std::unique_ptr<httplib::Client> connect(const std::string& endpoint) {
    auto client = std::make_unique<httplib::Client>(endpoint);
    client->set_keep_alive(true);
    client->set_tcp_nodelay(true);
    client->set_connection_timeout(k_call_timeout);
    client->set_read_timeout(k_call_timeout);
    client->set_write_timeout(k_call_timeout);
    return client;
}

// One call of etcd's gateway; an error where there is no whole, good answer.
Result<Json> call(httplib::Client& client, const std::string& path, const Json& body) {
    const auto answer = client.Post(path, body.dump(), "application/json");
    if (!answer) {
        return fail("load.call", path + ": " + httplib::to_string(answer.error()));
    }
    if (answer->status != 200) {
        return fail("load.call", path + ": " + std::to_string(answer->status) + " " + answer->body);
    }
    return Json::parse(answer->body);
}

class Writer {
public:
    Writer(const Options& options, int number, Record& record)
        : options_(options)
        , number_(number)
        , record_(record) {}

    Tally run() {
        std::size_t at = static_cast<std::size_t>(number_) % options_.endpoints.size();
        auto client = connect(options_.endpoints[at]);
        const auto began = Clock::now();
        last_ = began;
        for (std::int64_t sequence = 0; !stopping; ++sequence) {
            wait_for_turn(began, sequence);
            if (!write("w/" + std::to_string(number_) + "/" + std::to_string(sequence), *client)) {
                at = (at + 1) % options_.endpoints.size();
                client = connect(options_.endpoints[at]);
                std::this_thread::sleep_for(k_pause_after_error);
            }
        }
        note_gap();
        return tally_;
    }

private:
    bool write(const std::string& key, httplib::Client& client) {
        Json body;
        body.set("key", base64_encode(key)).set("value", base64_encode("value of " + key));
        const auto answer = call(client, "/v3/kv/put", body);
        const auto revision = answer ? (*answer)["header"]["revision"].as_string() : "";
        if (revision.empty()) {
            ++tally_.unknown;
            record_.add("unknown " + key + "\n");
            return false;
        }
        ++tally_.acknowledged;
        record_.add("ok " + key + " " + revision + "\n");
        note_gap();
        return true;
    }

    void note_gap() {
        const auto now = Clock::now();
        tally_.worst_gap = std::max(tally_.worst_gap, now - last_);
        last_ = now;
    }

    void wait_for_turn(Clock::time_point began, std::int64_t sequence) const {
        if (options_.rate > 0) {
            const std::chrono::duration<double> due(static_cast<double>(sequence) / options_.rate);
            std::this_thread::sleep_until(began + std::chrono::duration_cast<milliseconds>(due));
        }
    }

    const Options& options_;
    int number_;
    Record& record_;
    Tally tally_;
    Clock::time_point last_;
};

void print_summary(const std::vector<Tally>& tallies) {
    Json gaps = Json::Array{};
    std::int64_t acknowledged = 0;
    std::int64_t unknown = 0;
    for (const auto& tally : tallies) {
        acknowledged += tally.acknowledged;
        unknown += tally.unknown;
        gaps.push(std::chrono::duration_cast<milliseconds>(tally.worst_gap).count());
    }
    Json summary;
    summary.set("acknowledged", acknowledged).set("unknown", unknown).set("worst_gap_ms", gaps);
    std::cout << summary.dump() << "\n";
}

int run_write(const Options& options) {
    Record record(options.file);
    std::vector<Tally> tallies(static_cast<std::size_t>(options.writers));
    std::vector<std::jthread> threads;
    for (int number = 0; number < options.writers; ++number) {
        auto& tally = tallies[static_cast<std::size_t>(number)];
        threads.emplace_back([&, number] { tally = Writer(options, number, record).run(); });
    }
    bool written = true;
    while (!stopping && written) {
        std::this_thread::sleep_for(k_flush_every);
        written = record.flush();
    }
    stopping = true;
    threads.clear();  // joins: each writer ends its write, at most k_call_timeout
    if (!record.flush() || !written) {
        std::cerr << "cannot write " << options.file << "; free some space there\n";
        return 1;
    }
    print_summary(tallies);
    return 0;
}

using Revisions = std::map<std::string, std::string, std::less<>>;

// Key and mod_revision of everything that the writers wrote, read at one revision of the cluster.
Result<Revisions> read_all(const std::string& endpoint) {
    const auto client = connect(endpoint);
    Revisions found;
    Json request;
    request.set("key", base64_encode(k_first_key)).set("range_end", base64_encode(k_last_key));
    request.set("limit", k_page_keys).set("keys_only", true);
    for (bool more = true; more;) {
        DRYDOCK_TRY_ASSIGN(const Json page, call(*client, "/v3/kv/range", request));
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
        const auto entry = found->find(words.at(1));
        if (words.front() == "unknown") {
            counts["unknown_landed"] += entry != found->end();
        } else if (entry == found->end()) {
            lost.push_back(words[1]);
        } else {
            counts[entry->second == words.at(2) ? "right" : "moved"] += 1;
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

}  // namespace
}  // namespace drydock

int main(int argc, char** argv) {
    drydock::Options options;
    CLI::App app("Writes to etcd, and proves afterwards that no acknowledged write was lost");
    app.require_subcommand(1);
    auto* write = app.add_subcommand("write", "write until SIGTERM");
    write->add_option("--endpoints", options.endpoints)->required()->delimiter(',');
    write->add_option("--out", options.file)->required();
    write->add_option("--writers", options.writers)->check(CLI::Range(1, 64));
    write->add_option("--rate", options.rate, "writes per second and writer");
    auto* verify = app.add_subcommand("verify", "compare the record with the cluster");
    verify->add_option("--endpoint", options.endpoints)->required()->expected(1);
    verify->add_option("--in", options.file)->required();
    verify->add_option("--out-lost", options.lost_file);
    CLI11_PARSE(app, argc, argv);
    const auto stop = [](int) { drydock::stopping = true; };
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    return *write ? drydock::run_write(options) : drydock::run_verify(options);
}
