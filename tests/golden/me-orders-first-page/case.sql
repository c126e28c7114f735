-- statements: 1

-- $1: 3
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(customer_order_2.placed_at,
              customer_order_2.id,
              customer_order_2.number) AS row_1
        FROM customer_order AS customer_order_2
        WHERE customer_order_2.member_id = member_1.id ORDER BY customer_order_2.placed_at DESC,
          customer_order_2.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
