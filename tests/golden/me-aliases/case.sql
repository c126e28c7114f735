-- statements: 1

-- $1: 2
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT member_1.given_name,
  member_1.family_name,
  (SELECT count(*) AS count_1
    FROM customer_order AS customer_order_2
    WHERE customer_order_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(customer_order_3.placed_at,
              customer_order_3.id,
              customer_order_3.number) AS row_1
        FROM customer_order AS customer_order_3
        WHERE customer_order_3.member_id = member_1.id ORDER BY customer_order_3.placed_at DESC,
          customer_order_3.id DESC
        LIMIT $1::BIGINT)) AS array_1,
  array((SELECT row(customer_order_4.number) AS row_2
        FROM customer_order AS customer_order_4
        WHERE customer_order_4.member_id = member_1.id ORDER BY customer_order_4.placed_at DESC,
          customer_order_4.id DESC
        LIMIT $2::BIGINT)) AS array_2
FROM member AS member_1
WHERE member_1.id = $3::UUID
