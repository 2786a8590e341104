"""Carbon intensity of a grid over time: what a provider says, one file for each provider."""
