"""What a gateway keeps: readings, what was refused, forecasts, messages to be sent."""
