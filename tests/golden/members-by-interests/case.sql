-- statements: 2

-- $1: UUID('00000000-0000-7000-8000-001000000002')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 6159
-- $4: ['go', 'poker']
-- $5: 21
SELECT uuid_send(member_4.log_id) AS log_id,
  page.mask,
  CASE WHEN (page.mask & 1 != 0) THEN concat_ws(' ',
      member_4.given_name,
      member_4.family_name) END AS anon_1,
  CASE WHEN (page.mask & 4096 != 0) THEN member_4.interests END AS anon_2
FROM (SELECT share_1.subject AS subject,
      share_1.member_id AS member_id,
      share_1.mask AS mask
    FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id
    WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_3
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.mask & 4096 != 0 AND (member_3.interests && $4::TEXT[]) ORDER BY share_1.subject ASC
    LIMIT $5::BIGINT) AS page JOIN member AS member_4 ON member_4.id = page.member_id ORDER BY page.subject

-- $1: UUID('00000000-0000-7000-8000-001000000002')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 6159
-- $4: ['go', 'poker']
SELECT count(*) AS count_1
FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_1
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.mask & 4096 != 0 AND (member_3.interests && $4::TEXT[])
