// Every folder is in exactly one place, whenever the move is ended; nothing moves where something
// stands in the way.
#include "base/hash.h"
#include "mover/rename/move.h"
#include "mover/rename/move_journal.h"
#include "mover/rename/move_list.h"
#include "mover/rename/placer.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace drydock::mover::rename {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// The ids spread over the directories as random ones do.
Id id_of(int number, const char* kind) {
    const Digest digest = sha256(fmt::format("{} {}", kind, number));
    Id id{};
    std::copy_n(digest.begin(), id.size(), id.begin());
    return id;
}

class Volumes : public testing::Test {
public:
    Volumes() {
        std::string pattern = (fs::temp_directory_path() / "drydock-move-XXXXXX").string();
        scratch = mkdtemp(pattern.data());
        fs::create_directory(scratch + "/volume");
        request = {scratch + "/volume", scratch + "/list", scratch + "/volume.drydock", 7};
    }

    ~Volumes() override { fs::remove_all(scratch); }

    static Id folder(int number) { return id_of(number, "folder"); }

    static Id scope(int number) { return id_of(number % 5, "scope"); }

    [[nodiscard]] std::string old_path(int number) const {
        return request.root + "/" + FolderPath(folder(number)).whole();
    }

    [[nodiscard]] std::string new_path(int number) const {
        return request.root + "/" + hex_of(scope(number)) + "/"
               + FolderPath(folder(number)).whole();
    }

    static void make(const std::string& path) {
        fs::create_directories(path);
        std::ofstream(path + "/content") << path.substr(path.size() - k_rest_digits);
    }

    // A volume of layout 2 with this many folders, and its list.
    void fill(int folders) {
        std::ofstream list(request.list);
        for (int i = 0; i < folders; ++i) {
            make(old_path(i));
            list << hex_of(folder(i)) << "|user:" << hex_of(scope(i)) << "\n";
        }
        count = folders;
    }

    // How many are in their old and new places, with their content; each must be in one.
    [[nodiscard]] std::pair<int, int> places() const {
        std::pair<int, int> found;
        for (int i = 0; i < count; ++i) {
            const bool is_old = fs::exists(old_path(i) + "/content");
            const bool is_new = fs::exists(new_path(i) + "/content");
            EXPECT_NE(is_old, is_new) << old_path(i);
            found.first += is_old ? 1 : 0;
            found.second += is_new ? 1 : 0;
        }
        return found;
    }

