// Copies by several processes, which are threads here: a team whose messages go through queues.
#include "mover/tree/copy.h"
#include "mover/tree/dealer.h"
#include "mover/tree/helper.h"
#include "mover/tree/team.h"
#include "mover/tree/verify.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <thread>

namespace drydock::mover::tree {
namespace {

namespace fs = std::filesystem;

// The post of all members.
struct Post {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::deque<Message>> boxes;
};

class Member final : public Team {
public:
    Member(Post& post, std::size_t rank) : post_(post), rank_(rank) {}

    [[nodiscard]] std::size_t size() const override { return post_.boxes.size(); }

    [[nodiscard]] std::size_t rank() const override { return rank_; }

    [[nodiscard]] std::string host() const override { return fmt::format("host{}", rank_); }

    void send(std::size_t rank, std::string bytes) override {
        const std::lock_guard lock(post_.mutex);
        post_.boxes.at(rank).push_back({rank_, std::move(bytes)});
        post_.changed.notify_all();
    }

    std::optional<Message> receive(std::chrono::milliseconds within) override {
        std::unique_lock lock(post_.mutex);
        auto& box = post_.boxes.at(rank_);
        if (!post_.changed.wait_for(lock, within, [&] { return !box.empty(); })) {
            return {};
        }
        Message message = std::move(box.front());
        box.pop_front();
        return message;
    }

    void give_up() override {}

private:
    Post& post_;
    std::size_t rank_;
};

class TeamCopy : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = "/tmp/drydock-team-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        fs::create_directory(folder_ + "/source");
    }

    void TearDown() override { fs::remove_all(folder_); }

    void write(const std::string& path, const std::string& bytes) const {
        const std::string whole = folder_ + "/source/" + path;
        fs::create_directories(fs::path(whole).parent_path());
        std::ofstream(whole, std::ios::binary) << bytes;
    }

    void make_files() const {
        for (int number = 0; number < 1'000; ++number) {
            write(fmt::format("f{}/n{}", number % 7, number), fmt::format("content {}", number));
        }
        write("large", std::string(static_cast<std::size_t>(k_chunk_bytes) * 3 + 5, 'x'));
        fs::create_hard_link(folder_ + "/source/f1/n1", folder_ + "/source/f2/second name");
        fs::create_symlink("nowhere", folder_ + "/source/link");
    }

    [[nodiscard]] CopyRequest request() const {
        CopyRequest request;
        request.source = folder_ + "/source";
        request.target = folder_ + "/target";
        request.state_folder = folder_ + "/state";
        return request;
    }

    // A copy by so many members.
    static Result<CopyReport> copy(CopyRequest request, std::size_t members) {
        Post post;
        post.boxes.resize(members);
        std::vector<std::jthread> helpers;
        for (std::size_t rank = 1; rank < members; ++rank) {
            helpers.emplace_back([&post, rank] {
                Member member(post, rank);
                help(member, {});
            });
        }
        Member first(post, 0);
        request.team = &first;
        auto copied = copy_tree(request);
        end_help(first);
        return copied;
    }

    [[nodiscard]] bool is_same() const {
        return std::system(
                   fmt::format("diff -r --no-dereference {0}/source {0}/target", folder_).c_str())
               == 0;
    }

    std::string folder_;
};

TEST_F(TeamCopy, IsWhole) {
    make_files();
    CopyRequest wanted = request();
    wanted.manifest = folder_ + "/manifest";
    const auto copied = copy(wanted, 3);
    ASSERT_TRUE(copied) << copied.error().text();
    EXPECT_TRUE(copied->is_whole());
    EXPECT_EQ(copied->files, 1'002);
    EXPECT_EQ(copied->copied, 1'001);
    EXPECT_EQ(copied->names, 1);
    EXPECT_TRUE(is_same());
    ASSERT_EQ(copied->ranks.size(), 3U);
    EXPECT_EQ(copied->ranks[1].host, "host1");
    EXPECT_GT(copied->ranks[1].files + copied->ranks[2].files, 0);
    ManifestRequest seen;
    seen.source = wanted.target;
    seen.output = folder_ + "/seen";
    seen.state_folder = folder_ + "/seen-state";  // the copy's own still has its lines
    ASSERT_TRUE(write_manifest(seen));
    const auto compared = compare_manifests(wanted.manifest, seen.output);
    ASSERT_TRUE(compared);
    EXPECT_TRUE(compared->is_equal());
}

TEST_F(TeamCopy, ChunksOfOneFileAreCopiedByAll) {
    write("large", std::string(static_cast<std::size_t>(k_chunk_bytes) * 20, 'y'));
    const auto copied = copy(request(), 3);
    ASSERT_TRUE(copied) << copied.error().text();
    EXPECT_TRUE(is_same());
    EXPECT_GT(copied->ranks[1].bytes, 0);
    EXPECT_GT(copied->ranks[2].bytes, 0);
}

// Two releases might tell each other something else by the same bytes.
TEST_F(TeamCopy, AnotherReleaseAtAHelperIsRefused) {
    write("file", "content");
    Post post;
    post.boxes.resize(2);
    Member first(post, 0);
    CopyRequest wanted = request();
    wanted.team = &first;
    Member second(post, 1);
    second.send(0, PacketWriter().number(0).text("0.0.1").text("host1").text("boot").take());
    const auto copied = copy_tree(wanted);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, "tree.rank");
    EXPECT_NE(copied.error().message.find("rank 1 on host1 is drydock 0.0.1"), std::string::npos);
}

}  // namespace
}  // namespace drydock::mover::tree
