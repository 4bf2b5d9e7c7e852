"""A Wagtail site of one page, as its own guide begins one, with what its settings say about speed: run by a Python that has Wagtail."""
