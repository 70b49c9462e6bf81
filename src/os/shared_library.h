// SharedLibrary: a library that is opened at its first use and stays until the process ends.
//
// A linked library would be loaded, with its own dependencies, at every start of the program and of
// each agent.
#pragma once

#include <string>

namespace drydock::os {

class SharedLibrary {
public:
    // Opens the library; `name` is the file name for the loader: "libpq.so.5".
    explicit SharedLibrary(const std::string& name);

    // Sets the pointer to the function of that name, or to null if there is none.
    template <class Function>
    void find(const char* name, Function& function) {
        function = reinterpret_cast<Function>(look_up(name));
    }

    // Returns the name of the library or of the first function that is missing; empty if all are
    // there.
    [[nodiscard]] const std::string& missing() const { return missing_; }

private:
    [[nodiscard]] void* look_up(const char* name);

    void* handle_;
    std::string missing_;
};

}  // namespace drydock::os
