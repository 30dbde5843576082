"""What exists and when: cameras, recordings, promotions, states, density, accounts, in SQLite (WAL) or, later, PostgreSQL.

Belongs here: tables, migrations and typed queries. Does not belong here: files (`record` checks them against the rows), and
anything that could show a picture.
"""
