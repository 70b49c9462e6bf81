// etcd_load: writes to a real etcd cluster, and afterwards proves that nothing was lost.
//
//   etcd_load write --endpoints http://a:1,http://b:2 --out FILE [--writers 3] [--rate N]
//   etcd_load verify --endpoint http://a:1 --in FILE [--out-lost FILE]
//
// Each write has a key of its own, w/<writer>/<number>, and is never repeated. It is acknowledged
// when etcd answered 200 with a revision (line "ok <key> <revision>"); everything else is unknown:
// it may be there or not (line "unknown <key>"). `write` runs until SIGTERM or SIGINT. `verify`
// compares key and mod_revision of every acknowledged write with the cluster. Both print one JSON
// object at the end; verify exits 0 only when nothing is lost and nothing has another revision.
#include "base/text.h"
#include "gateway.h"

#include <CLI/CLI.hpp>

#include <atomic>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

namespace drydock::field {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto k_flush_every = milliseconds(50);
constexpr auto k_pause_after_error = milliseconds(20);  // else a refused port gives 10,000 lines/s

std::atomic<bool> stopping = false;

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

class Writer {
public:
    Writer(const Options& options, int number, Record& record)
        : options_(options)
        , number_(number)
        , record_(record) {}

    Tally run() {
        std::size_t at = static_cast<std::size_t>(number_) % options_.endpoints.size();
        Gateway gateway(options_.endpoints[at]);
        const auto began = Clock::now();
        last_ = began;
        for (std::int64_t sequence = 0; !stopping; ++sequence) {
            wait_for_turn(began, sequence);
            if (!write("w/" + std::to_string(number_) + "/" + std::to_string(sequence), gateway)) {
                at = (at + 1) % options_.endpoints.size();
                gateway = Gateway(options_.endpoints[at]);
                std::this_thread::sleep_for(k_pause_after_error);
            }
        }
        note_gap();
        return tally_;
    }

private:
    bool write(const std::string& key, Gateway& gateway) {
        Json body;
        body.set("key", base64_encode(key)).set("value", base64_encode("value of " + key));
        const auto answer = gateway.call("/v3/kv/put", body);
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

}  // namespace
}  // namespace drydock::field

int main(int argc, char** argv) try {
    drydock::field::Options options;
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
    const auto stop = [](int) { drydock::field::stopping = true; };
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    return *write ? drydock::field::run_write(options) : drydock::field::run_verify(options);
} catch (const std::exception& error) {
    std::cerr << "etcd_load: " << error.what() << "\n";
    return 2;
}
