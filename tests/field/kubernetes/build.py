"""A real Kubernetes API server, built once and kept outside the repository (../common/go_program.py): PROGRAM.

Its folder has {kube-apiserver,kube-controller-manager,kubectl}, links to one program. The first build takes
less than five minutes on two idle cores and 3 GB of Go's own caches.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(HERE), "common"))

from go_program import CHEAP, Program, Unavailable  # noqa: E402,F401  (in ../common, like the next one)
from limits import scaled  # noqa: E402

PROGRAM = Program("kubernetes", os.path.join(HERE, "server"), module="k8s.io/kubernetes", package=".",
                  parts=["kube-apiserver", "kube-controller-manager", "kubectl"], seconds_max=scaled(1400),
                  how_to_build="tests/field/kubernetes/prepare_cache, or ./dev test kubernetes",
                  flags=[CHEAP], linker_flags="-X k8s.io/component-base/version.gitVersion=v{version}",
                  environment={"GOGC": "200"})  # memory for the compiler, of which two run at a time, against its time
