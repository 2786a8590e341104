"""From the chosen model to the smallest one that keeps its skill."""
