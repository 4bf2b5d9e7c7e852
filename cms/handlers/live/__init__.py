"""What stays open: sockets and streams that tell of what happens."""
