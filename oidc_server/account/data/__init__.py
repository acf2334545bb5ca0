"""/account/data: taking one's data along, and deleting the account."""
