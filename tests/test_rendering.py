import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from cms import processes, rendering
from cms.content.pipeline import RenderContext, render
from cms.errors import InvalidInput, Unavailable
from cms.rendering import MAX_SOURCE_BYTES, Renderer

_HOSTILE = "[a" * 60_000
_ROOT = Path(__file__).parents[1]
_POSTS = sorted((_ROOT / "e2e" / "data" / "rust-blog").glob("*.md"))
_PARENT = """
import asyncio, sys
from cms.rendering import Renderer
async def main():
    renderer = Renderer(cpu_seconds=60)
    await renderer.start()
    task = asyncio.create_task(renderer.render("[a" * 60000)) if "busy" in sys.argv else None
    await asyncio.sleep(0.5)
    (worker,) = renderer._pool._pool.result()._pool._pool_manager.worker_manager.workers
    print(worker, flush=True)
    try:
        await asyncio.sleep(60)
    finally:
        await renderer.close()
        await asyncio.gather(*filter(None, [task]), return_exceptions=True)
if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("closed")
"""


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    renderer = Renderer(cpu_seconds=0.5)
    await renderer.start()
    yield renderer
    await renderer.close()


def _workers(renderer: Renderer) -> list[int]:
    assert renderer._pool._pool
    return list(renderer._pool._pool.result()._pool._pool_manager.worker_manager.workers)


async def test_a_worker_renders_what_the_pipeline_renders(renderer: Renderer) -> None:
    assert await renderer.render("# a *b*", RenderContext("p-")) == render("# a *b*", RenderContext("p-"))


async def test_the_loop_keeps_ticking_while_a_hostile_text_runs_into_its_limit(renderer: Renderer) -> None:
    task = asyncio.create_task(renderer.render(_HOSTILE))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(InvalidInput) as caught:
        task.result()
    assert "too long to render" in caught.value.errors["text"]
    assert turns > 10  # of about fifty; a loop that waits has one
    assert "<p>next</p>" in (await renderer.render("next")).html


async def test_long_and_real_texts_stay_within_the_limit() -> None:
    """One that grew with the square of the text would be ended. Some times the program's limit, for a machine that is busy."""
    renderer = Renderer(cpu_seconds=10)
    await renderer.start()
    try:
        assert (await renderer.render("para *x*\n\n" * 20_000)).words == 40_000
        for post in _POSTS:
            rendered = await renderer.render(post.read_text(encoding="utf-8"))
            assert rendered.words, post.name
            assert " style=" not in re.sub(r">[^<]*<", "><", rendered.html), post.name
    finally:
        await renderer.close()


async def test_the_clock_is_a_second_limit(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Renderer(cpu_seconds=60)
    slow._pool = renderer._pool
    with monkeypatch.context() as impatient:  # only for this text: the next one waits for a new worker
        impatient.setattr(rendering, "_WALL_SECONDS", 0.1)
        impatient.setattr(rendering, "_WALL_FACTOR", 0.0)
        with pytest.raises(InvalidInput):
            await slow.render(_HOSTILE)
    assert (await renderer.render("next")).words == 1


async def test_texts_over_ten_megabytes_are_refused_before_any_work() -> None:
    renderer = Renderer()
    for source in ("a" * (MAX_SOURCE_BYTES + 1), "é" * (MAX_SOURCE_BYTES // 2 + 1)):
        with pytest.raises(InvalidInput, match="10 MB"):
            await renderer.render(source)
    assert not renderer._pool.is_started, "no worker was even started"


async def test_a_text_that_multiplies_itself_is_stopped_by_memory_or_time(renderer: Renderer) -> None:
    with pytest.raises(InvalidInput):
        await renderer.render("[a]" * 100_000 + "\n\n[a]: /" + "x" * 500_000)
    assert (await renderer.render("next")).words == 1


async def test_a_cancelled_wait_leaves_the_renderer_working(renderer: Renderer) -> None:
    tasks = [asyncio.create_task(renderer.render(_HOSTILE)) for _ in range(3)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    assert all(isinstance(result, asyncio.CancelledError) for result in await asyncio.gather(*tasks, return_exceptions=True))
    assert (await renderer.render("next")).words == 1


async def test_a_worker_killed_at_work_is_reported_and_replaced(renderer: Renderer) -> None:
    patient = Renderer(cpu_seconds=30)
    patient._pool = renderer._pool
    task = asyncio.create_task(patient.render(_HOSTILE))
    await asyncio.sleep(0.3)
    os.kill(_workers(renderer)[0], signal.SIGKILL)
    with pytest.raises(Unavailable):
        await task
    assert (await renderer.render("next")).words == 1


async def test_a_worker_killed_while_waiting_is_replaced_unnoticed(renderer: Renderer) -> None:
    for _ in range(2):
        os.kill(_workers(renderer)[0], signal.SIGKILL)
        assert (await renderer.render("next")).words == 1


async def test_a_crash_at_the_start_is_reported_and_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_prepare_worker", os.abort)
    crashing = Renderer()
    with pytest.raises(Unavailable):
        async with asyncio.timeout(30):
            await crashing.start()
    await crashing.close()


async def test_closing_tells_whoever_still_waits() -> None:
    renderer = Renderer(cpu_seconds=30)
    await renderer.start()
    task = asyncio.create_task(renderer.render(_HOSTILE))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(20):  # the text would take thirty
        await renderer.close()
    await renderer.close()
    with pytest.raises(Unavailable):
        await task
    with pytest.raises(Unavailable):
        await renderer.render("late")


def test_closing_while_the_workers_are_being_started_leaves_nobody_waiting() -> None:
    """A program that is stopped at once. One thread for all, so that the workers are not ended before a text could be handed to them."""

    async def stop_at_once() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
        renderer = Renderer()
        rendering = asyncio.create_task(renderer.start())
        await asyncio.sleep(0)
        busy = asyncio.create_task(asyncio.to_thread(time.sleep, 0.5))
        await asyncio.sleep(0)
        closing = asyncio.create_task(renderer.close())
        with pytest.raises(Unavailable, match="closing down"):
            await asyncio.wait_for(rendering, 30)
        await closing
        await busy

    asyncio.run(stop_at_once())


async def test_several_workers_render_at_once() -> None:
    renderer = Renderer(workers=2, cpu_seconds=1)
    await renderer.start()
    hostile = asyncio.create_task(renderer.render(_HOSTILE))
    assert len(await asyncio.gather(*(renderer.render(f"text {i}") for i in range(20)))) == 20
    with pytest.raises(InvalidInput):
        await hostile
    await renderer.close()


def _start(tmp_path: Path, *arguments: str) -> SimpleNamespace:
    """A program of its own, started as ``python -m``, and its worker's process id."""
    (tmp_path / "program.py").write_text(_PARENT)
    environment = {**os.environ, "PYTHONPATH": f"{_ROOT}{os.pathsep}{tmp_path}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "program", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdout
    return SimpleNamespace(process=process, worker=int(process.stdout.readline()))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _ends(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_running(pid):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path, state: str) -> None:
    program = _start(tmp_path, state)
    assert _is_running(program.worker)
    program.process.kill()
    assert _ends(program.worker, 2.0)
    program.process.communicate()


@pytest.mark.parametrize("state", ["idle", "busy"])
def test_ctrl_c_goes_to_the_parent_and_workers_print_nothing(tmp_path: Path, state: str) -> None:
    program = _start(tmp_path, state)
    os.killpg(program.process.pid, signal.SIGINT)
    output, errors = program.process.communicate(timeout=20)
    assert (output, errors) == ("closed\n", "")
    assert _ends(program.worker, 2.0)
