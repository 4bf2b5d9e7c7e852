"""Controllers: HTTP in, HTTP out. Parse, authorize, call one service, render or redirect."""
