#include "mover/tree/helper.h"

#include "base/version.h"
#include "mover/tree/copier.h"
#include "mover/tree/packet.h"
#include "mover/tree/report_packet.h"
#include "mover/tree/staging.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr std::chrono::milliseconds k_look_again(2);
constexpr std::chrono::seconds k_progress_interval(1);
constexpr std::chrono::seconds k_answer(60);  // of rank 0, which answers from its own disk

PacketWriter packet(ByHelper what) {
    PacketWriter made;
    made.number(static_cast<std::int64_t>(what));
    return made;
}

// Asks rank 0, from any thread.
class Line final : public Notes {
public:
    explicit Line(Team& team) : team_(team) {}

    Result<FirstName> first_name(const FileId& file, const std::string& path) override {
        DRYDOCK_TRY_ASSIGN(const std::string answer, ask(about(Question::first_name, file, path)));
        PacketReader reader(answer);
        FirstName first = {reader.text(), {}, file};
        first.digest = reader.text();
        return first;
    }

    Status set_digest(const FileId& file, const std::string& digest) override {
        return tell(about(Question::set_digest, file, digest));
    }

    Status add_link(const std::string& path, const FileId& file) override {
        return tell(about(Question::add_link, file, path));
    }

    Status add_flags(const std::string& path, std::uint32_t flags) override {
        return tell(about(Question::add_flags, {0, flags}, path));
    }

    Status add_lines(bool are_removals, std::string_view lines) {
        return tell(PacketWriter()
                        .number(static_cast<std::int64_t>(Question::lines))
                        .number(are_removals ? 1 : 0)
                        .text(lines)
                        .take());
    }

    void hear_reply(PacketReader& reader) {
        const std::int64_t number = reader.number();
        PacketReader outcome(reader.text());
        {
            const std::lock_guard lock(mutex_);
            answers_.insert_or_assign(number, outcome_of(outcome));
        }
        changed_.notify_all();
    }

private:
    static std::string about(Question question, const FileId& file, const std::string& text) {
        return PacketWriter()
            .number(static_cast<std::int64_t>(question))
            .number(static_cast<std::int64_t>(file.device))
            .number(static_cast<std::int64_t>(file.inode))
            .text(text)
            .take();
    }

    Status tell(const std::string& question) {
        DRYDOCK_TRY(ask(question));
        return {};
    }

    Result<std::string> ask(const std::string& question) {
        std::unique_lock lock(mutex_);
        const std::int64_t number = ++asked_;
        team_.send(0, packet(ByHelper::ask).number(number).take() + question);
        if (!changed_.wait_for(lock, k_answer, [&] { return answers_.contains(number); })) {
            return fail("tree.journal",
                        fmt::format("rank 0 has not answered for {} s", k_answer.count()),
                        "look at its host, and type the command again: it goes on");
        }
        return std::move(answers_.extract(number).mapped());
    }

    Team& team_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t asked_ = 0;
    std::map<std::int64_t, Result<std::string>> answers_;
};

// What rank 0 told of the copy, and what of it is open here.
struct Assignment {
    CopyRequest request;
    std::string mark;
    std::int64_t source_seconds = 0;
    std::int64_t start = 1;
    bool trusts_all = false;
    Time durable_until;
    bool folds_names = false;
};

Assignment read_assignment(PacketReader& reader) {
    Assignment assignment;
    CopyRequest& request = assignment.request;
    request.source = reader.text();
    request.target = reader.text();
    assignment.mark = reader.text();
    assignment.source_seconds = reader.number();
    request.digest = static_cast<DigestKind>(reader.number());
    request.workers.first = static_cast<std::size_t>(reader.number());
    request.workers.most = static_cast<std::size_t>(reader.number());
    request.workers = within_descriptors(request.workers);
    request.replaces = reader.number() != 0;
    request.is_durable = reader.number() != 0;
    request.bytes_per_second = static_cast<std::uint64_t>(reader.number());
    assignment.start = reader.number();
    assignment.trusts_all = reader.number() != 0;
    assignment.durable_until.seconds = reader.number();
    assignment.durable_until.nanoseconds = static_cast<std::uint32_t>(reader.number());
    assignment.folds_names = reader.number() != 0;
    return assignment;
}

Result<os::Fd> open_same_source(const Assignment& assignment) {
    DRYDOCK_TRY_ASSIGN(os::Fd source, open_root(assignment.request.source));
    DRYDOCK_TRY_ASSIGN(const Entry entry, read_entry(source.get(), ""));
    if (entry.modified.seconds != assignment.source_seconds) {
        return fail("tree.rank",
                    fmt::format("{} is another folder there", assignment.request.source),
                    "mount the same file system on all hosts, or look at their clocks");
    }
    return source;
}

// One copy from a helper's point of view.
class Help {
public:
    Help(Team& team,
         Assignment assignment,
         os::Fd source,
         Staging staging,
         std::function<bool()> is_to_stop)
        : team_(team)
        , line_(team)
        , assignment_(std::move(assignment))
        , source_(std::move(source))
        , staging_(std::move(staging)) {
        assignment_.request.profile = profile_of(source_.get(), staging_.target());
        assignment_.request.workers.piece_bytes = assignment_.request.profile.piece_bytes;
        assignment_.request.is_to_stop = [this, asked = std::move(is_to_stop)] {
            return is_stopped_ || (asked && asked());
        };
    }

