# drydock_module(NAME DEPENDS target...): the folder that calls it becomes the static library drydock_NAME of all its
# .cpp files, and its *_test.cpp files become the program NAME_test with the ctest label `unit`.
# A new file is picked up by a plain rebuild. LABEL changes the ctest label, TEST_DEPENDS adds what only tests need.
function(drydock_module name)
    cmake_parse_arguments(arg "" "LABEL" "DEPENDS;TEST_DEPENDS" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS "*.cpp")
    set(tests ${sources})
    list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
    if(sources)
        add_library(drydock_${name} STATIC ${sources})
        set(kind PUBLIC)
        target_link_libraries(drydock_${name} PRIVATE drydock_warnings)
        drydock_precompiled(drydock_${name} std_head)
    else()
        add_library(drydock_${name} INTERFACE)
        set(kind INTERFACE)
    endif()
    target_include_directories(drydock_${name} ${kind} "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(drydock_${name} ${kind} drydock::expected ${arg_DEPENDS})
    if(tests)
        drydock_test(${name}_test LABEL "${arg_LABEL}" SOURCES ${tests}
                     DEPENDS drydock_${name} ${arg_TEST_DEPENDS})
    endif()
endfunction()

# drydock_test(NAME SOURCES file... DEPENDS target... [LABEL label]): one GoogleTest program; each test is a ctest test.
function(drydock_test name)
    cmake_parse_arguments(arg "" "LABEL" "SOURCES;DEPENDS" ${ARGN})
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE drydock_warnings ${arg_DEPENDS} GTest::gtest_main GTest::gmock)
    drydock_precompiled(${name} test_head)
    target_compile_definitions(${name} PRIVATE DRYDOCK_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    if(NOT TARGET tests_${arg_LABEL})
        add_custom_target(tests_${arg_LABEL}) # all test programs of a label, and nothing else
    endif()
    add_dependencies(tests_${arg_LABEL} ${name})
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${CMAKE_SOURCE_DIR}" OUTPUT_VARIABLE folder)
    set_property(GLOBAL APPEND_STRING PROPERTY drydock_test_programs "${arg_LABEL} ${folder} ${name}\n")
    drydock_scale(patience 60)
    set(cost 0)
    if(NOT arg_LABEL STREQUAL unit)
        set(cost 60) # some take long: they begin before the unit tests
    endif()
    if(arg_LABEL MATCHES "full$")
        drydock_scale(patience 900) # they only run when named
    endif()
    gtest_discover_tests(${name} TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${patience} COST ${cost})
endfunction()

# drydock_python_tests(PREFIX LABEL SECONDS): each *_test.py of the folder is the test PREFIX.NAME, with that limit. It gets the
# program in DRYDOCK, and further variables behind ENVIRONMENT. unittest says "OK (skipped=N)" when a test says why it cannot run.
function(drydock_python_tests prefix label seconds)
    cmake_parse_arguments(arg "" "" "ENVIRONMENT" ${ARGN})
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    set(environment "PYTHONDONTWRITEBYTECODE=1" ${arg_ENVIRONMENT})
    if(TARGET drydock)
        list(APPEND environment "DRYDOCK=$<TARGET_FILE:drydock>")
    endif()
    file(GLOB tests CONFIGURE_DEPENDS "*_test.py")
    foreach(file IN LISTS tests)
        get_filename_component(name "${file}" NAME_WE)
        add_test(NAME ${prefix}.${name} COMMAND Python3::Interpreter "${supervise}" "${file}" -v)
        set_tests_properties(${prefix}.${name} PROPERTIES
            LABELS ${label} SKIP_REGULAR_EXPRESSION "Ran 0 tests.*OK \\(skipped" ENVIRONMENT "${environment}")
        drydock_limit(${prefix}.${name} ${seconds})
    endforeach()
endfunction()
