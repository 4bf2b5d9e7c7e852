"""People in one document: what their browsers send, the rooms they meet in, and the log that keeps what they wrote."""
