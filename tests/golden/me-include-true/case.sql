-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-000100000001')
SELECT member_1.number,
  member_1.region,
  (SELECT count(*) AS count_1
    FROM customer_order AS customer_order_2
    WHERE customer_order_2.member_id = member_1.id) AS anon_1,
  member_1.given_name,
  member_1.version
FROM member AS member_1
WHERE member_1.id = $1::UUID
