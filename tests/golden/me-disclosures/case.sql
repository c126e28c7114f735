-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM disclosure AS disclosure_2
    WHERE disclosure_2.members @> ARRAY[member_1.log_id]) AS anon_1,
  array((SELECT row(disclosure_3.id,
              disclosure_3.recorded_at,
              disclosure_3.basis,
              disclosure_3.purpose,
              disclosure_3.categories,
              partner_4.id,
              partner_4.display_name) AS row_1
        FROM disclosure AS disclosure_3 LEFT OUTER JOIN partner AS partner_4 ON partner_4.id = disclosure_3.partner_id
        WHERE disclosure_3.members @> ARRAY[member_1.log_id] ORDER BY disclosure_3.recorded_at DESC,
          disclosure_3.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
