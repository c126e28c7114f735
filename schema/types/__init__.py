"""Strawberry types by noun, without resolvers: each field says where it comes from (`schema.catalogue`)."""

from __future__ import annotations

from schema.types import enums

__all__ = ["enums"]
