"""How private and how fast, measured: one command per table. Not part of the product."""
