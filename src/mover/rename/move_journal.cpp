// Writes and replays the journal of a move.
//
// The state is a fold of apply() over the records, both while running and on resume. append() first
// makes the record durable and then applies it. So a resumed process has exactly the state of the
// killed one. apply() also validates: a record that cannot follow the earlier ones is damage, even
// if its checksum is right.
//
// The plan is written under a temporary name, synced and renamed before the record `begin`. Without
// that record the plan is ignored, and the next move writes a new one.
#include "mover/rename/move_journal.h"

#include "base/hash.h"
#include "os/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>

namespace drydock::mover::rename {
namespace {

constexpr std::size_t k_sum_digits = 16;
constexpr std::int64_t k_format = 1;

// Returns XXH3 in hex. It protects against torn and flipped bytes, not against forgery.
std::string sum_of(std::string_view text) {
    return fmt::format(
        "{:016x}",
        xxh3(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())));
}

// Returns the memory of a vector as bytes, which is the format of the plan. Ids are arrays of
// bytes, so the format is the same on every machine.
template <class Part>
std::string_view bytes_of(const std::vector<Part>& parts) {
    static_assert(std::is_trivially_copyable_v<Part>);
    return {reinterpret_cast<const char*>(parts.data()), parts.size() * sizeof(Part)};
}

std::string sum_of(const MovePlan& plan) {
    return sum_of(bytes_of(plan.moves)) + sum_of(bytes_of(plan.scopes))
           + sum_of(bytes_of(plan.standing));
}

Json json_of(const MoveBegin& begin) {
    Json json;
    json.set("kind", "begin").set("format", k_format).set("root", begin.root);
    json.set("device", begin.device).set("inode", begin.inode).set("moves", begin.moves);
    json.set("scopes", begin.scopes).set("standing", begin.standing).set("plan", begin.plan);
    json.set("version", begin.version ? Json(*begin.version) : Json());
    json.set("user", std::uint64_t{begin.owner.user});
    json.set("group", std::uint64_t{begin.owner.group});
    return json.set("mode", std::uint64_t{begin.owner.mode});
}

std::uint64_t number(const Json& json, const char* key) {
    return json[key].as_uint().value_or(0);
}

MoveBegin begin_of(const Json& json) {
    MoveBegin begin;
    begin.root = json["root"].as_string();
    begin.device = number(json, "device");
    begin.inode = number(json, "inode");
    begin.moves = number(json, "moves");
    begin.scopes = number(json, "scopes");
    begin.standing = number(json, "standing");
    begin.plan = json["plan"].as_string();
    if (json["version"].is_string()) {
        begin.version = json["version"].as_string();
    }
    begin.owner.user = static_cast<uid_t>(number(json, "user"));
    begin.owner.group = static_cast<gid_t>(number(json, "group"));
    begin.owner.mode = static_cast<mode_t>(number(json, "mode"));
    return begin;
}

// Advances the state by one record. Returns false if the record cannot follow the earlier ones.
//
// `move` and `undo` are intents: the batch before them is complete, their own may be half done.
// `blocked` starts over, because a later call may find the place free.
bool apply(const Json& json, MoveState& state) {
    const std::string& kind = json["kind"].as_string();
    if (kind == "begin") {
        state = {};
        state.begin = begin_of(json);
        return json["format"].as_int() == k_format;
    }
    if (!state.begin) {
        return false;
    }
    if (kind == "move") {
        state.next = number(json, "first");
        state.moves_begun = std::max(state.moves_begun, number(json, "last"));
        return state.next < state.begin->moves && state.moves_begun <= state.begin->moves;
    }
    if (kind == "undo") {
        state.undo_end = number(json, "last");
        return state.goes_back && state.undo_end <= state.moves_begun;
    }
    if (kind == "back") {
        state.goes_back = true;
        state.undo_end = state.moves_begun;
        return true;
    }
    if (kind == "blocked") {
        state.next = 0;
        state.undo_end = state.moves_begun;
        return true;
    }
    bool* const flag = kind == "moved"      ? &state.is_moved
                       : kind == "done"     ? &state.is_done
                       : kind == "returned" ? &state.is_returned
                                            : nullptr;
    if (flag != nullptr) {
        *flag = true;
    }
    return flag != nullptr;
}

// Returns the JSON of a line; nothing if its checksum is wrong.
std::optional<Json> parse_record(const std::string& line) {
    if (line.size() <= k_sum_digits + 1 || line[line.size() - k_sum_digits - 1] != ' ') {
        return std::nullopt;
    }
    const std::string text = line.substr(0, line.size() - k_sum_digits - 1);
    auto json = Json::parse(text);
    return json && sum_of(text) == line.substr(text.size() + 1) ? std::optional(std::move(*json))
                                                                : std::nullopt;
}

// Kills the process right before or after a record, for tests. Releases do not contain the switch.
void maybe_end([[maybe_unused]] std::int64_t record, [[maybe_unused]] const char* moment) {
#ifdef DRYDOCK_CRASH_SWITCHES
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
    const char* crash_point = std::getenv("DRYDOCK_MOVE_CRASH");
    if (crash_point != nullptr && crash_point == fmt::format("{}:{}", record, moment)) {
        std::raise(SIGKILL);
    }
#endif
}

Json kind_only(const char* kind) {
    Json json;
    return json.set("kind", kind);
}

// Subtracts the size of one part of the plan from the size of the file. Counts come from a file, so
// they are compared with its real size before memory is allocated.
template <class Part>
bool take_size(std::uint64_t count, std::uint64_t& bytes_left) {
    const bool fits = count <= bytes_left / sizeof(Part);
    bytes_left -= fits ? count * sizeof(Part) : 0;
    return fits;
}

bool has_size(std::uint64_t bytes, const MoveBegin& begin) {
    return take_size<Move>(begin.moves, bytes) && take_size<Id>(begin.scopes, bytes)
           && take_size<Id>(begin.standing, bytes) && bytes == 0;
}

template <class Part>
Status read_part(std::ifstream& stream, std::uint64_t count, std::vector<Part>& parts) {
    parts.resize(count);
    stream.read(reinterpret_cast<char*>(parts.data()),
                static_cast<std::streamsize>(count * sizeof(Part)));
    return stream ? Status() : fail("rename.journal", "the plan is cut short");
}

}  // namespace

