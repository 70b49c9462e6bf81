// Keys of S3 as paths below a folder, and back. Pure.
//
// A key may have parts that no path can have: empty ones, "." and "..", names of more than 255
// bytes, and a key may be the beginning of another one (`a` and `a/b`), where a path would be a
// file and a folder at once. These places are escaped with "%", as "%2F" for a slash, so that every
// key has a path of its own and every such path tells its key.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

// Begins the names of drydock's own files in a folder. No path of a key begins so.
inline constexpr std::string_view k_own_name = "%drydock-";

// Makes the paths of keys that come in bytewise order: each key is seen behind all that it begins
// with.
class KeyPaths {
public:
    // Returns the path of the next key, relative and without "." and "..".
    [[nodiscard]] std::string path_of(const std::string& key);

private:
    std::vector<std::string> beginnings_;  // keys that the last one begins with, and itself
};

// Returns the key of a path. Error: "s3.folder_name" for a "%" that is no escape, which no path of
// a key has.
[[nodiscard]] Result<std::string> key_of_path(std::string_view path);

}  // namespace drydock::mover::s3
