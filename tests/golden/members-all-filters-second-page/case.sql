-- statements: 2

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 16383
-- $4: datetime.date(2026, 11, 23)
-- $5: ['AGE_45_54', 'AGE_65_PLUS']
-- $6: datetime.datetime(2025, 12, 31, 23, 0, tzinfo=datetime.timezone.utc)
-- $7: ['go', 'chess']
-- $8: ['US-CA', 'US-NY']
-- $9: UUID('a0000000-0000-4000-8000-000000000008')
-- $10: 3
SELECT uuid_send(member_5.log_id) AS log_id,
  page.mask,
  CASE WHEN (page.mask & 1 != 0) THEN concat_ws(' ',
      member_5.given_name,
      member_5.family_name) END AS anon_1
FROM (SELECT share_1.subject AS subject,
      share_1.member_id AS member_id,
      share_1.mask AS mask
    FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id
    WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_2
        FROM agreement AS agreement_2
        WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.mask & 2048 != 0 AND (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($4::DATE,
                      member_3.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] = any($5::TEXT[]) AND (EXISTS (SELECT *
            FROM share_change AS share_change_4
            WHERE share_change_4.agreement_id = share_1.agreement_id AND share_change_4.subject = share_1.subject AND share_change_4.changed_at > $6::TIMESTAMP WITH TIME ZONE AND (share_change_4.mask & share_1.mask) & $3::BIGINT != 0)) AND share_1.mask & 4096 != 0 AND (member_3.interests && $7::TEXT[]) AND share_1.mask & 1024 != 0 AND member_3.region = any($8::TEXT[]) AND (share_1.subject) > ($9::UUID) ORDER BY share_1.subject ASC
    LIMIT $10::BIGINT) AS page JOIN member AS member_5 ON member_5.id = page.member_id ORDER BY page.subject

-- $1: UUID('00000000-0000-7000-8000-001000000001')
-- $2: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $3: 16383
-- $4: datetime.date(2026, 11, 23)
-- $5: ['AGE_45_54', 'AGE_65_PLUS']
-- $6: datetime.datetime(2025, 12, 31, 23, 0, tzinfo=datetime.timezone.utc)
-- $7: ['go', 'chess']
-- $8: ['US-CA', 'US-NY']
SELECT count(*) AS count_1
FROM share AS share_1 JOIN member AS member_3 ON member_3.id = share_1.member_id
WHERE share_1.agreement_id = $1::UUID AND (SELECT agreement_2.status = 'ACTIVE' AND agreement_2.valid_from <= $2::TIMESTAMP WITH TIME ZONE AND (agreement_2.valid_until IS NULL OR $2::TIMESTAMP WITH TIME ZONE < agreement_2.valid_until) AS anon_1
    FROM agreement AS agreement_2
    WHERE agreement_2.id = $1::UUID) AND share_1.mask & $3::BIGINT != 0 AND (share_1.ends_at IS NULL OR $2::TIMESTAMP WITH TIME ZONE < share_1.ends_at) AND share_1.mask & 2048 != 0 AND (ARRAY['AGE_18_24', 'AGE_25_34', 'AGE_35_44', 'AGE_45_54', 'AGE_55_64', 'AGE_65_PLUS'])[width_bucket(CAST(EXTRACT(year FROM age($4::DATE,
                  member_3.birth_date)) AS INTEGER), ARRAY[18, 25, 35, 45, 55, 65])] = any($5::TEXT[]) AND (EXISTS (SELECT *
        FROM share_change AS share_change_4
        WHERE share_change_4.agreement_id = share_1.agreement_id AND share_change_4.subject = share_1.subject AND share_change_4.changed_at > $6::TIMESTAMP WITH TIME ZONE AND (share_change_4.mask & share_1.mask) & $3::BIGINT != 0)) AND share_1.mask & 4096 != 0 AND (member_3.interests && $7::TEXT[]) AND share_1.mask & 1024 != 0 AND member_3.region = any($8::TEXT[])
