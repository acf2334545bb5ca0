"""The account console: what a person sees of themselves."""
