#include "mover/tree/dealer.h"

#include "base/hash.h"
#include "base/version.h"
#include "mover/tree/report_packet.h"
#include "mover/tree/staging.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace drydock::mover::tree {
namespace {

constexpr std::chrono::milliseconds k_look_again(2);
constexpr std::chrono::seconds k_silent(60);  // a helper that lives tells so each second

PacketWriter packet(ByDealer what) {
    PacketWriter made;
    made.number(static_cast<std::int64_t>(what));
    return made;
}

std::string random_word() {
    std::array<std::uint8_t, 16> bytes{};
    const ssize_t ignored =
        ::getrandom(bytes.data(), bytes.size(), 0);  // short ones are random, too
    static_cast<void>(ignored);
    return to_hex(bytes);
}

}  // namespace

Dealer::Dealer(Team* team) : team_(team) {
    for (std::size_t rank = 1; team != nullptr && rank < team->size(); ++rank) {
        helpers_.emplace_back().rank = rank;
        helpers_.back().heard = Clock::now();
    }
}

std::string Dealer::name_of(const Helper& helper) const {
    return helper.done.host.empty() ? fmt::format("rank {}", helper.rank)
                                    : fmt::format("rank {} on {}", helper.rank, helper.done.host);
}

template <class Done, class Read>
Status Dealer::gather(const Done& is_done, const Read& read) {
    const auto until = Clock::now() + k_silent;
    while (true) {
        const auto missing = std::find_if_not(helpers_.begin(), helpers_.end(), is_done);
        if (missing == helpers_.end()) {
            return {};
        }
        if (Clock::now() > until) {
            team_->give_up();
            return fail(
                "tree.rank_silent",
                fmt::format("{} has said nothing for {} s", name_of(*missing), k_silent.count()),
                "look at that host, and type the command again");
        }
        if (const auto message = team_->receive(k_look_again)) {
            PacketReader reader(message->bytes);
            DRYDOCK_TRY(read(helpers_.at(message->sender - 1), reader));
        }
    }
}

Status Dealer::greet(Helper& helper, PacketReader& reader) {
    if (static_cast<ByHelper>(reader.number()) != ByHelper::hello) {
        return {};
    }
    const std::string release = reader.text();
    helper.done.host = reader.text();
    helper.boot = reader.text();
    helper.is_known = true;
    return release == version()
               ? Status()
               : fail("tree.rank",
                      fmt::format(
                          "{} is drydock {}, and this is {}", name_of(helper), release, version()),
                      "install the same release on all hosts");
}

Status Dealer::visit_name() {
    return gather([](const Helper& helper) { return helper.is_known; },
                  [this](Helper& helper, PacketReader& reader) { return greet(helper, reader); });
}

std::set<std::string> Dealer::boots() const {
    std::set<std::string> all = {os::boot_id()};
    for (const Helper& helper : helpers_) {
        all.insert(helper.boot);
    }
    return all;
}

