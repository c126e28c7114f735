-- statements: 2

-- $1: datetime.date(2026, 11, 23)
-- $2: UUID('00000000-0000-7000-8000-001000000002')
-- $3: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $4: 6159
-- $5: 21
SELECT uuid_send(member_3.log_id) AS log_id,
  page.mask, CAST(page.subject AS TEXT) AS subject,
  CASE WHEN (page.mask & 1 != 0) THEN concat_ws(' ',
      member_3.given_name,
      member_3.family_name) END AS anon_1,
  CASE WHEN (page.mask & 8 != 0) THEN member_3.email END AS anon_2,
  CASE WHEN (page.mask & 2048 != 0) THEN (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($1::DATE,
                  member_3.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] END AS anon_3,
  CASE WHEN (page.mask & 4096 != 0) THEN member_3.interests END AS anon_4
FROM (SELECT share_1.subject AS subject,
      share_1.member_id AS member_id,
      share_1.mask AS mask
    FROM share AS share_1
    WHERE share_1.agreement_id = $2::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_5
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $2::UUID) AND share_1.mask & $4::BIGINT != 0 AND (share_1.ends_at IS NULL OR $3::TIMESTAMP WITH TIME ZONE < share_1.ends_at) ORDER BY share_1.subject ASC
    LIMIT $5::BIGINT) AS page JOIN member AS member_3 ON member_3.id = page.member_id ORDER BY page.subject

-- $1: UUID('00000000-0000-7000-8000-001000000002')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 6159
SELECT count(*) AS count_1
FROM share AS share_1
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_1
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at)
