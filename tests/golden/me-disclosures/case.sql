-- statements: 1

-- $1: datetime.datetime(2026, 11, 23, 12, 0, tzinfo=datetime.timezone.utc)
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT own_disclosures_count(member_1.log_id, $1::TIMESTAMP WITH TIME ZONE) AS own_disclosures_count_1,
  array((SELECT row(CAST(disclosure_2.id AS TEXT),
              disclosure_2.recorded_at,
              disclosure_2.basis,
              disclosure_2.purpose,
              disclosure_2.categories,
              partner_3.id,
              partner_3.display_name) AS row_1
        FROM disclosure AS disclosure_2 LEFT OUTER JOIN partner AS partner_3 ON partner_3.id = disclosure_2.partner_id
        WHERE disclosure_2.place = any(array((SELECT own_disclosures_of(member_1.log_id, CAST(NULL AS BIGINT), $2::BIGINT, $1::TIMESTAMP WITH TIME ZONE) AS own_disclosures_of_1))) ORDER BY disclosure_2.place DESC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
