// dlopen() with RTLD_LOCAL, so symbols of the library hide none of the program. The handle is never
// closed: libraries register handlers that must stay valid until the process ends.
#include "os/shared_library.h"

#include <dlfcn.h>

namespace drydock::os {

SharedLibrary::SharedLibrary(const std::string& name)
    : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL))
    , missing_(handle_ == nullptr ? name : "") {
}

void* SharedLibrary::look_up(const char* name) {
    void* function = handle_ == nullptr ? nullptr : dlsym(handle_, name);
    if (function == nullptr && missing_.empty()) {
        missing_ = name;
    }
    return function;
}

}  // namespace drydock::os
