"""Whether the real Yjs and pycrdt end in one text, whatever is typed: ``python -m bench.convergence [--rounds 10000]``.

Each round two Yjs in processes of Node and one pycrdt edit at once, emoji among it, and hear of the others. Needs ``npm ci`` in editor/.
"""

import argparse
import sys

from tests.collaboration.yjs import YjsDocument, converge


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10_000)
    rounds = parser.parse_args().rounds
    documents = [YjsDocument(1001), YjsDocument(1002)]
    try:
        converge(documents, rounds)
    except AssertionError:
        print("The texts differ.")
        return 1
    finally:
        for document in documents:
            document.close()
    print(f"{rounds} rounds, three edits each: one text.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
