"""Open data that are fetched over HTTP when a user asks for it, and kept in a folder."""
