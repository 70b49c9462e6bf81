// Sorting by runs: lines are sorted in memory piece by piece, and the pieces are merged.
#include "mover/tree/manifest.h"

#include "base/json.h"
#include "base/text.h"
#include "os/files.h"
#include "os/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace drydock::mover::tree {
namespace {

constexpr std::string_view k_format = "drydock-tree-manifest";
constexpr std::size_t k_run_bytes = std::size_t{32} << 20;  // that are sorted at once

struct Line {
    std::string text;
    std::size_t key_bytes = 0;  // of the text's begin
    std::uint64_t order = 0;    // a later line of the same path counts

    [[nodiscard]] std::string_view key() const { return {text.data(), key_bytes}; }
};

bool is_before(const Line& left, const Line& right) {
    const auto order = left.key() <=> right.key();
    return order != 0 ? order < 0 : left.order < right.order;
}

// One sorted run, in a file or in memory. Each line of a file begins with its order.
class Run {
public:
    explicit Run(const std::string& path) : file_(path, std::ios::binary) { next(); }

    explicit Run(std::vector<Line> lines) : lines_(std::move(lines)) { next(); }

    [[nodiscard]] bool is_over() const { return is_over_; }

    [[nodiscard]] Line& line() { return line_; }

    void next() {
        if (!file_.is_open()) {
            is_over_ = next_ == lines_.size();
            line_ = is_over_ ? Line() : std::move(lines_[next_++]);
            return;
        }
        is_over_ = !(file_ >> line_.order && file_.get() == ' ' && std::getline(file_, line_.text));
        line_.key_bytes = key_of(line_.text).size();
    }

private:
    std::ifstream file_;
    std::vector<Line> lines_;
    std::size_t next_ = 0;
    Line line_;
    bool is_over_ = false;
};

using RunList = std::vector<std::unique_ptr<Run>>;

// Removes its files at the end.
class Runs {
public:
    explicit Runs(std::string folder) : folder_(std::move(folder)) {}

    Runs(const Runs&) = delete;
    Runs& operator=(const Runs&) = delete;

    ~Runs() {
        for (const std::string& path : paths_) {
            std::error_code ignored;
            std::filesystem::remove(path, ignored);
        }
    }

    Status add(std::string text, std::size_t key_bytes) {
        bytes_ += text.size();
        lines_.push_back({std::move(text), key_bytes, order_++});
        return bytes_ < k_run_bytes ? Status() : write();
    }

    // All runs. The last one was never written: a tree that fits into memory takes no file.
    [[nodiscard]] RunList take() {
        RunList all;
        for (const std::string& path : paths_) {
            all.push_back(std::make_unique<Run>(path));
        }
        std::sort(lines_.begin(), lines_.end(), is_before);
        all.push_back(std::make_unique<Run>(std::move(lines_)));
        return all;
    }

private:
    Status write() {
        std::sort(lines_.begin(), lines_.end(), is_before);
        paths_.push_back(fmt::format("{}/sorted-{}", folder_, paths_.size()));
        std::ofstream file(paths_.back(), std::ios::binary | std::ios::trunc);
        for (const Line& line : lines_) {
            file << line.order << ' ' << line.text << '\n';
        }
        lines_.clear();
        bytes_ = 0;
        return file.flush() ? Status()
                            : fail("tree.sort",
                                   fmt::format("{} cannot be written", paths_.back()),
                                   "make room on its disk");
    }

