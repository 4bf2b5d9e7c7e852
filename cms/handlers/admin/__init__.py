"""The desk: where people write, publish and administer. Plain forms; scripts only make them quicker."""