    void run() {
        Workers workers(assignment_.request.workers);
        CopierParts parts = {assignment_.request, staging_, workers, report_, line_};
        parts.source = source_.get();
        parts.start = assignment_.start;
        parts.trusts_all = assignment_.trusts_all;
        parts.durable_until = assignment_.durable_until;
        parts.folds_names = assignment_.folds_names;
        parts.lines = [this](std::size_t thread, std::string_view lines) {
            return line_.add_lines(thread == assignment_.request.workers.most, lines);
        };
        parts.hand_back = [this](Workspace& workspace, const std::string& name) {
            back_.at(workspace.number()).push_back(name);
        };
        back_.resize(assignment_.request.workers.most);
        Copier copier(std::move(parts));
        workers.retain();
        team_.send(0, packet(ByHelper::joined).number(1).text("").number(threads()).take());
        {
            const std::jthread listener([&] { listen(copier, workers); });
            workers.finish([](Workspace&) {});
        }
    }

private:
    [[nodiscard]] std::int64_t threads() const {
        return static_cast<std::int64_t>(assignment_.request.workers.first);
    }

    // Until rank 0 tells the end.
    void listen(Copier& copier, Workers& workers) {
        auto told = std::chrono::steady_clock::now();
        while (true) {
            const auto message = team_.receive(k_look_again);
            if (message && !hear(message->bytes, copier, workers)) {
                break;
            }
            if (const auto now = std::chrono::steady_clock::now();
                now - told > k_progress_interval) {
                told = now;
                const Progress progress = copier.progress();
                team_.send(
                    0,
                    packet(ByHelper::alive).number(progress.entries).number(progress.bytes).take());
            }
        }
        workers.settle([](Workspace&) {});
    }

    // False at the end.
    bool hear(const std::string& bytes, Copier& copier, Workers& workers) {
        PacketReader reader(bytes);
        switch (static_cast<ByDealer>(reader.number())) {
        case ByDealer::parcel: {
            const std::int64_t number = reader.number();
            workers.push([this, &copier, number, parcel = reader.text()](Workspace& workspace) {
                do_parcel(workspace, copier, number, parcel);
            });
            return true;
        }
        case ByDealer::reply:
            line_.hear_reply(reader);
            return true;
        case ByDealer::sync:
            workers.push([this, number = reader.number()](Workspace&) {
                const auto synced = staging_.sync().map([] { return std::string(); });
                team_.send(0, packet(ByHelper::synced).number(number).take() + packet_of(synced));
            });
            return true;
        case ByDealer::stop:
            is_stopped_ = true;
            return true;
        case ByDealer::end:
            return false;
        case ByDealer::begin:  // heard before
            return true;
        }
        return true;
    }

    void do_parcel(Workspace& workspace,
                   Copier& copier,
                   std::int64_t number,
                   const std::string& parcel) {
        auto& back = back_.at(workspace.number());
        auto outcome = copier.do_parcel(workspace, parcel);
        if (outcome && outcome->empty()) {
            PacketWriter names;
            names.number(static_cast<std::int64_t>(back.size()));
            for (const std::string& name : back) {
                names.text(name);
            }
            outcome = names.take();
        }
        back.clear();
        const Progress progress = copier.progress();
        PacketWriter answer = packet(ByHelper::answer);
        answer.number(number).text(packet_of(outcome));
        add_report(answer, report_.take());
        answer.error(report_.end().value_or(Error{}));
        team_.send(0, answer.number(progress.entries).number(progress.bytes).take());
    }

    Team& team_;
    Line line_;
    Assignment assignment_;
    os::Fd source_;
    Staging staging_;
    SharedReport report_;
    std::vector<std::vector<std::string>> back_;  // by thread: files that rank 0 deals anew
    std::atomic<bool> is_stopped_ = false;
};

// True if it took part until the end.
bool join(Team& team, PacketReader& reader, const std::function<bool()>& is_to_stop) {
    Assignment assignment = read_assignment(reader);
    auto source = open_same_source(assignment);
    auto staging = source ? Staging::join(assignment.request.target, assignment.mark)
                          : tl::unexpected(source.error());
    if (!staging) {
        team.send(0, packet(ByHelper::joined).number(0).error(staging.error()).take());
        return false;
    }
    Help(team, std::move(assignment), std::move(*source), std::move(*staging), is_to_stop).run();
    return true;
}

}  // namespace

void help(Team& team, const std::function<bool()>& is_to_stop) {
    team.send(0,
              packet(ByHelper::hello).text(version()).text(team.host()).text(os::boot_id()).take());
    while (true) {
        const auto message = team.receive(std::chrono::milliseconds(100));
        PacketReader reader(message ? message->bytes : std::string());
        const auto told = static_cast<ByDealer>(message ? reader.number() : -1);
        if (told == ByDealer::end || (told == ByDealer::begin && join(team, reader, is_to_stop))) {
            return;
        }
    }
}

void end_help(Team& team) {
    for (std::size_t rank = 1; rank < team.size(); ++rank) {
        team.send(rank, PacketWriter().number(static_cast<std::int64_t>(ByDealer::end)).take());
    }
}

}  // namespace drydock::mover::tree
