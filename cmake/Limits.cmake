# The time limits of tests, fitted to the speed of the machine. Each is written for an idle machine of today and
# multiplied by DRYDOCK_TEST_SLOWNESS; so are the waits inside Python tests (tests/field/common/limits.py).
set(DRYDOCK_TEST_SLOWNESS 4 CACHE STRING "How many times slower than an idle machine of today tests may run")

# drydock_scale(VARIABLE SECONDS): the limit of something that takes so many seconds at most on a fast machine.
function(drydock_scale variable seconds)
    math(EXPR scaled "${seconds} * ${DRYDOCK_TEST_SLOWNESS}")
    set(${variable} ${scaled} PARENT_SCOPE)
endfunction()

# drydock_limit(TEST SECONDS): its time limit, the factor for its own waits, and its place: what may take longest begins first
# (COST), and what is short fills the gaps. After its ENVIRONMENT is set.
function(drydock_limit test seconds)
    drydock_scale(scaled ${seconds})
    set_property(TEST ${test} PROPERTY TIMEOUT ${scaled})
    set_property(TEST ${test} PROPERTY COST ${seconds})
    set_property(TEST ${test} APPEND PROPERTY ENVIRONMENT "DRYDOCK_TEST_SLOWNESS=${DRYDOCK_TEST_SLOWNESS}")
endfunction()