namespace {

// Refuses a directory of another user: its owner could replace the journal by a link to another
// file.
Status check_folder(const std::string& folder) {
    struct stat attributes{};

    if (lstat(folder.c_str(), &attributes) == 0 && S_ISDIR(attributes.st_mode)
        && attributes.st_uid == geteuid()) {
        return {};
    }
    return fail("rename.journal",
                fmt::format("{} is no directory of user {}", folder, geteuid()),
                "--journal FOLDER names one of your own");
}

}  // namespace

// The flock belongs to the journal file itself, so two processes cannot share a journal under two
// names. The folder is synced: the file may be new.
Result<MoveJournal> MoveJournal::open(const std::string& folder, bool makes) {
    const std::string path = folder + "/vfolders.journal";
    if (!makes && !os::exists(path)) {
        return fail("rename.nothing",
                    "no move is under way: there is no " + path,
                    "--journal names the directory of another one");
    }
    if (makes) {
        DRYDOCK_TRY(os::make_folder_durable(folder));
    }
    DRYDOCK_TRY(check_folder(folder));
    DRYDOCK_TRY_ASSIGN(os::Fd file,
                       os::open_file(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
    if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        return fail("rename.busy",
                    fmt::format("another drydock holds {}", path),
                    "let it end, or end it, and say it again");
    }
    DRYDOCK_TRY(os::sync_folder(folder));
    MoveJournal journal(folder, std::move(file));
    DRYDOCK_TRY(journal.replay());
    return journal;
}

tl::unexpected<Error> MoveJournal::damaged(std::int64_t record) const {
    return fail("rename.journal",
                fmt::format("journal {}: record {} is damaged", path(), record),
                "every folder is in its old or in its new place: move the journal away, and begin "
                "anew with a list");
}

// Replays the whole journal and cuts off an incomplete last line. The cut is synced, so the next
// record does not join that line.
Status MoveJournal::replay() {
    DRYDOCK_TRY_ASSIGN(std::ifstream stream, os::open_stream(path()));
    std::string line;
    off_t whole = 0;
    while (std::getline(stream, line) && !stream.eof()) {
        const auto record = parse_record(line);
        if (!record || !apply(*record, state_)) {
            return damaged(records_ + 1);
        }
        ++records_;
        whole += static_cast<off_t>(line.size() + 1);
    }
    if (ftruncate(file_.get(), whole) != 0 || fsync(file_.get()) != 0) {
        return fail_errno("rename.journal", "truncate " + path(), errno);
    }
    return {};
}

Status MoveJournal::append(const Json& record) {
    const std::string text = record.dump();
    maybe_end(records_ + 1, "before");
    DRYDOCK_TRY(os::write_all(file_.get(), fmt::format("{} {}\n", text, sum_of(text))));
    if (fdatasync(file_.get()) != 0) {
        return fail_errno("rename.journal", "sync " + path(), errno);
    }
    ++records_;
    if (!apply(record, state_)) {
        return damaged(records_);
    }
    maybe_end(records_, "after");
    return {};
}

Status MoveJournal::begin(const MovePlan& plan, MoveBegin begin) {
    const std::string path = plan_path() + ".part";
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::make_file(path, O_WRONLY));
    for (const std::string_view part :
         {bytes_of(plan.moves), bytes_of(plan.scopes), bytes_of(plan.standing)}) {
        DRYDOCK_TRY(os::write_all(file.get(), part));
    }
    if (fsync(file.get()) != 0 || ::rename(path.c_str(), plan_path().c_str()) != 0) {
        return fail_errno("rename.journal", "write " + plan_path(), errno);
    }
    DRYDOCK_TRY(os::sync_folder(folder_));
    begin.moves = plan.moves.size();
    begin.scopes = plan.scopes.size();
    begin.standing = plan.standing.size();
    begin.plan = sum_of(plan);
    return append(json_of(begin));
}

