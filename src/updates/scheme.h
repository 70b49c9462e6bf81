// Version schemes: the order of versions in different ecosystems.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::updates {

enum class Scheme {
    semver,  // OpenShift: 4.12.0-rc.1 < 4.12.0; build metadata behind + does not count
    pep440,  // Python: 1!2.0a1.dev3 < 2.0a1 < 2.0 < 2.0.post1; 24.03.0 is 24.3
    debian,  // [epoch:]upstream[-revision]; ~ is older than the end
};

// Returns <0, 0 or >0 if `a` is older than, the same as, or newer than `b`. A text that is no
// version of the scheme is older than every version; two such texts are compared as texts.
[[nodiscard]] int compare(Scheme scheme, std::string_view a, std::string_view b);

// Returns true if the text is a version of the scheme.
[[nodiscard]] bool is_version(Scheme scheme, std::string_view text);

// Returns the versions, oldest first. Of several spellings of one version the first as a text
// stays.
[[nodiscard]] std::vector<std::string> sorted(Scheme scheme, std::vector<std::string> versions);

}  // namespace drydock::updates
