// What the journal costs: `journal_bench [FOLDER]` prints one line of JSON.
//
// - milliseconds a plain write and fdatasync of 4 KiB takes on this disk: the floor
// - milliseconds a durable record with 1 and with 16 events in it (one commit each)
// - a run of 1,000 hosts x 30 steps with 16 actions in flight: bytes a host-step on disk (also with
//   one action in flight, where nothing shares a commit), and the time to open, verify and read it
//   all again
#include "bench/must.h"
#include "journal/sqlite/sqlite_journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using drydock::Json;
using drydock::bench::must;
namespace fs = std::filesystem;
namespace journal = drydock::journal;

constexpr std::int64_t k_hosts = 1000;
constexpr std::int64_t k_steps = 30;
constexpr std::int64_t k_in_flight = 16;
constexpr int k_records = 500;

class Timer {
public:
    [[nodiscard]] double ms() const {
        return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point start_ = Clock::now();
};

Json guard(std::int64_t action) {
    return Json::Object{
        {"type", "facts.read"}, {"action", action}, {"purpose", "guard"}, {"outcome", "yes"}};
}

Json proof(std::int64_t action) {
    return Json::Object{
        {"type", "facts.read"}, {"action", action}, {"purpose", "proof"}, {"outcome", "yes"}};
}

Json intended(std::int64_t action) {
    return Json::Object{{"type", "action.intended"}, {"action", action}, {"attempt", 1}};
}

Json ended(std::int64_t action) {
    return Json::Object{
        {"type", "action.ended"}, {"action", action}, {"attempt", 1}, {"outcome", "done"}};
}

using Make = Json (*)(std::int64_t action);

std::vector<Json> many(Make make, std::int64_t first, std::int64_t count) {
    std::vector<Json> events;
    for (std::int64_t action = first; action < first + count; ++action) {
        events.push_back(make(action));
    }
    return events;
}

// A run of a new journal, written record by record.
class Writer {
public:
    Writer(const fs::path& path, std::string run)
        : journal_(must(journal::open_sqlite(path)))
        , run_(std::move(run)) {
        const Json created = Json::Object{{"type", "run.created"}};
        head_ = must(journal_->begin_run({{run_, 0, "sha256:0"}, {0, {created}}, {"bench", 1, 0}}))
                    .head;
    }

    void append(std::int64_t wall_ms, std::vector<Json> events) {
        head_ = must(journal_->append(run_, head_, {wall_ms, std::move(events)}));
    }

private:
    std::unique_ptr<journal::Journal> journal_;
    std::string run_;
    journal::Head head_;
};

double record_ms(const fs::path& path, std::int64_t events) {
    Writer writer(path, "flat");
    const Timer timer;
    for (int i = 0; i < k_records; ++i) {
        writer.append(i, many(intended, i * events, events));
    }
    return timer.ms() / k_records;
}

double sync_ms(const fs::path& path) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    const std::string page(4096, 'x');
    const Timer timer;
    for (int i = 0; i < k_records; ++i) {
        if (::write(descriptor, page.data(), page.size()) < 0 || ::fdatasync(descriptor) != 0) {
            must<void>(drydock::fail_errno("bench.sync", "write " + path.string(), errno));
        }
    }
    const double each = timer.ms() / k_records;
    ::close(descriptor);
    return each;
}

// Every group of actions in flight: read, intend, end, read; each kind is one commit.
double roll_ms(const fs::path& path, std::int64_t in_flight, std::int64_t host_steps) {
    Writer writer(path, "roll");
    const Timer timer;
    std::int64_t wall_ms = 1'700'000'000'000;
    for (std::int64_t action = 0; action < host_steps; action += in_flight) {
        const std::int64_t count = std::min(in_flight, host_steps - action);
        for (const Make make : {guard, intended, ended, proof}) {
            writer.append(++wall_ms, many(make, action, count));
        }
    }
    return timer.ms();
}

double bytes_each(const fs::path& path, std::int64_t host_steps) {
    return static_cast<double>(fs::file_size(path)) / static_cast<double>(host_steps);
}

}  // namespace

int main(int count, char** arguments) {
    const fs::path folder = count > 1 ? arguments[1] : "journal-bench";
    fs::remove_all(folder);
    fs::create_directories(folder);
    Json out;
    out.set("sync_ms", sync_ms(folder / "plain"));
    out.set("record_ms_1_in_flight", record_ms(folder / "one.db", 1));
    out.set("record_ms_16_in_flight", record_ms(folder / "sixteen.db", k_in_flight));
    out.set("roll_ms", roll_ms(folder / "roll.db", k_in_flight, k_hosts * k_steps));
    out.set("bytes_a_host_step", bytes_each(folder / "roll.db", k_hosts * k_steps));
    roll_ms(folder / "single.db", 1, k_hosts);
    out.set("bytes_a_host_step_1_in_flight", bytes_each(folder / "single.db", k_hosts));
    const Timer verify;
    const auto again = must(journal::open_sqlite(folder / "roll.db", journal::OpenMode::existing));
    out.set("records", must(again->verify("roll")).records);
    out.set("reopen_verify_ms", verify.ms());
    const Timer read;
    out.set("records_read", static_cast<std::int64_t>(must(again->read("roll")).size()));
    out.set("read_ms", read.ms());
    std::printf("%s\n", out.dump().c_str());
    fs::remove_all(folder);
    return 0;
}
