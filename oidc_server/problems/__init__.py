"""The pages that explain what the API answers with (RFC 9457 §3.1.1)."""
