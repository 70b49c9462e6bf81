// Versions of releases and levels: dotted numbers with an optional suffix ("3.5.16", "3.4",
// "2.0.0-rc1"), or a date ("2020-08-18", "2020-08-18T19-41-00Z"), whose parts are its numbers.
//
// Letters may stand before the first number, with one dot at most: "v1.7-ose",
// "RELEASE.2020-08-18T19-41-00Z". All releases of a system share them. Whoever names a series or a
// bound writes them, too: "v1.7" is in "v1", and not in "1".
//
// Comparison is by number, component by component; a missing component counts as 0. A suffix sorts
// before no suffix: "2.0.0-rc1" < "2.0.0". A suffix that begins with "+" sorts after it, as in
// Debian and Python: "2.0.0" < "2.0.0+local". Letters decide only between versions that are equal
// otherwise. A range is a space-separated list of bounds that must all hold: ">=3.5.0 <3.5.3".
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::model {

class Version {
public:
    static Result<Version> parse(std::string_view text);

    // Returns <0, 0 or >0 if this version is older than, equal to, or newer than `right`.
    [[nodiscard]] int compare(const Version& right) const;
    // True if the letters and every component of the prefix are equal: "3.5.16" is in "3.5". A
    // prefix with as many components, or with a suffix, is a whole version and contains only
    // itself.
    [[nodiscard]] bool in_series(const Version& prefix) const;

private:
    std::string letters_;  // before the first number
    std::vector<std::uint64_t> numbers_;
    std::string suffix_;
};

// Compares two version texts. A text that does not parse is compared as text, and sorts before one
// that does.
[[nodiscard]] int compare_versions(std::string_view a, std::string_view b);
[[nodiscard]] bool version_in_series(std::string_view version, std::string_view prefix);

class VersionRange {
public:
    static Result<VersionRange> parse(std::string_view text);  // "" is every version
    [[nodiscard]] bool contains(std::string_view version) const;

private:
    struct Bound {
        std::string relation;  // one of = < <= > >=
        std::string version;
    };

    std::vector<Bound> bounds_;
};

// True if a range, as text, parses and contains the version.
[[nodiscard]] bool version_in_range(std::string_view range, std::string_view version);

}  // namespace drydock::model
