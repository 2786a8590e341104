"""What is installed, and how it gets there, so that it can be cut off at any instant."""
