// SharedLibrary: a library that is opened when it is needed, and stays until the process ends.
//
// Linked, it would bring its own libraries into every start of the program and of each agent.
#pragma once

#include <string>

namespace drydock::os {

class SharedLibrary {
public:
    // `name` is the file's, as the loader looks it up: "libpq.so.5".
    explicit SharedLibrary(const std::string& name);

    // Sets the pointer to the function of that name; to null if there is none.
    template <class Function>
    void find(const char* name, Function& function) {
        function = reinterpret_cast<Function>(look_up(name));
    }

    // The library, or the first function that was looked for and is not there; else empty.
    [[nodiscard]] const std::string& missing() const { return missing_; }

private:
    [[nodiscard]] void* look_up(const char* name);

    void* handle_;
    std::string missing_;
};

}  // namespace drydock::os
