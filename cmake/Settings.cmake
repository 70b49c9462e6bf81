# Language level, hardening and sanitizers, for every target of ours.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_COMPILE_OPTIONS_PIE -fPIC)  # one precompiled head for libraries and programs
option(DRYDOCK_WARNINGS_ARE_ERRORS "Warnings end the build (dev and ci presets)" OFF)
option(DRYDOCK_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
set(DRYDOCK_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize takes them")

# -g1 keeps stack traces with lines and halves the build time of -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_compile_options(-fstack-protector-strong)
if(DRYDOCK_SANITIZE)
    # UBSan goes on after a finding by default, and the test would pass.
    # Not vptr: it takes objects of shared libraries, which are built without it, for other ones.
    add_compile_options(-fsanitize=${DRYDOCK_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all
                        -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${DRYDOCK_SANITIZE})
endif()

if(DRYDOCK_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    # Precompiled heads need these two allowances, or ccache passes them by.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()
