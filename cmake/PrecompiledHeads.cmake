# Two precompiled heads for all targets: std_head, and test_head with GoogleTest in it. Each is made once, and half as large as
# all objects of a module. A head holds for one set of compiler flags, so targets that use one have no flags of their own.
function(drydock_precompiled_head name header)
    file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/${name}.cpp" CONTENT "// Only its precompiled head is used.\n")
    add_library(${name} OBJECT "${CMAKE_BINARY_DIR}/${name}.cpp")
    target_link_libraries(${name} PRIVATE drydock_warnings drydock::expected fmt::fmt ${ARGN})
    target_precompile_headers(${name} PRIVATE "${CMAKE_SOURCE_DIR}/cmake/${header}")
endfunction()
drydock_precompiled_head(std_head std.h)
drydock_precompiled_head(test_head std_test.h GTest::gtest GTest::gmock)

# drydock_precompiled(TARGET HEAD): compiles the target's sources behind that head, and in batches where the preset says so.
function(drydock_precompiled target head)
    target_precompile_headers(${target} REUSE_FROM ${head})
    drydock_in_batches(${target})
endfunction()
