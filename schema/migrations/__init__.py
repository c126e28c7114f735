"""The history of the database's structure: Alembic revisions, forward only.

A mistake is mended by another revision; what went before comes back from a backup.
"""
