"""Runs the suites that are named, or all, each in a process of its own: two of the clients bring the same messages."""

import pathlib
import subprocess
import sys
import time

SUITES = [
    "triton_http",
    "triton_grpc",
    "kserve_clients",
    "plain_requests",
    "grpc_services",
    "mutated_messages",
]
ONE = "import support, sys; name = sys.argv[1]; support.run(name, __import__(name))"

wanted = sys.argv[1:] or SUITES
failed = 0
for name in wanted:
    began = time.monotonic()
    suite = subprocess.run([sys.executable, "-W", "ignore", "-c", ONE, name], cwd=pathlib.Path(__file__).parent)
    failed += suite.returncode != 0
    print(f"# {name}: {time.monotonic() - began:.1f} s", flush=True)
sys.exit(1 if failed else 0)
