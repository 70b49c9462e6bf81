// Writes and reads the records of a rewrite.
//
// A journal of a large store has millions of names, and is never read as a whole. The records are
// checked once by open(), and streamed by each(). The sum at the end of a line finds torn and
// damaged records. A damaged record in the middle is an error and is never skipped, since the
// record `free` might be the damaged one.
#include "mover/blocks/rewrite_journal.h"

#include "base/hash.h"
#include "os/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <span>

namespace drydock::mover::blocks {
namespace {

constexpr std::array k_names = {"begin", "write", "proved", "switched", "dropped", "back", "free"};
constexpr std::size_t k_sum_digits = 16;
constexpr std::string_view k_start = R"({"batch":0,"blobs":[],"format":1,"key":")";

std::string sum_of(std::string_view text) {
    return fmt::format(
        "{:016x}",
        xxh3(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
}

Json json_of(const Record& record) {
    Json blobs = Json::Array{};
    for (const RewrittenBlob& entry : record.blobs) {
        Json blob = Json::Array{};
        for (const std::string& field : {entry.old_uid,
                                         entry.new_uid,
                                         entry.envelope,
                                         entry.nonce,
                                         entry.old_envelope,
                                         entry.old_nonce}) {
            blob.push(field);
        }
        blobs.push(std::move(blob));
    }
    Json json;
    json.set("kind", k_names.at(static_cast<std::size_t>(record.kind)));
    json.set("batch", record.batch).set("blobs", std::move(blobs));
    if (record.kind == RecordKind::begin) {
        json.set("format", 1).set("work", record.work);
        json.set("store", record.store).set("key", record.key);
    }
    return json;
}

tl::unexpected<Error> damaged(const std::string& path, std::int64_t number) {
    return fail("blocks.journal",
                fmt::format("journal {}: record {} is damaged", path, number),
                "the rows of the store tell the truth: `drydock store verify` it, then move the "
                "journal away");
}

tl::unexpected<Error> no_journal(const std::string& path) {
    return fail("blocks.journal",
                fmt::format("{} is not empty, and has no whole first record of a journal", path),
                "it was not changed; name another file for the journal");
}

Result<Record> record_of(const std::string& line) {
    const auto wrong = fail("blocks.journal", "no record");
    if (line.size() <= k_sum_digits + 1 || line[line.size() - k_sum_digits - 1] != ' '
        || sum_of(std::string_view(line).substr(0, line.size() - k_sum_digits - 1))
               != line.substr(line.size() - k_sum_digits)) {
        return wrong;
    }
    DRYDOCK_TRY_ASSIGN(const Json json,
                       Json::parse(line.substr(0, line.size() - k_sum_digits - 1)));
    const auto* const name = std::find(k_names.begin(), k_names.end(), json["kind"].as_string());
    if (name == k_names.end()) {
        return wrong;
    }
    Record record;
    record.kind = static_cast<RecordKind>(name - k_names.begin());
    record.batch = json["batch"].as_int();
    record.work = json["work"].as_string();
    record.store = json["store"].as_string();
    record.key = json["key"].as_string();
    for (const Json& blob : json["blobs"].items()) {
        const auto& fields = blob.items();
        if (fields.size() != 6) {
            return wrong;
        }
        record.blobs.push_back({fields[0].as_string(),
                                fields[1].as_string(),
                                fields[2].as_string(),
                                fields[3].as_string(),
                                fields[4].as_string(),
                                fields[5].as_string()});
    }
    return record;
}

// A file of another program has no such start. It is not written, and not read to its end.
Status check_start(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(std::ifstream in, os::open_stream(path));
    std::string start(k_start.size(), '\0');
    in.read(start.data(), static_cast<std::streamsize>(start.size()));
    start.resize(static_cast<std::size_t>(in.gcount()));
    if (start.empty() || start == k_start) {
        return {};
    }
    return no_journal(path);
}

// Tests end the process right before or after a record; no release can be ended so.
void maybe_end([[maybe_unused]] std::int64_t record, [[maybe_unused]] const char* moment) {
#ifdef DRYDOCK_CRASH_SWITCHES
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* crash_point = std::getenv("DRYDOCK_STORE_CRASH");
    if (crash_point != nullptr && crash_point == fmt::format("{}:{}", record, moment)) {
        std::raise(SIGKILL);
    }
#endif
}

}  // namespace

Result<RewriteJournal> RewriteJournal::open(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(os::Fd file,
                       os::open_file(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail("blocks.busy",
                    fmt::format("another drydock holds {}", path),
                    "let it end, or end it, and say it again");
    }
    DRYDOCK_TRY(os::sync_folder(os::folder_of(path)));
    RewriteJournal journal(path, std::move(file));
    DRYDOCK_TRY(journal.check());
    return journal;
}

// Checks all records and cuts off an incomplete last line. The cut is synced, so the next record
// does not join that line.
Status RewriteJournal::check() {
    DRYDOCK_TRY(check_start(path_));
    DRYDOCK_TRY_ASSIGN(std::ifstream stream, os::open_stream(path_));
    std::string line;
    off_t whole = 0;
    while (std::getline(stream, line)) {
        if (stream.eof() && records_ == 0) {
            return no_journal(path_);
        }
        if (stream.eof()) {
            break;  // no new line: cut off
        }
        if (!record_of(line)) {
            return damaged(path_, records_ + 1);
        }
        ++records_;
        whole += static_cast<off_t>(line.size() + 1);
    }
    if (ftruncate(file_.get(), whole) != 0 || fsync(file_.get()) != 0) {
        return fail_errno("blocks.journal", "truncate " + path_, errno);
    }
    return {};
}

Status RewriteJournal::append(const Record& record) {
    const std::string text = json_of(record).dump();
    maybe_end(records_ + 1, "before");
    DRYDOCK_TRY(os::write_all(file_.get(), fmt::format("{} {}\n", text, sum_of(text))));
    if (fdatasync(file_.get()) != 0) {
        return fail_errno("blocks.journal", "sync " + path_, errno);
    }
    ++records_;
    maybe_end(records_, "after");
    return {};
}

Status RewriteJournal::each(const std::function<Status(const Record&)>& take) const {
    DRYDOCK_TRY_ASSIGN(std::ifstream stream, os::open_stream(path_));
    std::string line;
    std::int64_t number = 0;
    while (number < records_ && std::getline(stream, line)) {
        ++number;
        const auto record = record_of(line);
        if (!record) {
            return damaged(path_, number);
        }
        DRYDOCK_TRY(take(*record));
    }
    return number == records_ ? Status{} : damaged(path_, number + 1);
}

}  // namespace drydock::mover::blocks
