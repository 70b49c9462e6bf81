// Sends never block: each keeps its bytes until MPI has taken them. Threads take turns, so MPI need
// not be safe for several at a time. An error of MPI ends all processes, which is its default.
#include "ranks/mpi_team.h"

#include <mpi.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace drydock::ranks {
namespace {

constexpr std::chrono::microseconds k_look_again(200);

// A message that MPI has not taken yet; its place in memory must not change.
struct Sent {
    std::string bytes;
    MPI_Request request = MPI_REQUEST_NULL;
};

}  // namespace

struct MpiTeam::State {
    std::mutex mutex;
    std::list<Sent> sent;
    std::atomic<bool> is_given_up = false;

    // The caller holds the lock.
    void drop_taken() {
        for (auto at = sent.begin(); at != sent.end();) {
            int is_taken = 0;
            MPI_Test(&at->request, &is_taken, MPI_STATUS_IGNORE);
            at = is_taken != 0 ? sent.erase(at) : std::next(at);
        }
    }

    std::optional<mover::tree::Message> poll() {
        const std::lock_guard lock(mutex);
        drop_taken();
        int is_there = 0;
        MPI_Status status;
        MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &is_there, &status);
        if (is_there == 0) {
            return {};
        }
        int size = 0;
        MPI_Get_count(&status, MPI_BYTE, &size);
        mover::tree::Message message;
        message.sender = static_cast<std::size_t>(status.MPI_SOURCE);
        message.bytes.resize(static_cast<std::size_t>(size));
        MPI_Recv(message.bytes.data(),
                 size,
                 MPI_BYTE,
                 status.MPI_SOURCE,
                 0,
                 MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        return message;
    }
};

MpiTeam::MpiTeam(int* argc, char*** argv) : state_(std::make_unique<State>()) {
    int provided = 0;
    MPI_Init_thread(argc, argv, MPI_THREAD_SERIALIZED, &provided);
}

MpiTeam::~MpiTeam() = default;

std::size_t MpiTeam::size() const {
    int size = 0;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    return static_cast<std::size_t>(size);
}

std::size_t MpiTeam::rank() const {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return static_cast<std::size_t>(rank);
}

std::string MpiTeam::host() const {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                            : std::string("?");
}

void MpiTeam::send(std::size_t rank, std::string bytes) {
    const std::lock_guard lock(state_->mutex);
    Sent& sent = state_->sent.emplace_back();
    sent.bytes = std::move(bytes);
    MPI_Isend(sent.bytes.data(),
              static_cast<int>(sent.bytes.size()),
              MPI_BYTE,
              static_cast<int>(rank),
              0,
              MPI_COMM_WORLD,
              &sent.request);
}

std::optional<mover::tree::Message> MpiTeam::receive(std::chrono::milliseconds within) {
    const auto until = std::chrono::steady_clock::now() + within;
    while (true) {
        auto message = state_->poll();
        if (message || std::chrono::steady_clock::now() >= until) {
            return message;
        }
        std::this_thread::sleep_for(k_look_again);
    }
}

void MpiTeam::give_up() {
    state_->is_given_up = true;
}

void MpiTeam::end(int exit_code) {
    if (state_->is_given_up) {
        MPI_Abort(MPI_COMM_WORLD, exit_code);
    }
    {
        const std::lock_guard lock(state_->mutex);
        for (Sent& sent : state_->sent) {
            MPI_Wait(&sent.request, MPI_STATUS_IGNORE);
        }
        state_->sent.clear();
    }
    MPI_Finalize();
}

}  // namespace drydock::ranks
