"""What each operation may cost, in figures that no clock gives: `limits` holds them."""
