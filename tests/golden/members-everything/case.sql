-- statements: 2

-- $1: datetime.date(2026, 11, 23)
-- $2: UUID('00000000-0000-7000-8000-001000000001')
-- $3: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $4: 16383
-- $5: 21
SELECT uuid_send(member_3.log_id) AS log_id,
  page.mask,
  page.subject, CAST(page.subject AS TEXT) AS subject__1,
  CASE WHEN (page.mask & 1 != 0) THEN concat_ws(' ',
      member_3.given_name,
      member_3.family_name) END AS anon_1,
  CASE WHEN (page.mask & 2 != 0) THEN member_3.given_name END AS anon_2,
  CASE WHEN (page.mask & 4 != 0) THEN member_3.family_name END AS anon_3,
  CASE WHEN (page.mask & 8 != 0) THEN member_3.email END AS anon_4,
  CASE WHEN (page.mask & 1024 != 0) THEN member_3.region END AS anon_5,
  CASE WHEN (page.mask & 2048 != 0) THEN (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($1::DATE,
                  member_3.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] END AS anon_6,
  CASE WHEN (page.mask & 4096 != 0) THEN member_3.interests END AS anon_7,
  CASE WHEN (page.mask & 8192 != 0) THEN member_3.purchase_categories END AS anon_8,
  postal_address_4.member_id,
  CASE WHEN (page.mask & 32 != 0) THEN postal_address_4.line1 END AS anon_9,
  CASE WHEN (page.mask & 32 != 0) THEN postal_address_4.line2 END AS anon_10,
  CASE WHEN (page.mask & 64 != 0) THEN postal_address_4.city END AS anon_11,
  CASE WHEN (page.mask & 128 != 0) THEN postal_address_4.state END AS anon_12,
  CASE WHEN (page.mask & 256 != 0) THEN postal_address_4.postal_code END AS anon_13,
  CASE WHEN (page.mask & 512 != 0) THEN postal_address_4.country END AS anon_14
FROM (SELECT share_1.subject AS subject,
      share_1.member_id AS member_id,
      share_1.mask AS mask
    FROM share AS share_1
    WHERE share_1.agreement_id = $2::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_15
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $2::UUID) AND share_1.mask & $4::BIGINT != 0 AND (share_1.ends_at IS NULL OR $3::TIMESTAMP WITH TIME ZONE < share_1.ends_at) ORDER BY share_1.subject ASC
    LIMIT $5::BIGINT) AS page JOIN member AS member_3 ON member_3.id = page.member_id LEFT OUTER JOIN postal_address AS postal_address_4 ON postal_address_4.member_id = member_3.id AND postal_address_4.is_primary AND page.mask & 16 != 0 ORDER BY page.subject

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 16383
SELECT count(*) AS count_1
FROM share AS share_1
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_1
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at)
