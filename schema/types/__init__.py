"""Strawberry types by noun, without resolvers: each field says where it comes from (`schema.catalogue`)."""
