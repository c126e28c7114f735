-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000007')
SELECT (SELECT count(*) AS count_1
    FROM share AS share_2
    WHERE share_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(share_3.agreement_id,
              share_3.subject) AS row_1
        FROM share AS share_3
        WHERE share_3.member_id = member_1.id ORDER BY share_3.agreement_id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
