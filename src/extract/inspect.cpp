// Reads a stream once: records from frames, frames from the source, and counts each record.
//
// The digest covers the whole file only if the stream was read to its end. After damage the rest is
// read for the digest alone, so that two copies of a damaged file can be compared.
#include "extract/inspect.h"

#include "extract/census.h"
#include "extract/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace drydock::extract {

namespace {

constexpr std::size_t k_drain_bytes = 64 * 1024;
constexpr std::int64_t k_progress_bytes = 1 << 20;

bool is_damage(const Error& error) {
    return error.code.starts_with("extract.") && error.code != "extract.not_snappy";
}

class Inspector {
public:
    Inspector(ByteSource& source, Inspection& inspection)
        : frames_(source)
        , records_(frames_)
        , census_(inspection)
        , inspection_(inspection) {}

    // Counts all records, or those before the damage. Returns other errors.
    Status run(const std::function<void()>& on_op) {
        Status status;
        bool is_end = false;
        while (status && !is_end) {
            status = step(is_end);
            on_op();
        }
        keep(status);
        keep(census_.finish());
        inspection_.stream_bytes = records_.bytes();
        return inspection_.damage || status ? Status{} : status;
    }

private:
    Status step(bool& is_end) {
        DRYDOCK_TRY_ASSIGN(const auto record, records_.next());
        is_end = !record;
        return record ? census_.add(*record) : Status{};
    }

    void keep(const Status& status) {
        if (status || inspection_.damage || !is_damage(status.error())) {
            return;
        }
        const Error& error = status.error();
        // An op that was read and not understood is counted; one that was cut off is not.
        const bool is_counted = error.code == "extract.protobuf";
        inspection_.damage = Damage{
            error.code,
            is_counted ? fmt::format("op {}: {}", inspection_.ops, error.message) : error.message,
            error.remedy,
            inspection_.ops + (is_counted ? 0 : 1),
            frames_.chunk_offset()};
    }

    FrameReader frames_;
    RecordReader records_;
    Census census_;
    Inspection& inspection_;
};

// A file of `pachctl extract` has the repo of the specs at least.
void note_empty(Inspection& inspection) {
    if (inspection.ops == 0 && !inspection.damage) {
        inspection.damage = Damage{"extract.truncated",
                                   "the file holds no op at all",
                                   "take another copy, or extract again",
                                   1,
                                   0};
    }
}

Status drain(FileSource& source) {
    std::array<char, k_drain_bytes> bytes{};
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const std::size_t count, source.read(bytes.data(), bytes.size()));
        if (count == 0) {
            return {};
        }
    }
}

// A file that grows is still being written: its counts are those of some moment.
Status note_changes(const FileSource& source, Inspection& inspection) {
    DRYDOCK_TRY_ASSIGN(const std::int64_t size, source.size_now());
    if (size != source.size_at_open() || size != source.bytes_read()) {
        inspection.damage = Damage{"extract.changing",
                                   "the file changed while it was read",
                                   "wait until `pachctl extract` has ended",
                                   inspection.ops,
                                   source.bytes_read()};
    }
    return {};
}

}  // namespace

bool Inspection::has_findings() const {
    return std::any_of(
        findings.begin(), findings.end(), [](const Finding& finding) { return finding.count > 0; });
}

Result<Inspection> inspect_source(ByteSource& source) {
    Inspection inspection;
    DRYDOCK_TRY(Inspector(source, inspection).run([] {}));
    note_empty(inspection);
    return inspection;
}

Result<Inspection> inspect(const std::string& path, const OnBytes& on_bytes) {
    DRYDOCK_TRY_ASSIGN(FileSource source, FileSource::open(path));
    Inspection inspection;
    std::int64_t told = 0;
    const auto on_op = [&] {
        if (on_bytes && source.bytes_read() - told >= k_progress_bytes) {
            told = source.bytes_read();
            on_bytes(told, source.size_at_open());
        }
    };
    if (auto read = Inspector(source, inspection).run(on_op); !read) {
        return tl::unexpected(read.error().with_context(path));
    }
    DRYDOCK_TRY(drain(source));
    note_empty(inspection);
    DRYDOCK_TRY(note_changes(source, inspection));
    inspection.file = path;
    inspection.file_bytes = source.bytes_read();
    inspection.sha256 = source.sha256_hex();
    return inspection;
}

}  // namespace drydock::extract
