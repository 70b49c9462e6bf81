// What could change a module's names although no statement that is followed does.
//
// The reader of assignments follows plain assignments only. Here stand the other ways: the
// namespace itself (globals(), exec), and lists that are changed in place. Each is a doubt: only
// running the file could tell what the name holds in the end.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Doubt {
    int line = 0;  // from 1
    std::string text;
};

// `lists`: names whose value can change in place; any other mention of one is a doubt. With
// `in_class`, they are names of that class, and `other.name` is a mention outside functions.
[[nodiscard]] std::vector<Doubt> find_doubts(std::string_view text,
                                             const std::vector<std::string>& lists,
                                             std::string_view in_class = {});

// Whether Python may read a name with characters beyond ASCII as this one. It reads compatibility
// characters, such as full-width letters, as the plain ones.
[[nodiscard]] bool may_read_as(std::string_view spelled, std::string_view name);

}  // namespace drydock::chain
