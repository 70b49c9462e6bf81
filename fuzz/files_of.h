// Several files in one input: a line "%% NAME" begins each.
#pragma once

#include "base/text.h"

#include <map>
#include <string>
#include <string_view>

namespace drydock {

inline std::map<std::string, std::string> files_of(std::string_view text) {
    std::map<std::string, std::string> files;
    std::string* current = nullptr;
    for (const std::string& line : split(text, '\n')) {
        if (line.substr(0, 3) == "%% ") {
            current = &files[line.substr(3)];
        } else if (current != nullptr) {
            *current += line + "\n";
        }
    }
    return files;
}

}  // namespace drydock