// The mark is a file that a helper has to find in the staging folder.
Status Dealer::begin(const CopierParts& parts) {
    if (helpers_.empty()) {
        return {};
    }
    const CopyRequest& request = parts.request;
    const std::string mark = fmt::format(".drydock-ranks-{}", random_word());
    DRYDOCK_TRY_ASSIGN(const Entry root, read_entry(parts.source, ""));
    const os::Fd made(::openat(
        parts.staging.folder(), mark.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made) {
        return fail_errno("tree.target", "make a file in the staging folder", errno);
    }
    PacketWriter told = packet(ByDealer::begin);
    told.text(request.source).text(request.target).text(mark);
    told.number(root.modified.seconds).number(static_cast<std::int64_t>(request.digest));
    told.number(static_cast<std::int64_t>(request.workers.first));
    told.number(static_cast<std::int64_t>(request.workers.most));
    told.number(request.replaces ? 1 : 0).number(request.is_durable ? 1 : 0);
    told.number(static_cast<std::int64_t>(request.bytes_per_second / (helpers_.size() + 1)));
    told.number(parts.start).number(parts.trusts_all ? 1 : 0);
    told.number(parts.durable_until.seconds).number(parts.durable_until.nanoseconds);
    told.number(parts.folds_names ? 1 : 0);
    const std::string bytes = told.take();
    for (const Helper& helper : helpers_) {
        team_->send(helper.rank, bytes);
    }
    const Status joined =
        gather([](const Helper& helper) { return helper.is_ready; },
               [this](Helper& helper, PacketReader& reader) -> Status {
                   if (static_cast<ByHelper>(reader.number()) != ByHelper::joined) {
                       return {};
                   }
                   const auto outcome = outcome_of(reader);
                   helper.parcels_max = 2 * reader.number() + 2;
                   helper.is_ready = true;
                   return outcome ? Status()
                                  : tl::unexpected(outcome.error().with_context(name_of(helper)));
               });
    ::unlinkat(parts.staging.folder(), mark.c_str(), 0);
    return joined;
}

std::jthread Dealer::serve(Copier& copier, Workers& workers, Notes& notes, SharedReport& report) {
    if (helpers_.empty()) {
        return {};
    }
    copier_ = &copier;
    workers_ = &workers;
    notes_ = &notes;
    report_ = &report;
    for (Helper& helper : helpers_) {
        helper.heard = Clock::now();
    }
    return std::jthread([this](const std::stop_token& stop) { listen(stop); });
}

// The parcel is made without the lock: a large file offers its next chunk meanwhile.
Taken Dealer::take(const Offer& offer) {
    Helper* chosen = nullptr;
    std::int64_t number = 0;
    {
        const std::lock_guard lock(mutex_);
        for (Helper& helper : helpers_) {
            const bool has_room =
                !helper.is_lost
                && static_cast<std::int64_t>(helper.parcels.size()) < helper.parcels_max;
            if (has_room && (!chosen || helper.parcels.size() < chosen->parcels.size())) {
                chosen = &helper;
            }
        }
        if (!chosen || has_stopped_) {
            return Taken::not_now;
        }
        number = ++parcels_;
        chosen->parcels.emplace(number, offer);
    }
    const auto parcel = offer.parcel();
    if (!parcel) {
        const std::lock_guard lock(mutex_);
        chosen->parcels.erase(number);
        return Taken::never;
    }
    team_->send(chosen->rank, packet(ByDealer::parcel).number(number).text(*parcel).take());
    return Taken::yes;
}

void Dealer::listen(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        for (auto message = team_->receive(k_look_again); message;
             message = team_->receive(std::chrono::milliseconds(0))) {
            hear(*message);
        }
        look_after();
    }
}

// Gives work to those who have room, and finds those who are silent.
void Dealer::look_after() {
    while (workers_->offer_oldest()) {
    }
    if (report_->end() && !has_stopped_.exchange(true)) {
        tell_all(ByDealer::stop);
    }
    const auto now = Clock::now();
    for (Helper& helper : helpers_) {
        if (!helper.is_lost && now - helper.heard > k_silent) {
            lose(helper);
        }
    }
}

void Dealer::lose(Helper& helper) {
    team_->give_up();
    report_->end_with(
        fail("tree.rank_silent",
             fmt::format("{} has said nothing for {} s", name_of(helper), k_silent.count()),
             "look at that host, and type the command again: it goes on")
            .value());
    workers_->cancel();
    std::map<std::int64_t, Offer> parcels;
    {
        const std::lock_guard lock(mutex_);
        helper.is_lost = true;
        parcels.swap(helper.parcels);
    }
    changed_.notify_all();
    for (std::size_t left = parcels.size(); left > 0; --left) {
        workers_->settle([](Workspace&) {});
    }
}

void Dealer::tell_all(ByDealer what) {
    for (const Helper& helper : helpers_) {
        team_->send(helper.rank, packet(what).take());
    }
}

void Dealer::hear(const Message& message) {
    Helper& helper = helpers_.at(message.sender - 1);
    helper.heard = Clock::now();
    PacketReader reader(message.bytes);
    switch (static_cast<ByHelper>(reader.number())) {
    case ByHelper::answer:
        hear_answer(helper, reader);
        break;
    case ByHelper::ask: {
        const std::int64_t number = reader.number();
        const std::string outcome = packet_of(answer(helper.rank, reader));
        team_->send(helper.rank, packet(ByDealer::reply).number(number).text(outcome).take());
        break;
    }
    case ByHelper::alive: {
        const std::lock_guard lock(mutex_);
        helper.progress.entries = reader.number();
        helper.progress.bytes = reader.number();
        break;
    }
    case ByHelper::synced:
        hear_synced(helper, reader);
        break;
    case ByHelper::hello:  // heard before
    case ByHelper::joined:
        break;
    }
}

