// A team whose messages go by MPI, on whatever network that has. MPI itself is seen in mpi_team.cpp
// only.
#pragma once

#include "mover/tree/team.h"

#include <memory>

namespace drydock::ranks {

class MpiTeam final : public mover::tree::Team {
public:
    // Starts MPI, once for a process.
    MpiTeam(int* argc, char*** argv);
    MpiTeam(const MpiTeam&) = delete;
    MpiTeam& operator=(const MpiTeam&) = delete;
    ~MpiTeam() override;

    [[nodiscard]] std::size_t size() const override;
    [[nodiscard]] std::size_t rank() const override;
    [[nodiscard]] std::string host() const override;
    void send(std::size_t rank, std::string bytes) override;
    [[nodiscard]] std::optional<mover::tree::Message>
    receive(std::chrono::milliseconds within) override;
    void give_up() override;

    // Ends MPI with all others. If one was given up, all processes are ended instead, and it does
    // not return.
    void end(int exit_code);

private:
    struct State;

    std::unique_ptr<State> state_;
};

}  // namespace drydock::ranks
