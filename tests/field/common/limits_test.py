#!/usr/bin/env python3
"""The limits of tests follow DRYDOCK_TEST_SLOWNESS, and a wait ends with its condition, not with its limit."""

import os
import time
import unittest
from unittest import mock

import limits
from machine import wait_until


class Limits(unittest.TestCase):
    def test_the_factor_multiplies(self) -> None:
        for text, seconds in (("1", 10), ("2.5", 25), ("40", 400), ("", 40), ("0.1", 10)):
            with mock.patch.dict(os.environ, {"DRYDOCK_TEST_SLOWNESS": text}):
                self.assertEqual(limits.scaled(10), seconds, text)

    def test_a_wait_ends_as_soon_as_its_condition_holds(self) -> None:
        begun = time.monotonic()
        wait_until(lambda: time.monotonic() > begun + 0.05, limits.scaled(1000), lambda: "")
        self.assertLess(time.monotonic() - begun, limits.scaled(5))


if __name__ == "__main__":
    unittest.main()