void Dealer::hear_answer(Helper& helper, PacketReader& reader) {
    const std::int64_t number = reader.number();
    PacketReader inner(reader.text());
    const auto outcome = outcome_of(inner);
    const CopyReport done = report_of(reader);
    report_->change([&](CopyReport& report) { report.add(done); });
    if (const Error end = reader.error(); !end.code.empty()) {
        report_->end_with(end);
        workers_->cancel();
    }
    Offer offer;
    {
        const std::lock_guard lock(mutex_);
        helper.done.files += done.copied;
        helper.progress.entries = reader.number();
        helper.progress.bytes = reader.number();
        helper.done.bytes = helper.progress.bytes;
        const auto found = helper.parcels.find(number);
        if (found == helper.parcels.end()) {
            return;
        }
        offer = std::move(found->second);
        helper.parcels.erase(found);
    }
    workers_->settle([then = std::move(offer.then), outcome](Workspace& workspace) {
        then(workspace, outcome);
    });
}

Result<std::string> Dealer::answer(std::size_t rank, PacketReader& reader) {
    const auto question = static_cast<Question>(reader.number());
    if (question == Question::lines) {
        const bool are_removals = reader.number() != 0;
        DRYDOCK_TRY(copier_->add_lines_of(rank, are_removals, reader.text()));
        return std::string();
    }
    FileId file;
    file.device = static_cast<std::uint64_t>(reader.number());
    file.inode = static_cast<std::uint64_t>(reader.number());
    const std::string text = reader.text();
    if (question == Question::first_name) {
        DRYDOCK_TRY_ASSIGN(const FirstName first, notes_->first_name(file, text));
        return PacketWriter().text(first.path).text(first.digest).take();
    }
    if (question == Question::set_digest) {
        DRYDOCK_TRY(notes_->set_digest(file, text));
    } else if (question == Question::add_link) {
        DRYDOCK_TRY(notes_->add_link(text, file));
    } else {  // the flags are told in place of an inode
        DRYDOCK_TRY(notes_->add_flags(text, static_cast<std::uint32_t>(file.inode)));
    }
    return std::string();
}

void Dealer::hear_synced(Helper& helper, PacketReader& reader) {
    const std::int64_t number = reader.number();
    const auto outcome = outcome_of(reader);
    {
        const std::lock_guard lock(mutex_);
        helper.synced = number;
        if (!outcome) {
            sync_failure_ = tl::unexpected(outcome.error().with_context(name_of(helper)));
        }
    }
    changed_.notify_all();
}

// A helper that is silent is found by the listener, so this ends.
Status Dealer::sync() {
    std::unique_lock lock(mutex_);
    const std::int64_t number = ++barriers_;
    for (const Helper& helper : helpers_) {
        team_->send(helper.rank, packet(ByDealer::sync).number(number).take());
    }
    changed_.wait(lock, [&] {
        return std::all_of(helpers_.begin(), helpers_.end(), [&](const Helper& helper) {
            return helper.is_lost || helper.synced >= number;
        });
    });
    if (const auto end = report_->end(); end && end->code == "tree.rank_silent") {
        return tl::unexpected(*end);
    }
    return std::exchange(sync_failure_, {});
}

Progress Dealer::progress() const {
    const std::lock_guard lock(mutex_);
    Progress all;
    for (const Helper& helper : helpers_) {
        all.entries += helper.progress.entries;
        all.bytes += helper.progress.bytes;
    }
    return all;
}

std::vector<RankReport> Dealer::ranks() const {
    const std::lock_guard lock(mutex_);
    std::vector<RankReport> all;
    for (const Helper& helper : helpers_) {
        all.push_back(helper.done);
    }
    return all;
}

}  // namespace drydock::mover::tree
