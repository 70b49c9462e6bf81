#include "mover/s3/folder_names.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace drydock::mover::s3 {
namespace {

using testing::ElementsAre;

std::vector<std::string> paths_of(std::vector<std::string> keys) {
    std::sort(keys.begin(), keys.end());
    KeyPaths paths;
    std::vector<std::string> result;
    for (const std::string& key : keys) {
        result.push_back(paths.path_of(key));
    }
    return result;
}

TEST(S3FolderNames, LeavesOrdinaryKeysAlone) {
    EXPECT_THAT(paths_of({"a", "b/c", "b/c d/\u00e9", ".hidden"}),
                ElementsAre(".hidden", "a", "b/c", "b/c d/\u00e9"));
}

TEST(S3FolderNames, EscapesWhatAPathCannotHave) {
    EXPECT_THAT(paths_of({"/", "a/", "b//c", ".", "..", "d/../e", "f%2F"}),
                ElementsAre("%2E", "%2E.", "%2F", "a%2F", "b%2F%2Fc", "d/%2E./e", "f%252F"));
}

// `a` is a file, so `a/b` cannot lie below it. A key in between does not hide that.
TEST(S3FolderNames, EscapesBehindAKeyThatIsAFile) {
    EXPECT_THAT(paths_of({"a", "a!x", "a/b", "a/b/c", "a0", "c/d", "c/d/e"}),
                ElementsAre("a", "a!x", "a%2Fb", "a%2Fb%2Fc", "a0", "c/d", "c/d%2Fe"));
}

TEST(S3FolderNames, EveryKeyComesBackFromAPathOfItsOwn) {
    std::vector<std::string> keys;
    keys.emplace_back(1024, 'k');
    keys.emplace_back(700, '%');
    for (const char* end : {".", ".."}) {
        keys.emplace_back(240, 'k').append(end);
    }
    keys.emplace_back("a\0b", 3);
    keys.emplace_back("%drydock-x");
    // All words of up to five of these letters.
    std::vector<std::string> words = {""};
    for (std::size_t i = 0; i < words.size() && words[i].size() < 5; ++i) {
        for (const char letter : {'a', '/', '.', '%'}) {
            words.push_back(words[i] + letter);
        }
    }
    keys.insert(keys.end(), words.begin() + 1, words.end());
    std::sort(keys.begin(), keys.end());
    const std::vector<std::string> paths = paths_of(keys);
    std::set<std::string> files;
    std::set<std::string> folders;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        EXPECT_EQ(key_of_path(paths[i]).value(), keys[i]) << paths[i];
        EXPECT_TRUE(files.insert(paths[i]).second) << paths[i];
        EXPECT_FALSE(paths[i].starts_with(k_own_name));
        std::size_t begin = 0;
        for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
            end = paths[i].find('/', begin);
            const std::string name = paths[i].substr(begin, end - begin);
            EXPECT_TRUE(!name.empty() && name != "." && name != ".." && name.size() <= 255) << name;
            if (end != std::string::npos) {
                folders.insert(paths[i].substr(0, end));
            }
        }
    }
    for (const std::string& folder : folders) {
        EXPECT_FALSE(files.contains(folder)) << folder;
    }
}

TEST(S3FolderNames, RefusesAPercentThatIsNoEscape) {
    for (const char* path : {"%", "a%", "%2", "%zz", "%2f", "100% sure"}) {
        EXPECT_FALSE(key_of_path(path)) << path;
    }
}

}  // namespace
}  // namespace drydock::mover::s3
