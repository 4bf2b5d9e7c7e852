"""The real Yjs in a process of Node, in the words of ``cms.crdt.Document``."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cms import crdt

ROOT = Path(__file__).resolve().parent.parent.parent
EDITOR = Path(os.environ.get("SQUALL_EDITOR", ROOT / "editor"))  # where npm has put yjs


class YjsDocument:
    def __init__(self, client: int) -> None:
        node = shutil.which("node")
        if node is None or not (EDITOR / "node_modules" / "yjs").is_dir():
            pytest.skip("needs Node and the packages of the editor: npm ci in editor/")
        script = Path(__file__).with_name("yjs_client.mjs")
        self.client = client
        self._node = subprocess.Popen([node, script, EDITOR, str(client)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _ask(self, act: str, **given: Any) -> Any:
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.write(json.dumps({"do": act, **given}).encode() + b"\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        self._made = [bytes.fromhex(each) for each in answer["made"]]
        return answer["answer"]

    def apply(self, update: bytes) -> None:
        self._ask("apply", data=update.hex())

    def state(self) -> bytes:
        return bytes.fromhex(self._ask("state"))

    def since(self, state: bytes) -> bytes:
        return bytes.fromhex(self._ask("since", state=state.hex()))

    def insert(self, at: int, words: str) -> list[bytes]:
        self._ask("insert", at=at, words=words)
        return self._made

    def edit_anyhow(self, seed: int, times: int = 1) -> list[bytes]:
        """The updates that came of it."""
        self._ask("edit", seed=seed, times=times)
        return self._made

    @property
    def content(self) -> str:
        return str(self._ask("read")["content"])

    @property
    def fields(self) -> dict[str, Any]:
        return dict(self._ask("read")["fields"])

    def close(self) -> None:
        assert self._node.stdin
        assert self._node.stdout
        self._node.stdin.close()
        self._node.stdout.close()
        self._node.wait(10)


def edit_anyhow(document: crdt.Document, seed: int) -> bytes:
    """The same, for pycrdt."""
    chance, content = random.Random(seed), document.content
    at, words = chance.randrange(len(content) + 1), chance.choice(["b", "ebb ", "\n", "😁", "👨‍👩‍👧", "ü"])
    return document.edit(content[:at] + words + content[at + chance.randrange(3) :])


def converge(yjs: list[YjsDocument], rounds: int) -> None:
    """Each round two of Yjs and one of pycrdt edit at once, and hear of the others."""
    document = crdt.Document.of("Mud 😀.\n", {})
    for each in yjs:
        each.apply(document.data())
    for turn in range(rounds):
        made = [each.edit_anyhow(7 * turn + each.client) for each in yjs]
        mine = edit_anyhow(document, turn)
        for update in (*made[0], *made[1]):
            document.apply(update)
        for each, others in ((yjs[0], made[1]), (yjs[1], made[0])):
            for update in (*others, mine):
                each.apply(update)
        if turn % 25 == 0 or turn == rounds - 1:
            assert document.content == yjs[0].content == yjs[1].content
            assert crdt.Document(document.data()).content == document.content
        if len(document.content) > 5000:
            made_short = document.edit("Mud 😀.\n")
            for each in yjs:
                each.apply(made_short)
