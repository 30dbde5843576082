"""privet.toml -> frozen models. Only `main` and `cli` see the whole tree; rooms are handed values."""
