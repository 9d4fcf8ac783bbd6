"""Sends each request of its input over one connection of http.client (see run.sh)."""

import os
import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
connection = HTTPConnection(urlsplit(os.environ["PASSBOOK_URL"]).netloc, timeout=30)
for line in sys.stdin:
    method, path, headers, body = line.rstrip("\n").split("|")
    headers = dict(header.split(": ", 1) for header in headers.split(";") if header)
    connection.request(method, path, body.encode() or None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    print(answer.status, answer.getheader("Set-Cookie", ""), text, sep="|", flush=True)
