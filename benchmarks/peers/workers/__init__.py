"""One script a peer; each runs in the peer's own environment, with numpy and the peer alone."""
