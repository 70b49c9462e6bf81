# Builds in batches (-D DRYDOCK_BATCHES=ON): the compiler reads several .cpp files of a target as one, and each header once for all
# of them. The 14 files of src/run take 7.8 s of processor time instead of 20.0. A change compiles a whole batch anew, so it is
# nothing for daily work. A file that lacks an #include may find it in its batch, so no preset does it by itself.
option(DRYDOCK_BATCHES "Compile the files of a target in batches" OFF)
set(DRYDOCK_BATCH_LINES 3000 CACHE STRING "Lines of a batch, at most")

# drydock_in_batches(TARGET): parts the target's sources so that no name of a file's own stands twice in a batch (tools/batches).
# The names are read when CMake runs: after a clash of names that are new, run cmake again.
function(drydock_in_batches target)
    if(NOT DRYDOCK_BATCHES)
        return()
    endif()
    get_target_property(sources ${target} SOURCES)
    list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/" REGEX "^[^/]")
    find_package(Python3 REQUIRED COMPONENTS Interpreter)
    execute_process(COMMAND "${Python3_EXECUTABLE}" "${CMAKE_SOURCE_DIR}/tools/batches" ${DRYDOCK_BATCH_LINES} ${sources}
                    OUTPUT_VARIABLE parts OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE "\n" ";" parts "${parts}")
    while(parts)
        list(POP_FRONT parts file batch)
        set_source_files_properties("${file}" PROPERTIES UNITY_GROUP ${batch})
    endwhile()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endfunction()
