"""Makes many times as many members, or partners, of those that the product made: in SQL, in minutes.

In: a filled database, under its owner. Out: the same with copies. The id of a copy is a digest of the first
one's id and the number of the copy, so that rows of different tables find each other. What no measured
request reads (orders, visits, secrets, the feed) is not copied.
"""

from __future__ import annotations

from typing import Any

import asyncpg

_MEMBERS = """
INSERT INTO member (id, number, status, username, given_name, family_name, email, email_verified_at,
  birth_date, region, interests, purchase_categories, joined_at, updated_at, version)
SELECT md5(id::text || copy)::uuid, number || '-' || copy, status, username || '.' || copy, given_name,
  family_name, copy || '.' || email, email_verified_at, birth_date, region, interests, purchase_categories,
  joined_at, updated_at, version
FROM member, generate_series(2, {times}) AS copy;
INSERT INTO postal_address (id, member_id, kind, is_primary, line1, line2, city, state, postal_code, country,
  created_at)
SELECT gen_random_uuid(), md5(member_id::text || copy)::uuid, kind, is_primary, line1, line2, city, state,
  postal_code, country, created_at
FROM postal_address, generate_series(2, {times}) AS copy;
INSERT INTO pairwise_subject (partner_id, member_id, subject)
SELECT partner_id, md5(member_id::text || copy)::uuid, md5(subject::text || copy)::uuid
FROM pairwise_subject, generate_series(2, {times}) AS copy;
INSERT INTO share (agreement_id, subject, member_id, mask, ends_at)
SELECT agreement_id, md5(subject::text || copy)::uuid, md5(member_id::text || copy)::uuid, mask, ends_at
FROM share, generate_series(2, {times}) AS copy;
"""

_PARTNERS = """
INSERT INTO partner (id, name, display_name, created_at, authority)
SELECT md5(id::text || copy)::uuid, name || '-' || copy, display_name || ' ' || copy, created_at, authority
FROM partner, generate_series(2, {times}) AS copy;
INSERT INTO agreement (id, partner_id, basis, purpose, categories, valid_from, valid_until, status, version)
SELECT md5(id::text || copy)::uuid, md5(partner_id::text || copy)::uuid, basis, purpose, categories,
  valid_from, valid_until, status, version
FROM agreement, generate_series(2, {times}) AS copy;
INSERT INTO partner_client (client_id, agreement_id, status, created_at)
SELECT client_id || '-' || copy, md5(agreement_id::text || copy)::uuid, status, created_at
FROM partner_client, generate_series(2, {times}) AS copy;
INSERT INTO pairwise_subject (partner_id, member_id, subject)
SELECT md5(partner_id::text || copy)::uuid, member_id, md5(subject::text || copy)::uuid
FROM pairwise_subject, generate_series(2, {times}) AS copy;
INSERT INTO share (agreement_id, subject, member_id, mask, ends_at)
SELECT md5(agreement_id::text || copy)::uuid, md5(subject::text || copy)::uuid, member_id, mask, ends_at
FROM share, generate_series(2, {times}) AS copy;
"""


async def grow(connection: asyncpg.Connection[Any], *, members: int, partners: int) -> None:
    """Have so many times as many of both."""
    # What is copied was checked when it was made: without this, each of millions of rows asks other tables.
    await connection.execute("SET session_replication_role = replica")
    for times, text in ((members, _MEMBERS), (partners, _PARTNERS)):
        if times > 1:
            await connection.execute(text.format(times=int(times)))
    await connection.execute("RESET session_replication_role")
