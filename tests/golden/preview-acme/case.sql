-- statements: 1

-- $1: datetime.date(2026, 11, 23)
-- $2: UUID('00000000-0000-7000-8000-001000000001')
-- $3: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $4: 134217727
-- $5: UUID('00000000-0000-7000-8000-000100000001')
SELECT uuid_send(member_4.log_id) AS log_id,
  share_1.mask, CAST(share_1.subject AS TEXT) AS subject,
  CASE WHEN (share_1.mask & 1 != 0) THEN concat_ws(' ',
      member_4.given_name,
      member_4.family_name) END AS anon_1,
  CASE WHEN (share_1.mask & 2 != 0) THEN member_4.given_name END AS anon_2,
  CASE WHEN (share_1.mask & 4 != 0) THEN member_4.family_name END AS anon_3,
  CASE WHEN (share_1.mask & 32768 != 0) THEN member_4.username END AS anon_4,
  CASE WHEN (share_1.mask & 8 != 0) THEN member_4.email END AS anon_5,
  CASE WHEN (share_1.mask & 1024 != 0) THEN member_4.region END AS anon_6,
  CASE WHEN (share_1.mask & 2048 != 0) THEN (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($1::DATE,
                  member_4.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] END AS anon_7,
  CASE WHEN (share_1.mask & 1048576 != 0) THEN member_4.birth_date END AS anon_8,
  CASE WHEN (share_1.mask & 4096 != 0) THEN member_4.interests END AS anon_9,
  CASE WHEN (share_1.mask & 8192 != 0) THEN member_4.purchase_categories END AS anon_10,
  CASE WHEN (share_1.mask & 67108864 != 0) THEN member_4.number END AS anon_11,
  CASE WHEN (share_1.mask & 16384 != 0) THEN member_4.joined_at END AS anon_12,
  postal_address_5.member_id,
  CASE WHEN (share_1.mask & 32 != 0) THEN postal_address_5.line1 END AS anon_13,
  CASE WHEN (share_1.mask & 32 != 0) THEN postal_address_5.line2 END AS anon_14,
  CASE WHEN (share_1.mask & 64 != 0) THEN postal_address_5.city END AS anon_15,
  CASE WHEN (share_1.mask & 128 != 0) THEN postal_address_5.state END AS anon_16,
  CASE WHEN (share_1.mask & 256 != 0) THEN postal_address_5.postal_code END AS anon_17,
  CASE WHEN (share_1.mask & 512 != 0) THEN postal_address_5.country END AS anon_18
FROM share AS share_1 JOIN member AS member_4 ON member_4.id = share_1.member_id LEFT OUTER JOIN postal_address AS postal_address_5 ON postal_address_5.member_id = member_4.id AND postal_address_5.is_primary AND share_1.mask & 16 != 0
WHERE share_1.agreement_id = $2::UUID AND (SELECT agreement_3.status = 'ACTIVE' AND agreement_3.valid_from <= $3::TIMESTAMP WITH TIME ZONE AND (agreement_3.valid_until IS NULL OR $3::TIMESTAMP WITH TIME ZONE < agreement_3.valid_until) AS anon_19
    FROM agreement AS agreement_3
    WHERE agreement_3.id = $2::UUID) AND share_1.mask & $4::BIGINT != 0 AND (share_1.ends_at IS NULL OR $3::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.member_id = $5::UUID AND NOT (EXISTS (SELECT *
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $2::UUID AND agreement_2.deferred_until > $3::TIMESTAMP WITH TIME ZONE))
