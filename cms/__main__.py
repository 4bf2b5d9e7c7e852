"""``python -m cms``, and the command ``squall``. Rendering processes import this module as well, hence it imports nothing by itself."""


def main() -> None:
    """A site is served below a parent that imports next to nothing; everything else, and what serves, is ``cli``."""
    import sys

    if sys.argv[1:2] in (["serve"], ["run"]) and "--under" not in sys.argv:
        from cms.server.parent import Parent

        sys.exit(Parent([*sys.orig_argv[1:], "--under"]).run())

    import gc

    gc.disable()  # while importing, which leaves no garbage; the command line goes on collecting
    from cms.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