Result<MovePlan> MoveJournal::plan() const {
    DRYDOCK_TRY_ASSIGN(std::ifstream stream, os::open_stream(plan_path()));
    const MoveBegin& begin = *state_.begin;
    std::error_code unknown;
    const std::uint64_t bytes = std::filesystem::file_size(plan_path(), unknown);
    if (unknown || !has_size(bytes, begin)) {
        return fail("rename.journal",
                    plan_path() + " has another size than the journal began with",
                    "move both away, and begin anew with a list");
    }
    MovePlan plan;
    DRYDOCK_TRY(read_part(stream, begin.moves, plan.moves));
    DRYDOCK_TRY(read_part(stream, begin.scopes, plan.scopes));
    DRYDOCK_TRY(read_part(stream, begin.standing, plan.standing));
    if (sum_of(plan) != begin.plan) {
        return fail("rename.journal",
                    plan_path() + " is not the plan that the journal began with",
                    "move both away, and begin anew with a list");
    }
    return plan;
}

Status MoveJournal::intend(std::uint64_t first, std::uint64_t last) {
    Json json;
    return append(json.set("kind", "move").set("first", first).set("last", last));
}

Status MoveJournal::note_blocked(std::int64_t count) {
    Json json;
    return append(json.set("kind", "blocked").set("count", count));
}

Status MoveJournal::note_moved() {
    return append(kind_only("moved"));
}

Status MoveJournal::note_done() {
    return append(kind_only("done"));
}

Status MoveJournal::intend_back() {
    return append(kind_only("back"));
}

Status MoveJournal::intend_undo(std::uint64_t first, std::uint64_t last) {
    Json json;
    return append(json.set("kind", "undo").set("first", first).set("last", last));
}

Status MoveJournal::note_returned() {
    return append(kind_only("returned"));
}

// Removes the plan first and the journal last: a plan means nothing without its journal.
Status MoveJournal::remove() {
    for (const std::string& file : {plan_path(), path()}) {
        if (unlink(file.c_str()) != 0 && errno != ENOENT) {
            return fail_errno("rename.journal", "remove " + file, errno);
        }
        DRYDOCK_TRY(os::sync_folder(folder_));
    }
    return {};
}

}  // namespace drydock::mover::rename
