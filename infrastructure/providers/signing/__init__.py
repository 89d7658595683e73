"""Who we are: one `httpx2.Auth` generator per scheme. None reads a stream's body, so that streams stay streams."""
