# The warnings of every target of ours; third-party headers are system headers and stay silent.
add_library(drydock_warnings INTERFACE)
set(warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Woverloaded-virtual -Wold-style-cast -Wcast-align=strict -Wdouble-promotion -Wformat=2
    -Wimplicit-fallthrough -Wextra-semi -Wsuggest-override -Wswitch-enum -Wundef
    -Wno-missing-field-initializers)  # designated initializers leave the rest at its default on purpose
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND warnings -Wduplicated-cond -Wlogical-op -Wuseless-cast)
    if(DRYDOCK_BATCHES)
        list(APPEND warnings -Wno-subobject-linkage)  # a .cpp file of a batch is taken for a header
    endif()
else()
    list(REMOVE_ITEM warnings -Wcast-align=strict)
endif()
if(DRYDOCK_WARNINGS_ARE_ERRORS)
    list(APPEND warnings -Werror)
endif()
target_compile_options(drydock_warnings INTERFACE ${warnings})
