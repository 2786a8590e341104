"""What runs in clean processes, with numpy and the library that is measured alone."""
