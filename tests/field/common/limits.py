"""How long tests wait: the one place that fits their limits to the speed of the machine.

Every limit in the tests is written for an idle machine of today and scaled here. DRYDOCK_TEST_SLOWNESS
says by how much; CMake sets it from the cache variable of the same name, and scales the time limits of
ctest with it. A wait ends as soon as its condition holds, so a large factor costs nothing where tests
pass. Times in which something must not happen are not scaled.
"""

import os

DEFAULT_SLOWNESS = 4.0


def slowness() -> float:
    """The factor; at least 1."""
    return max(1.0, float(os.environ.get("DRYDOCK_TEST_SLOWNESS") or DEFAULT_SLOWNESS))


def scaled(seconds: float) -> float:
    """The longest wait on this machine for something that takes `seconds` at most on a fast one."""
    return seconds * slowness()
