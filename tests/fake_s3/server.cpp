// A process around the fake S3 server, for tests of the whole program.
//
// fake_s3_server FOLDER OBJECTS COPY_MS serves until its standard input ends. The bucket `from` has
// that many objects, and each copy takes that long. Files in FOLDER:
//
// | file     | means                                             |
// | endpoint | written once the server listens                   |
// | copied   | the key of each object that is copied, one a line |
// | hang     | made by a test: no request is answered meanwhile  |
// | fast     | made by a test: a copy takes no time              |
#include "fake_s3/fake_s3.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace {

using std::chrono::milliseconds;

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

// Called for each request, under the server's lock: one copy comes after the other.
fake_s3::Fault
on_request(const std::string& folder, milliseconds copy_time, const fake_s3::Request& request) {
    while (exists(folder + "/hang")) {
        std::this_thread::sleep_for(milliseconds(10));
    }
    const bool is_object = request.bucket == "to" && request.key.starts_with('k');
    if (is_object && request.headers.contains("x-amz-copy-source")) {
        if (!exists(folder + "/fast")) {
            std::this_thread::sleep_for(copy_time);
        }
        std::ofstream(folder + "/copied", std::ios::app) << request.key << "\n";
    }
    return fake_s3::Fault::none;
}

void wait_for_end_of_input() {
    char byte = 0;
    while (::read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        return 2;
    }
    const std::string folder = argv[1];
    const milliseconds copy_time(std::atoi(argv[3]));
    fake_s3::FakeS3 server;
    server.with("to", [](fake_s3::Bucket&) {});
    for (int i = 0; i < std::atoi(argv[2]); ++i) {
        server.put("from", fmt::format("k{:05}", i), std::string(1'000, 'x'));
    }
    server.fault = [&](const fake_s3::Request& request) {
        return on_request(folder, copy_time, request);
    };
    std::ofstream(folder + "/endpoint.new") << server.endpoint();
    std::filesystem::rename(folder + "/endpoint.new", folder + "/endpoint");
    wait_for_end_of_input();
    _exit(0);  // threads may hang in a request
}
