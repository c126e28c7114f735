-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000005')
SELECT member_1.status,
  member_1.given_name,
  member_1.family_name,
  member_1.username,
  member_1.region,
  member_1.interests,
  (SELECT count(*) AS count_1
    FROM postal_address AS postal_address_2
    WHERE postal_address_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(postal_address_3.city) AS row_1
        FROM postal_address AS postal_address_3
        WHERE postal_address_3.member_id = member_1.id ORDER BY postal_address_3.created_at ASC,
          postal_address_3.id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
