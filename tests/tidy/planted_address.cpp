// A read of freed memory: ASan must end this program with a failure.
#include <memory>

int main(int count, char** /*words*/) {
    auto owner = std::make_unique<volatile int>(count);
    const volatile int* const address = owner.get();
    owner.reset();
    return *address == count ? 0 : 1;  // NOLINT(clang-analyzer-cplusplus.NewDelete): planted
}
