"""The process: sockets, start, signals, draining; what is answered below the HTTP parser, and what comes through it."""
