#!/usr/bin/env python3
"""A ProxyCommand of ssh: connects to HOST PORT in this network namespace, and hands ssh the socket.

With `ProxyUseFdpass yes` standard output is a socket that takes the descriptor; nothing is relayed.
"""

import socket
import sys

with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as connection, \
        socket.socket(fileno=1) as ssh:
    socket.send_fds(ssh, [b"\0"], [connection.fileno()])
