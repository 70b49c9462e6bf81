// A pack of hostile files: lines "%% NAME" begin each file. Must be refused with a reason, or load.
#include "base/check.h"
#include "base/text.h"
#include "pack/pack.h"

#include <cstdint>

using namespace drydock;

namespace {

std::map<std::string, std::string> files_of(std::string_view text) {
    std::map<std::string, std::string> files;
    std::string* current = nullptr;
    for (const std::string& line : split(text, '\n')) {
        if (line.substr(0, 3) == "%% ") {
            current = &files[line.substr(3)];
        } else if (current != nullptr) {
            *current += line + "\n";
        }
    }
    return files;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = pack::read_pack("pack", files_of(text));
    CHECK(loaded.value.has_value() != loaded.diagnostics.has_errors());
    return 0;
}
