"""The command line: one file per command.

Belongs here: options, output, exit codes. Does not belong here: what a command does, which lives in the room it is about.
Commands import what they need when they run, so that `privet --help` is quick and works where a library is broken.

Exit codes (docs/ref/cli.md): 0 done; 1 it failed, or something is still wrong; 2 it could not begin, because the call or the
configuration is wrong; 130 interrupted.
"""
