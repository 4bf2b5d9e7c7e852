"""``python -m cms``. Rendering processes import this module as well, hence nothing above the guard."""

if __name__ == "__main__":
    from cms.cli import main

    main()
