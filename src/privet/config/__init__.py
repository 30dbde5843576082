"""privet.toml -> frozen models. Only `runtime` and `cli` see the whole tree; rooms are handed values."""