    // Runs `work` in a process of its own, which ends before or after a record.
    template <class Work>
    bool is_killed_at(int record, const char* moment, Work work) const {
        const pid_t child = fork();
        if (child == 0) {
            setenv("DRYDOCK_MOVE_CRASH", fmt::format("{}:{}", record, moment).c_str(), 1);
            _exit(work(request) ? 0 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << record << moment;
        return WIFSIGNALED(status);
    }

    [[nodiscard]] std::string version() const {
        return os::read_file(request.root + "/version.txt", 64).value_or("none");
    }

    std::string scratch;
    MoveRequest request;
    int count = 0;
};

TEST_F(Volumes, MovesThereAndBack) {
    fill(40);
    const MoveReport there = move(request).value();
    EXPECT_EQ(there.moved, 40);
    EXPECT_TRUE(there.is_done);
    EXPECT_EQ(places(), std::pair(0, 40));
    EXPECT_EQ(version(), "3\n");
    const MoveReport back = move_back(request).value();
    EXPECT_EQ(back.moved, 40);
    EXPECT_EQ(places(), std::pair(40, 0));
    EXPECT_EQ(version(), "none");
    EXPECT_FALSE(fs::exists(request.root + "/" + hex_of(scope(0))));
    EXPECT_EQ(move_back(request).error().code, "rename.nothing");
}

TEST_F(Volumes, LooksWithoutChangingAnything) {
    fill(9);
    const MoveReport seen = look(request).value();
    EXPECT_EQ(seen.folders, 9);
    EXPECT_EQ(places(), std::pair(9, 0));
    EXPECT_FALSE(fs::exists(request.folder));
}

TEST_F(Volumes, GoesOnAfterAKillAtEachRecord) {
    fill(20);
    for (const char* moment : {"before", "after"}) {
        for (int record = 1; is_killed_at(record, moment, move); ++record) {
            (void)places();
            ASSERT_LT(record, 100);
            const auto again = move(request);
            ASSERT_TRUE(again) << again.error().text();
            EXPECT_TRUE(again->is_done);
            EXPECT_EQ(places(), std::pair(0, 20));
            ASSERT_TRUE(move_back(request));
        }
        EXPECT_TRUE(move_back(request));
    }
    EXPECT_EQ(places(), std::pair(20, 0));
}

// Each call does one batch and pauses, there and back.
TEST_F(Volumes, PausesBehindEachBatchAndGoesOn) {
    fill(20);
    request.is_to_stop = [] { return true; };
    for (const auto& [work, end] : {std::pair(&move, 20), std::pair(&move_back, 0)}) {
        for (int pause = 1; pause <= 2; ++pause) {  // of 7 folders each
            const auto paused = work(request);
            ASSERT_FALSE(paused);
            EXPECT_EQ(paused.error().code, "rename.paused");
            EXPECT_EQ(places().second, end == 0 ? 20 - 7 * pause : 7 * pause);
        }
        const auto report = work(request);
        ASSERT_TRUE(report) << report.error().text();
        EXPECT_TRUE(report->is_done);
        EXPECT_EQ(places().second, end);
    }
}

TEST_F(Volumes, GoesBackAfterAKillAtEachRecord) {
    fill(20);
    for (const char* moment : {"before", "after"}) {
        int record = 1;
        bool is_killed = true;
        for (; is_killed; ++record) {
            ASSERT_LT(record, 100);
            ASSERT_TRUE(move(request));
            // Records count from the first record of the journal, that of the move.
            is_killed = is_killed_at(record + 6, moment, move_back);
            (void)places();
            const auto again = move_back(request);
            ASSERT_TRUE(again || again.error().code == "rename.nothing") << again.error().text();
            EXPECT_EQ(places(), std::pair(20, 0));
            EXPECT_EQ(version(), "none");
        }
        EXPECT_GT(record, 4);
    }
}

// A kill between any two system calls. Where it strikes differs from run to run; the seed of the
// delays does not.
TEST_F(Volumes, LosesNothingInKillsAtRandomInstants) {
    fill(600);
    std::mt19937 delays(20260);  // NOLINT: the same in each run
    int killed = 0;
    for (int round = 0; round < 60; ++round) {
        const bool goes_back = round % 3 == 2;
        const pid_t child = fork();
        if (child == 0) {
            _exit(goes_back ? (move_back(request) ? 0 : 1) : (move(request) ? 0 : 1));
        }
        usleep(static_cast<useconds_t>(delays() % 12'000));
        kill(child, SIGKILL);
        int status = 0;
        waitpid(child, &status, 0);
        killed += WIFSIGNALED(status) ? 1 : 0;
        const auto [old_places, new_places] = places();
        ASSERT_EQ(old_places + new_places, 600) << "round " << round;
    }
    EXPECT_GT(killed, 10);
    if (const auto forward = move(request); !forward) {
        EXPECT_EQ(forward.error().code, "rename.goes_back");
        ASSERT_TRUE(move_back(request));
        ASSERT_TRUE(move(request));
    }
    EXPECT_EQ(places(), std::pair(0, 600));
    EXPECT_EQ(version(), "3\n");
    ASSERT_TRUE(move_back(request));
    EXPECT_EQ(places(), std::pair(600, 0));
}

TEST_F(Volumes, GoesBackFromTheMiddle) {
    fill(20);
    ASSERT_TRUE(is_killed_at(3, "after", move));
    EXPECT_EQ(places(), std::pair(13, 7));
    EXPECT_EQ(move_back(request).value().moved, 7);
    EXPECT_EQ(places(), std::pair(20, 0));
}

TEST_F(Volumes, RefusesCollisionsAndLinksAndFolders) {
    fill(6);
    make(new_path(1));
    fs::rename(old_path(2), old_path(2) + "x");
    std::ofstream(old_path(2)) << "a file";
    make(request.root + "/" + hex_of(scope(4)) + "/" + FolderPath(folder(3)).whole());
    make(old_path(77));
    const MoveReport refused = move(request).value();
    EXPECT_TRUE(refused.is_refused);
    EXPECT_EQ(refused.moved, 0);
    const auto found = [&](FindingKind kind) { return refused.findings.of(kind).paths; };
    EXPECT_THAT(found(FindingKind::collision),
                ElementsAre(new_path(1).substr(request.root.size() + 1)));
    EXPECT_THAT(found(FindingKind::not_directory), ElementsAre(FolderPath(folder(2)).whole()));
    EXPECT_EQ(found(FindingKind::elsewhere).size(), 1U);
    EXPECT_THAT(found(FindingKind::unlisted), ElementsAre(FolderPath(folder(77)).whole()));
    EXPECT_THAT(found(FindingKind::other), ElementsAre(HasSubstr("x")));
    EXPECT_TRUE(fs::exists(old_path(0)));
    EXPECT_EQ(version(), "none");
}

TEST_F(Volumes, LeavesUnlistedFoldersWhenTold) {
    fill(6);
    make(old_path(77));
    EXPECT_TRUE(move(request).value().is_refused);
    request.leaves_unlisted = true;
    EXPECT_EQ(move(request).value().moved, 6);
    EXPECT_TRUE(fs::exists(old_path(77)));
}

// The guide's script was stopped half-way: some folders are in their new place.
TEST_F(Volumes, TakesOverHalfAMove) {
    fill(10);
    fs::create_directories(fs::path(new_path(3)).parent_path());
    fs::rename(old_path(3), new_path(3));
    std::ofstream(request.root + "/version.txt") << "3\n";
    const MoveReport report = move(request).value();
    EXPECT_EQ(report.in_place, 1);
    EXPECT_EQ(report.moved, 9);
    EXPECT_EQ(move_back(request).value().moved, 9);
    EXPECT_EQ(places(), std::pair(9, 1));
    EXPECT_EQ(version(), "3\n");
}

TEST_F(Volumes, KeepsAFolderThatMetItsNameLater) {
    fill(20);
    ASSERT_TRUE(is_killed_at(3, "after", move));
    const auto plan = MoveJournal::open(request.folder, false)->plan().value();
    const std::string late = request.root + "/" + hex_of(plan.moves.back().scope) + "/"
                             + FolderPath(plan.moves.back().folder).whole();
    fs::create_directories(late);
    const MoveReport report = move(request).value();
    EXPECT_EQ(report.blocked, 1);
    EXPECT_FALSE(report.is_done);
    EXPECT_EQ(version(), "none");
    fs::remove(late);
    EXPECT_TRUE(move(request).value().is_done);
    EXPECT_EQ(places(), std::pair(0, 20));
}

TEST_F(Volumes, NamesFoldersThatAreGone) {
    fill(20);
    ASSERT_TRUE(is_killed_at(2, "after", move));
    const auto plan = MoveJournal::open(request.folder, false)->plan().value();
    fs::remove_all(request.root + "/" + FolderPath(plan.moves.back().folder).whole());
    const MoveReport report = move(request).value();
    EXPECT_EQ(report.vanished, 1);
    EXPECT_TRUE(report.is_done);
}

TEST_F(Volumes, GoesBackOnlyIfNothingIsNewer) {
    fill(8);
    ASSERT_TRUE(move(request));
    make(request.root + "/" + hex_of(scope(0)) + "/" + FolderPath(folder(50)).whole());
    const MoveReport refused = move_back(request).value();
    EXPECT_TRUE(refused.is_refused);
    EXPECT_EQ(refused.findings.of(FindingKind::newer).count, 1);
    EXPECT_EQ(places(), std::pair(0, 8));
    request.leaves_unlisted = true;
    EXPECT_EQ(move_back(request).value().moved, 8);
    EXPECT_EQ(places(), std::pair(8, 0));
}

TEST_F(Volumes, FinishClosesTheWayBack) {
    fill(8);
    EXPECT_EQ(finish(request).error().code, "rename.nothing");
    ASSERT_TRUE(is_killed_at(2, "after", move));
    EXPECT_EQ(finish(request).error().code, "rename.unfinished");
    ASSERT_TRUE(move(request));
    EXPECT_EQ(finish(request).value().removed, 16);
    EXPECT_EQ(places(), std::pair(0, 8));
    EXPECT_EQ(move_back(request).error().code, "rename.nothing");
}

TEST_F(Volumes, RefusesAnotherVolumeAndADamagedJournal) {
    fill(8);
    ASSERT_TRUE(is_killed_at(2, "after", move));
    MoveRequest other = request;
    other.root = scratch + "/other";
    fs::create_directory(other.root);
    EXPECT_EQ(move(other).error().code, "rename.journal");
    std::string text = os::read_file(request.folder + "/vfolders.journal", 4096).value();
    text[20] ^= 1;
    ASSERT_TRUE(os::write_file_durable(request.folder + "/vfolders.journal", text));
    EXPECT_EQ(move(request).error().code, "rename.journal");
    EXPECT_EQ(places(), std::pair(8, 0));
}

// Its owner could swap directories for links while root walks there.
TEST_F(Volumes, OfSomebodyElseAreNotForRoot) {
    constexpr uid_t k_somebody = 65'534;
    if (geteuid() != 0) {
        GTEST_SKIP() << "only root can give a directory away";
    }
    fill(8);
    ASSERT_EQ(chown(request.root.c_str(), k_somebody, k_somebody), 0);
    const auto refused = move(request);
    EXPECT_EQ(refused.error().code, "rename.owner");
    EXPECT_THAT(refused.error().remedy, HasSubstr("sudo -u NAME"));
    ASSERT_EQ(chown(request.root.c_str(), 0, 0), 0);
    const std::string first = request.root + "/" + hex_of(scope(0));
    fs::create_directory(first);
    ASSERT_EQ(chown(first.c_str(), k_somebody, k_somebody), 0);
    const auto told = move(request);
    ASSERT_TRUE(told);
    EXPECT_TRUE(told->is_refused);
    EXPECT_EQ(told->findings.of(FindingKind::owner).count, 1);
    EXPECT_EQ(places(), std::pair(8, 0));  // nothing moved
    ASSERT_EQ(chown(first.c_str(), 0, 0), 0);
    EXPECT_TRUE(move(request)->is_done);
}

// A journal that another user's link leads elsewhere would be written there.
TEST_F(Volumes, KeepNoJournalBehindALink) {
    fill(8);
    fs::create_directory(scratch + "/elsewhere");
    fs::create_directory_symlink(scratch + "/elsewhere", request.folder);
    EXPECT_EQ(move(request).error().code, "rename.journal");
    EXPECT_TRUE(fs::is_empty(scratch + "/elsewhere"));
    EXPECT_EQ(places(), std::pair(8, 0));
}

TEST_F(Volumes, RefusesAPlanThatChanged) {
    fill(8);
    ASSERT_TRUE(is_killed_at(2, "after", move));
    std::string plan = os::read_file(request.folder + "/vfolders.plan", 4096).value();
    plan[5] ^= 1;
    ASSERT_TRUE(os::write_file_durable(request.folder + "/vfolders.plan", plan));
    EXPECT_EQ(move(request).error().code, "rename.journal");
}

// A journal that asks for more memory than there is says no more than a plan of another size.
TEST_F(Volumes, RefusesCountsThatAreNotThePlans) {
    fill(8);
    ASSERT_TRUE(is_killed_at(2, "after", move));
    const std::string path = request.folder + "/vfolders.journal";
    const std::string whole = os::read_file(path, 4096).value();
    for (const char* moves : {"7", "9", "1099511627776", "9007199254740991"}) {
        std::string record = whole.substr(0, whole.find('\n') - 17);
        const std::string own = R"("moves":8)";
        record.replace(record.find(own), own.size(), fmt::format(R"("moves":{})", moves));
        const auto* bytes = reinterpret_cast<const std::uint8_t*>(record.data());
        const std::string sum = fmt::format("{:016x}", xxh3({bytes, record.size()}));
        ASSERT_TRUE(os::write_file_durable(path, fmt::format("{} {}\n", record, sum)));
        const auto refused = move(request);
        ASSERT_FALSE(refused) << moves;
        EXPECT_THAT(refused.error().message, HasSubstr("another size"));
    }
}

TEST_F(Volumes, CutsOffARecordThatIsNotWhole) {
    fill(8);
    ASSERT_TRUE(is_killed_at(2, "after", move));
    std::ofstream(request.folder + "/vfolders.journal", std::ios::app) << R"({"kind":"mo)";
    EXPECT_TRUE(move(request).value().is_done);
}

TEST_F(Volumes, RefusesAVolumeThatIsAnotherOne) {
    fill(3);
    for (int i = 0; i < 3; ++i) {
        fs::remove_all(old_path(i));
    }
    EXPECT_EQ(move(request).error().code, "rename.list");
    EXPECT_EQ(version(), "none");
    std::ofstream(request.root + "/version.txt") << "4\n";
    EXPECT_EQ(move(request).error().code, "rename.version");
}

TEST(MoveList, ReadsWhatPsqlPrints) {
    std::istringstream in("# id, scope\n"
                          "12345678-9abc-def0-1234-56789abcdef0|user:00000000-0000-0000-0000-"
                          "000000000001\n\n"
                          "ffffffffffffffffffffffffffffffff\tproject:"
                          "00000000000000000000000000000002\r\n"
                          "ffffffffffffffffffffffffffffffff 00000000000000000000000000000002\n");
    const auto moves = read_move_list(in, "list").value();
    ASSERT_EQ(moves.size(), 2U);
    EXPECT_EQ(hex_of(moves[0].folder), "123456789abcdef0123456789abcdef0");
    EXPECT_EQ(moves[1].scope[15], 2);
}

TEST(MoveList, NamesTheLineThatIsWrong) {
    const std::string id(32, 'a');
    for (const std::string& line :
         {id, id + "|", "x|" + id, id + "|" + id + "0", std::string(999, 'a')}) {
        std::istringstream in("\n" + line + "\n");
        const auto error = read_move_list(in, "list").error();
        EXPECT_EQ(error.code, "rename.list");
        EXPECT_THAT(error.message, HasSubstr("list:2:"));
    }
    std::istringstream twice(id + "|" + id + "\n" + id + "|" + std::string(32, 'b') + "\n");
    EXPECT_THAT(read_move_list(twice, "list").error().message, HasSubstr("has two scopes"));
    std::istringstream empty("# nothing\n");
    EXPECT_EQ(read_move_list(empty, "list").error().code, "rename.list");
}

TEST(Mounts, BelowTheVolumeAreRefused) {
    const std::string line = "36 35 98:0 / /srv/a\\040b/aa rw - ext4 /dev/x rw\n";
    EXPECT_EQ(check_mounts(line, "/srv/a b").error().code, "rename.mounted");
    EXPECT_TRUE(check_mounts(line, "/srv/a b/aa"));
    EXPECT_TRUE(check_mounts(line, "/srv/a"));
}

}  // namespace
}  // namespace drydock::mover::rename
