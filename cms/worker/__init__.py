"""Work done beside answering: jobs that were enqueued, and keeping house."""
