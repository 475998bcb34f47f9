"""Plays `python -m vllm.entrypoints.openai.api_server`; the model's name says how it behaves.

Its answers about itself: `/pids`, `/argv`, `/key`, the key that it found, and `/shared`, the
name of the memory that it shares.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.shared_memory import SharedMemory


def argument(name):
    return sys.argv[sys.argv.index(name) + 1]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        key = os.environ.get("VLLM_API_KEY")
        pids = [os.getppid(), os.getpid(), *(child.pid for child in children)]
        known = {
            "/health": {},
            "/v1/models": {"data": [{"id": argument("--served-model-name")}]},
            "/pids": pids,
            "/argv": sys.argv[1:],
            "/key": key,
            "/shared": shared.name if shared else None,
        }
        refused = key and self.path == "/v1/models"
        refused = refused and self.headers["Authorization"] != f"Bearer {key}"
        body = json.dumps(known[self.path]).encode()
        self.send_response(401 if refused else 200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


behaviour = argument("--model")
children = []
if "child" in behaviour:
    children = [subprocess.Popen(["sleep", "300"])]
shared = SharedMemory(create=True, size=16) if "shares" in behaviour else None
if shared and os.fork() == 0:
    time.sleep(300)  # another that has the memory, as the engine does besides the server
if "stubborn" in behaviour:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for number in range(100):
    print("line", number, flush=True)
if "dies" in behaviour:
    sys.exit("ValueError: no room for the weights")
if "never" in behaviour:
    time.sleep(300)
time.sleep(0.3)  # the port answers later than the process starts
if "crashes" in behaviour:
    threading.Timer(1.0, os._exit, (3,)).start()
ThreadingHTTPServer((argument("--host"), int(argument("--port"))), Handler).serve_forever()
