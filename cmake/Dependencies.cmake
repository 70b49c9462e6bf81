# Every third-party package, Debian 12's own. `./dev setup` installs them.
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(fmt REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(GTest REQUIRED)
include(GoogleTest)

function(drydock_find_library name header library)
    find_path(${name}_include ${header} REQUIRED)
    add_library(drydock::${name} INTERFACE IMPORTED)
    target_include_directories(drydock::${name} SYSTEM INTERFACE ${${name}_include})
    if(library)
        find_library(${name}_library ${library} REQUIRED)
        target_link_libraries(drydock::${name} INTERFACE ${${name}_library})
    endif()
endfunction()
drydock_find_library(expected tl/expected.hpp "")
drydock_find_library(nlohmann nlohmann/json.hpp "")
drydock_find_library(httplib httplib.h cpp-httplib)
# Debian's compiled cpp-httplib: these choose the layout of its classes and must be as it was built.
target_compile_definitions(drydock::httplib INTERFACE
    CPPHTTPLIB_OPENSSL_SUPPORT CPPHTTPLIB_ZLIB_SUPPORT CPPHTTPLIB_BROTLI_SUPPORT)
drydock_find_library(archive archive.h archive)
drydock_find_library(zip zip.h zip)
drydock_find_library(zlib zlib.h z)
drydock_find_library(cli11 CLI/CLI.hpp "")
drydock_find_library(xxhash xxhash.h xxhash)
drydock_find_library(zstd zstd.h zstd)
drydock_find_library(libpq postgresql/libpq-fe.h "") # opened at run time (src/mover/blocks/postgres_sql.cpp)
drydock_find_library(curl curl/curl.h "") # opened at run time (src/mover/s3/curl_library.cpp)
drydock_find_library(re2 re2/re2.h re2)
drydock_find_library(snappy snappy-c.h libsnappy.a) # static: no other Debian package of drydock brings it
drydock_find_library(rapidcheck rapidcheck.h rapidcheck)
drydock_find_library(mimalloc mimalloc.h mimalloc)

# Plans are many small strings and maps: with this malloc a check of 100 members takes 0.82 of the time (bench/results/check.md).
# Not for the agent, which is copied to hosts that need not have it; sanitizers bring their own.
function(drydock_quick_malloc target)
    if(NOT DRYDOCK_SANITIZE AND NOT DRYDOCK_FUZZ)
        target_link_libraries(${target} PRIVATE drydock::mimalloc)
    endif()
endfunction()
