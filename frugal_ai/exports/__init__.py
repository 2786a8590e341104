"""What others read of a run: one file for each form."""
