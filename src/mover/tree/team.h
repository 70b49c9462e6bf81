// Team: the processes that make one copy together, on one host or on many. Rank 0 walks and deals
// (dealer.h), the others help (helper.h).
//
// How messages travel is left to who implements it: MPI in src/ranks/, threads in tests. Messages
// between two ranks come in the order in which they were sent. A process that dies ends them all.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace drydock::mover::tree {

struct Message {
    std::size_t sender = 0;
    std::string bytes;
};

class Team {
public:
    virtual ~Team() = default;

    [[nodiscard]] virtual std::size_t size() const = 0;  // with this process
    [[nodiscard]] virtual std::size_t rank() const = 0;  // of this process
    [[nodiscard]] virtual std::string host() const = 0;  // of this process

    // Sends a message. Does not wait until somebody has it.
    virtual void send(std::size_t rank, std::string bytes) = 0;
    // Returns the next message; nothing if none came within this time.
    [[nodiscard]] virtual std::optional<Message> receive(std::chrono::milliseconds within) = 0;
    // Tells that a rank does not answer: nobody is to wait for it at the end.
    virtual void give_up() = 0;
};

// What a helper tells rank 0; each of its messages begins with one of them.
enum class ByHelper : std::int64_t {
    hello,   // release, host, boot
    joined,  // outcome, threads
    answer,  // number of a parcel, outcome, report, end, entries, bytes
    ask,     // number, question
    alive,   // entries, bytes
    synced,  // number, outcome
};

// What rank 0 tells a helper.
enum class ByDealer : std::int64_t {
    begin,   // what is copied, and how
    parcel,  // number, parcel
    reply,   // number of a question, outcome
    sync,    // number
    stop,
    end,
};

// What a helper asks while it copies.
enum class Question : std::int64_t { first_name, set_digest, add_link, add_flags, lines };

}  // namespace drydock::mover::tree
