// The ways to change a module's names that no followed statement shows.
//
// The reader of assignments follows plain assignments only. Two other ways are found here: the
// namespace itself (globals(), exec), and lists that are changed in place. Each one is a doubt, as
// only running the file could tell the final value of the name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Doubt {
    int line = 0;  // from 1
    std::string text;
};

// Returns the doubts of a text. `lists` are names with a value that can change in place; any other
// mention of one is a doubt. With `in_class` they are names of that class, and `other.name` counts
// as a mention outside of functions.
[[nodiscard]] std::vector<Doubt> find_doubts(std::string_view text,
                                             const std::vector<std::string>& lists,
                                             std::string_view in_class = {});

// Returns true if Python may read `spelled`, which has characters beyond ASCII, as `name`. It reads
// compatibility characters, such as full-width letters, as the plain ones.
[[nodiscard]] bool may_read_as(std::string_view spelled, std::string_view name);

}  // namespace drydock::chain
