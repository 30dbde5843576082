"""Scene recordings: format, writer, rotation, retention, archive, check (docs/ref/recordings.md).

Belongs here: everything that touches recordings and summaries on a disk. Does not belong here: what is known about them in a
database (`index`), who may read them (`api`), pictures (`render`).
"""
