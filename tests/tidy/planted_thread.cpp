// A data race: TSan must end this program with a failure.
#include <thread>

int main() {
    int count = 0;
    std::thread other([&] { ++count; });
    ++count;
    other.join();
    return count > 2 ? 1 : 0;
}
