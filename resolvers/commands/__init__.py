"""What changes stored data: one module a noun, each a part of its caller's one transaction."""
