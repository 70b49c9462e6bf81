// Workers: threads that take tasks from one stack, the newest first.
//
//     Workers workers({2, 16});
//     workers.push([&](Workspace& workspace) { ... workers.push(...); });
//     workers.finish();
//
// The newest first means depth first, so the stack stays short on a tree of any size. There are as
// many threads as waiting for the disk makes worthwhile: while the processors idle and tasks wait,
// one more is started. A task may also be offered to another process (dealer.h). Thread-safe.
#pragma once

#include "base/result.h"
#include "mover/tree/profile.h"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace drydock::mover::tree {

// Memory for the bytes of files, aligned for direct reads.
class Buffer {
public:
    explicit Buffer(std::size_t size);

    [[nodiscard]] char* data() { return bytes_.get(); }

    [[nodiscard]] std::size_t size() const { return size_; }

private:
    struct Free {
        void operator()(char* bytes) const;
    };

    std::size_t size_;
    std::unique_ptr<char, Free> bytes_;
};

// What belongs to one thread.
class Workspace {
public:
    explicit Workspace(std::size_t number, std::size_t piece_bytes = k_small_bytes)
        : number_(number)
        , piece_bytes_(piece_bytes) {}

    [[nodiscard]] std::size_t number() const { return number_; }

    // Bytes that are read and written at once.
    [[nodiscard]] std::size_t piece_bytes() const { return piece_bytes_; }

    // Memory for a small file or a piece, and for a part of a large file.
    [[nodiscard]] Buffer& small();
    [[nodiscard]] Buffer& large();

private:
    std::size_t number_;
    std::size_t piece_bytes_;
    std::unique_ptr<Buffer> small_;
    std::unique_ptr<Buffer> large_;
};

inline constexpr std::size_t k_large_bytes = std::size_t{4} << 20;

struct WorkerCount {
    std::size_t first = 2;
    std::size_t most = 16;
    std::size_t piece_bytes = k_small_bytes;  // of their workspaces
};

// Raises the limit of open files. Returns as many threads as it allows: each has some dozens of
// files open, and a few folders for each level of the tree.
[[nodiscard]] WorkerCount within_descriptors(const WorkerCount& wanted);

using Task = std::function<void(Workspace&)>;

// What another process has to know to do a task.
struct Offer {
    // Tells the task; nothing if it may not be given away any more.
    std::function<std::optional<std::string>()> parcel;
    // Called in a thread of these workers with what the other process answered.
    std::function<void(Workspace&, const Result<std::string>& answer)> then;
};

enum class Taken : std::uint8_t { yes, not_now, never };

using Taker = std::function<Taken(const Offer&)>;

class Workers {
public:
    using Task = tree::Task;

    explicit Workers(WorkerCount count);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    void push(Task task);
    // The same of a task that another process may do.
    void push(Task task, Offer offer);

    // Names who takes offers for others; before the first push. Called by all threads.
    void set_taker(Taker taker) { taker_ = std::move(taker); }

    // Gives the oldest task that another process may do to the taker. False if none was taken.
    [[nodiscard]] bool offer_oldest();
    // Keeps finish() waiting, as a task that runs would, and ends that: `then` is done last.
    void retain();
    void settle(Task then);
    // Drops all tasks that have not begun. Those that run end.
    void cancel();
    // Waits until no task is left and ends the threads; `idle` is called by each thread behind its
    // last task.
    void finish(const Task& idle);

    // The most threads that there were.
    [[nodiscard]] std::size_t most_threads() const;

private:
    struct Waiting {
        Task task;
        std::optional<Offer> offer = {};
    };

    void run(std::size_t number);
    void start_one();
    void watch();

    WorkerCount count_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<Waiting> tasks_;
    Taker taker_;
    std::size_t running_ = 0;
    bool is_over_ = false;
    std::size_t most_threads_ = 0;
    Task idle_;
    std::vector<std::jthread> threads_;
};

}  // namespace drydock::mover::tree
