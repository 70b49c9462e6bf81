// A hostile cluster file against a good pack. Must be refused with a reason, or load.
#include "base/check.h"
#include "pack/load.h"

#include <cstdint>

using namespace drydock;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto k_pack = pack::load_pack(DRYDOCK_SOURCE_DIR "/tests/bad_input/base");
    CHECK(k_pack.value.has_value());
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = pack::read_cluster("/cluster.yaml", text, *k_pack.value);
    CHECK(loaded.value.has_value() != loaded.diagnostics.has_errors());
    return 0;
}
