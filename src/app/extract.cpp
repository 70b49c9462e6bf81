// The commands `drydock extract inspect` and `verify`. The folder extract does the work.
#include "app/extract.h"

#include "app/internal.h"
#include "os/files.h"

namespace drydock::app {
namespace {

constexpr std::size_t k_counts_bytes_max = 16 * 1024 * 1024;  // 10,000 repos take 1 MiB

Result<extract::Counts> read_counts_file(const std::string& path) {
    if (path.empty()) {
        return extract::Counts{};
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, k_counts_bytes_max));
    DRYDOCK_TRY_ASSIGN(const Json json, Json::parse(text));
    return extract::read_counts(json);
}

// The counts are read first: a mistake in them shows before a long file is read.
Result<ExtractVerified>
verify(const std::string& file, const std::string& against, const extract::OnBytes& on_bytes) {
    auto expected = read_counts_file(against);
    if (!expected) {
        return tl::unexpected(expected.error().with_context(against));
    }
    ExtractVerified answer;
    DRYDOCK_TRY_ASSIGN(answer.inspection, extract::inspect(file, on_bytes));
    answer.comparison = extract::compare(answer.inspection, *expected);
    return answer;
}

}  // namespace

AppResult<extract::Inspection> inspect_extract(const std::string& file,
                                               const extract::OnBytes& on_bytes) {
    auto answer = extract::inspect(file, on_bytes);
    if (!answer) {
        return refuse(answer.error(), k_exit_usage);
    }
    return std::move(*answer);
}

AppResult<ExtractVerified> verify_extract(const std::string& file,
                                          const std::string& against,
                                          const extract::OnBytes& on_bytes) {
    auto answer = verify(file, against, on_bytes);
    if (!answer) {
        return refuse(answer.error(), k_exit_usage);
    }
    return std::move(*answer);
}

}  // namespace drydock::app
