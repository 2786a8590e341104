"""The gateway: configuration, forecast cycle, degraded modes, accounts of what it does."""
