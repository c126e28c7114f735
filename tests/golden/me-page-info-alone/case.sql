-- statements: 1

-- $1: 2
-- $2: 2
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(1) AS row_1
        FROM customer_order AS customer_order_2
        WHERE customer_order_2.member_id = member_1.id ORDER BY customer_order_2.placed_at DESC,
          customer_order_2.id DESC
        LIMIT $1::BIGINT)) AS array_1,
  array((SELECT row(cart_3.created_at,
              cart_3.id) AS row_2
        FROM cart AS cart_3
        WHERE cart_3.member_id = member_1.id ORDER BY cart_3.created_at DESC,
          cart_3.id DESC
        LIMIT $2::BIGINT)) AS array_2
FROM member AS member_1
WHERE member_1.id = $3::UUID
