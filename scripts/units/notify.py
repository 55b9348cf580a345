"""Stands for systemd: prints what a service says on NOTIFY_SOCKET, a line each. notify.py SOCKET"""

import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
while True:
    for line in listener.recv(4096).decode().splitlines():
        print(line, flush=True)