    std::string folder_;
    std::vector<std::string> paths_;
    std::vector<Line> lines_;
    std::size_t bytes_ = 0;
    std::uint64_t order_ = 0;
};

bool is_removal(const std::string& line) {
    return line.ends_with(R"(,"removed":true})");
}

// Merges sorted runs: of each path the last line is written, unless it is a removal.
void merge(RunList heap, std::ostream& output) {
    const auto is_behind = [](const auto& left, const auto& right) {
        return is_before(right->line(), left->line());
    };
    std::erase_if(heap, [](const auto& run) { return run->is_over(); });
    std::make_heap(heap.begin(), heap.end(), is_behind);
    Line kept;
    const auto write_kept = [&] {
        if (!kept.text.empty() && !is_removal(kept.text)) {
            output << kept.text << '\n';
        }
    };
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), is_behind);
        Run& run = *heap.back();
        if (run.line().key() != kept.key()) {
            write_kept();
        }
        std::swap(kept, run.line());
        run.next();
        if (run.is_over()) {
            heap.pop_back();
        } else {
            std::push_heap(heap.begin(), heap.end(), is_behind);
        }
    }
    write_kept();
}

std::string header_line(const ManifestHeader& header) {
    Json line;
    line.set("format", std::string(k_format));
    line.set("version", 1);
    line.set("digest", name_of(header.digest));
    line.set("chunk_bytes", k_chunk_bytes);
    if (is_text(header.root)) {
        line.set("root", header.root);
    } else {
        line.set("root_base64", base64_encode(header.root));
    }
    return line.dump();
}

}  // namespace

Status sort_manifest(const std::vector<std::string>& files,
                     const ManifestHeader& header,
                     const std::string& work_folder,
                     const std::string& output) {
    Runs runs(work_folder);
    for (const std::string& path : files) {
        DRYDOCK_TRY_ASSIGN(auto file, os::open_stream(path));
        std::string line;
        while (std::getline(file, line) && !file.eof()) {  // a last line without end was cut off
            if (const std::size_t key_bytes = key_of(line).size(); key_bytes > 0) {
                DRYDOCK_TRY(runs.add(std::move(line), key_bytes));
            }
        }
    }
    const std::string part = output + ".part";
    std::ofstream sorted(part, std::ios::binary | std::ios::trunc);
    sorted << header_line(header) << '\n';
    merge(runs.take(), sorted);
    std::error_code error;
    if (sorted.flush()) {
        std::filesystem::rename(part, output, error);
    }
    return sorted && !error ? Status()
                            : fail("tree.sort", output + " cannot be written", "make room there");
}

Result<ManifestReader> ManifestReader::open(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(auto file, os::open_stream(path));
    ManifestReader reader(path, std::move(file));
    std::string line;
    std::getline(reader.file_, line);
    reader.number_ = 1;
    const auto header = Json::parse(line);
    if (!header || (*header)["format"] != Json(k_format) || (*header)["version"] != Json(1)
        || (*header)["chunk_bytes"] != Json(k_chunk_bytes)) {
        return reader.broken("it is no manifest of a tree that this version reads");
    }
    const bool is_sha256 = (*header)["digest"] == Json(name_of(DigestKind::sha256));
    reader.header_.digest = is_sha256 ? DigestKind::sha256 : DigestKind::xxh3;
    const auto bytes = base64_decode((*header)["root_base64"].as_string());
    reader.header_.root = (*header)["root"].is_string() ? (*header)["root"].as_string()
                                                        : bytes.value_or(std::string());
    return reader;
}

Result<bool> ManifestReader::next() {
    std::string last = std::move(key_);
    key_.clear();
    if (!std::getline(file_, line_)) {
        return false;
    }
    ++number_;
    key_ = key_of(line_);
    if (key_.empty() || key_ <= last || !line_.ends_with('}')) {
        return broken("the line has no path, or is out of order");
    }
    return true;
}

Result<ManifestEntry> ManifestReader::entry() const {
    auto entry = entry_of(line_);
    return entry ? std::move(entry) : broken(entry.error().message);
}

tl::unexpected<Error> ManifestReader::broken(std::string_view why) const {
    return fail("tree.manifest",
                fmt::format("{}, line {}: {}", path_, number_, why),
                "write the manifest again: drydock manifest FOLDER -o FILE");
}

}  // namespace drydock::mover::tree
