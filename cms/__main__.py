"""``python -m cms``. Rendering processes import this module as well, hence nothing above the guard."""

if __name__ == "__main__":
    import gc

    gc.disable()  # while importing, which leaves no garbage; main() goes on collecting
    from cms.cli import main

    main()
