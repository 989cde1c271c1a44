"""Fetches a URL and throws its bytes away inside the kernel (MSG_TRUNC): the client costs as little as can be.

Usage: drain.py URL TOKEN. Prints status, bytes of the body and seconds, as curl does for the bench.
"""

import socket
import sys
import time
from urllib.parse import urlsplit

url, token = urlsplit(sys.argv[1]), sys.argv[2]
connection = socket.create_connection((url.hostname, url.port))
started = time.perf_counter()
connection.sendall(
    f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n".encode()
)
head = b""
while b"\r\n\r\n" not in head:
    head += connection.recv(4096)
received = len(head) - head.index(b"\r\n\r\n") - 4
buffer = bytearray(1 << 20)
while count := connection.recv_into(buffer, len(buffer), socket.MSG_TRUNC):
    received += count
print(head.split(b" ", 2)[1].decode(), received, time.perf_counter() - started)
