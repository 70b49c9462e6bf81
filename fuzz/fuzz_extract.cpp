// Hostile extract files. The first byte chooses: a file as it is, records that are framed here, or
// one op. Framing computes the right checksums, which random bytes do not have.
#include "base/check.h"
#include "extract/inspect.h"
#include "extract/test_stream.h"

#include <cstdint>

using namespace drydock;

namespace {

extract::Inspection inspect(std::string_view bytes) {
    extract::MemorySource source(bytes);
    const auto inspection = extract::inspect_source(source);
    if (!inspection) {
        CHECK(inspection.error().code == "extract.not_snappy");
        return {};
    }
    return *inspection;
}

// However a stream is cut into chunks, it holds the same.
void inspect_records(std::string_view bytes) {
    const auto large = inspect(extract::framed(bytes));
    const auto small = inspect(extract::framed(bytes, 5));
    CHECK(large.ops == small.ops);
    CHECK(large.kinds == small.kinds);
    CHECK(large.stream_bytes == small.stream_bytes);
    CHECK(large.damage.has_value() == small.damage.has_value());
    CHECK(large.is_sound() == small.is_sound());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
    case 'r':
        inspect_records(rest);
        break;
    case 'o':
        inspect_records(extract::record(rest));
        break;
    default:
        (void)inspect(rest);
    }
    return 0;
}
