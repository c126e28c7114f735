-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM phone AS phone_2
    WHERE phone_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(CAST(phone_3.id AS TEXT),
              phone_3.label,
              phone_3.added_at) AS row_1
        FROM phone AS phone_3
        WHERE phone_3.member_id = member_1.id ORDER BY phone_3.added_at ASC,
          phone_3.id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
