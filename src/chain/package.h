// Package: the files of a wheel, a zip, an sdist or a folder, by their path in it.
//
// Nothing is unpacked to disk. Names that climb out of the package ("../x") are names like all
// others. Limits stop hostile archives; a damaged one is an error, never a shorter list.
#pragma once

#include "base/result.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

using Texts = std::map<std::string, std::string>;  // by path

class Package {
public:
    Package() = default;
    Package(const Package&) = delete;
    Package& operator=(const Package&) = delete;
    virtual ~Package() = default;

    // Returns the paths of all files, sorted, as "a/b/c.py".
    [[nodiscard]] virtual const std::vector<std::string>& paths() const = 0;
    // Returns the texts of these files.
    [[nodiscard]] virtual Result<Texts> read(const std::vector<std::string>& paths) = 0;
};

// Errors: "chain.missing", "chain.archive" (unreadable, damaged, too large), "chain.twice" (a path
// that the archive holds twice).
[[nodiscard]] Result<std::unique_ptr<Package>> open_package(const std::string& path);
// Opens an archive in memory, with the same errors.
[[nodiscard]] Result<std::unique_ptr<Package>> open_archive(std::string bytes);
// Returns a package with exactly these texts.
[[nodiscard]] std::unique_ptr<Package> package_of(Texts texts);

}  // namespace drydock::chain
