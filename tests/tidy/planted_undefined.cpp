// A signed overflow: UBSan must end this program with a failure.
#include <limits>

int main(int count, char** /*words*/) {
    const volatile int most = std::numeric_limits<int>::max();
    const volatile int sum = most + count;
    return sum == 0 ? 1 : 0;
}
