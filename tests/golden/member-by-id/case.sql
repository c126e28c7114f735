-- statements: 1

-- $1: datetime.date(2026, 11, 23)
-- $2: UUID('00000000-0000-7000-8000-001000000001')
-- $3: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $4: 16383
-- $5: UUID('a0000000-0000-4000-8000-000000000001')
SELECT uuid_send(member_3.log_id) AS log_id,
  share_1.mask, CAST(share_1.subject AS TEXT) AS subject,
  CASE WHEN (share_1.mask & 1 != 0) THEN concat_ws(' ',
      member_3.given_name,
      member_3.family_name) END AS anon_1,
  CASE WHEN (share_1.mask & 8 != 0) THEN member_3.email END AS anon_2,
  CASE WHEN (share_1.mask & 1024 != 0) THEN member_3.region END AS anon_3,
  CASE WHEN (share_1.mask & 2048 != 0) THEN (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($1::DATE,
                  member_3.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] END AS anon_4,
  postal_address_4.member_id,
  CASE WHEN (share_1.mask & 64 != 0) THEN postal_address_4.city END AS anon_5
FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id LEFT OUTER JOIN postal_address AS postal_address_4 ON postal_address_4.member_id = member_3.id AND postal_address_4.is_primary AND share_1.mask & 16 != 0
WHERE share_1.agreement_id = $2::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_6
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $2::UUID) AND share_1.mask & $4::BIGINT != 0 AND (share_1.ends_at IS NULL OR $3::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.subject = $5::UUID
