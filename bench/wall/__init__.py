"""A wall of a hundred cameras in a browser: how smooth, how large, how much is sent; and a year of one camera."""
