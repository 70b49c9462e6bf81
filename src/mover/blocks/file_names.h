// FileNames: the blobs of a file backend in the order of their names, with one folder in memory at
// a time.
#pragma once

#include "mover/blocks/data_backend.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

class FileNames final : public BlobNames {
public:
    explicit FileNames(std::string folder) : folder_(std::move(folder)) {}

    [[nodiscard]] Result<std::optional<BlobFile>> next() override;

    // Returns the number of files in places where no blob of their name belongs.
    [[nodiscard]] std::int64_t strange() const override { return strange_; }

private:
    Status open_next_folder();
    Status read_leaf(const std::string& prefix, const std::string& path);

    std::string folder_;
    bool is_open_ = false;
    std::vector<std::string> first_;   // names of the first level, the next one last
    std::vector<std::string> second_;  // the same below `prefix_`
    std::string prefix_;
    std::vector<BlobFile> files_;  // of one folder, the next one last
    std::int64_t strange_ = 0;
};

}  // namespace drydock::mover::blocks
