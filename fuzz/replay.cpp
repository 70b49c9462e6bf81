// The driver of a fuzz target in the normal build: gives it every seed, whole and cut in half.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int main(int argc, char** argv) {
    int count = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string seed{std::istreambuf_iterator<char>(file), {}};
            const auto* bytes = reinterpret_cast<const std::uint8_t*>(seed.data());
            LLVMFuzzerTestOneInput(bytes, seed.size());
            LLVMFuzzerTestOneInput(bytes, seed.size() / 2);
            ++count;
        }
    }
    std::printf("%d seeds\n", count);
    return count > 0 ? 0 : 1;
}
