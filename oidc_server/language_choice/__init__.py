"""Which language this browser is answered in."""
