"""The real nginx, as whoever runs the tests, with a configuration of ours in a folder of its own.

with nginx.running(tmp_path / "nginx", server="location / { return 204; }") as url:
    answer = await Browser(url).get("/")
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

BINARY = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")
PATIENCE = 10.0  # seconds; only a hang takes so long
needed = pytest.mark.skipif(BINARY is None, reason="no nginx (Debian: apt-get install nginx-light)")

WHOLE = """\
daemon off;
master_process off;
pid nginx.pid;
error_log error.log notice;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def running(folder: Path, server: str, http: str = "") -> Iterator[str]:
    """Its address, until the block ends."""
    assert BINARY is not None
    folder.mkdir()
    listening, port = bind_unused_port()
    listening.close()
    (folder / "nginx.conf").write_text(WHOLE.format(http=http, server=server, port=port))
    process = subprocess.Popen([BINARY, "-p", folder, "-c", folder / "nginx.conf", "-e", "error.log"], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process, folder / "error.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not _answers(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
