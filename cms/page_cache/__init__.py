"""Complete answers for anonymous readers, kept until something that they show changes. Knows nothing of handlers."""
