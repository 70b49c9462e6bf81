// A toy member of a cluster, for tests: it serves until SIGTERM, then takes as long to end as
// FOLDER/end_seconds says, else the variable TOY_END_SECONDS. A locked file tells that it serves;
// its events are lines of another file.
//
//   toy_member serve NAME FOLDER    serves, with its files in FOLDER
//   toy_member ready FOLDER         prints "true" if the member of FOLDER serves, else nothing
//   toy_member health FOLDER        the same by its exit code, 0 or 1
//   toy_member convert FOLDER       writes a line in FOLDER/converted, after as many seconds as
//                                   FOLDER/convert_seconds says
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

constexpr int k_exit_wrong_use = 2;

// Appends one line by one write, so that lines of two processes do not mix.
void append_line(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const std::string line = text + " " + std::to_string(::getpid()) + "\n";
    (void)!::write(file, line.data(), line.size());
    ::close(file);
}

std::string release() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path().filename().string();
}

void sleep_seconds(double seconds) {
    ::usleep(static_cast<useconds_t>(seconds * 1e6));
}

double end_seconds(const std::string& folder) {
    const char* by_environment = std::getenv("TOY_END_SECONDS");
    double seconds = std::atof(by_environment != nullptr ? by_environment : "0");
    if (std::ifstream file(folder + "/end_seconds"); file) {
        file >> seconds;
    }
    return seconds;
}

int serve(const std::string& folder) {
    sigset_t end_signals;
    sigemptyset(&end_signals);
    sigaddset(&end_signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &end_signals, nullptr);
    const int serving = ::open((folder + "/serving").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (serving < 0 || ::flock(serving, LOCK_EX) != 0) {
        return 1;
    }
    append_line(folder + "/events", "started " + release());
    int signal = 0;
    sigwait(&end_signals, &signal);
    ::flock(serving, LOCK_UN);
    append_line(folder + "/events", "ending " + release());
    sleep_seconds(end_seconds(folder));
    append_line(folder + "/events", "ended " + release());
    return 0;
}

bool is_serving(const std::string& folder) {
    const int serving = ::open((folder + "/serving").c_str(), O_RDWR | O_CLOEXEC);
    return serving >= 0 && ::flock(serving, LOCK_SH | LOCK_NB) != 0;
}

int ready(const std::string& folder) {
    if (is_serving(folder)) {
        std::puts("true");
    }
    return 0;
}

int convert(const std::string& folder) {
    double seconds = 0;
    std::ifstream(folder + "/convert_seconds") >> seconds;
    sleep_seconds(seconds);
    append_line(folder + "/converted", "converted");
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const std::string verb = count > 1 ? words[1] : "";
    if (verb == "serve" && count == 4) {
        return serve(words[3]);
    }
    if (verb == "ready" && count == 3) {
        return ready(words[2]);
    }
    if (verb == "health" && count == 3) {
        return is_serving(words[2]) ? 0 : 1;
    }
    if (verb == "convert" && count == 3) {
        return convert(words[2]);
    }
    std::fputs("use: toy_member serve NAME FOLDER | ready|health|convert FOLDER\n", stderr);
    return k_exit_wrong_use;
}
