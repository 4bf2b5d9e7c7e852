"""What lies in ``deploy/``, as far as it can be checked without the programs that it is for. tests/server/test_nginx.py runs nginx."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cms.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_units_are_such_as_systemd_takes(tmp_path: Path) -> None:
    for name in ("squall.service", "squall.socket"):
        (tmp_path / name).write_text((DEPLOY / name).read_text().replace("/opt/squall/bin/squall", sys.executable))
    command = ["systemd-analyze", "verify", tmp_path / "squall.service", tmp_path / "squall.socket"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_that_are_named_are_settings() -> None:
    for path in DEPLOY.iterdir():
        for name in re.findall(r"\bSQUALL_(\w+)", path.read_text()):
            assert name.lower() in Settings.model_fields, (path.name, name)


def test_image_is_made_from_what_the_wheel_is_made_of() -> None:
    given = {line[1:] for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all((ROOT / name).exists() for name in given)
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    assert given >= {*targets["wheel"]["packages"], *targets["wheel"]["force-include"], "README.md", "LICENSE", "pyproject.toml"}
    assert re.search(r"COPY requirements/run\.txt .*\n.*--require-hashes", (DEPLOY / "Dockerfile").read_text())


def test_compose_starts_both_and_keeps_what_they_write() -> None:
    wanted = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    squall, database = wanted["services"]["squall"], wanted["services"]["database"]
    build = squall["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).samefile(DEPLOY / "Dockerfile")
    assert squall["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in database
    assert {each.split(":")[0] for service in (squall, database) for each in service["volumes"]} == set(wanted["volumes"])
    assert all(port.startswith("127.0.0.1:") for port in squall["ports"]), "readers come through a proxy"
