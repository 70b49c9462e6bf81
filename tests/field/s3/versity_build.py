"""A real versitygw, built once and kept outside the repository (../common/go_program.py): PROGRAM."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "..", "common"))

from go_program import CHEAP, Program, Unavailable  # noqa: E402,F401  (found by the line above)
from limits import scaled  # noqa: E402

PROGRAM = Program("versitygw", os.path.join(HERE, "versitygw"), module="github.com/versity/versitygw",
                  package="github.com/versity/versitygw/cmd/versitygw", parts=["versitygw"], seconds_max=scaled(400),
                  how_to_build="tests/field/s3/prepare_cache, or ./dev test store", flags=[CHEAP])
