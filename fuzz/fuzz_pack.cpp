// A pack of hostile files: lines "%% NAME" begin each file. Must be refused with a reason, or load.
#include "base/check.h"
#include "files_of.h"
#include "pack/load.h"

#include <cstdint>

using namespace drydock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = pack::read_pack("pack", files_of(text));
    CHECK(loaded.value.has_value() != loaded.diagnostics.has_errors());
    return 0;
}
