-- statements: 1

-- $1: 21
-- $2: 2
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT member_1.number,
  member_1.given_name,
  member_1.email,
  array((SELECT row(customer_order_2.status,
              customer_order_2.number,
              array((SELECT row(order_line_3.sku) AS row_2
                    FROM order_line AS order_line_3
                    WHERE order_line_3.order_id = customer_order_2.id ORDER BY order_line_3.id ASC
                    LIMIT $1::BIGINT))) AS row_1
        FROM customer_order AS customer_order_2
        WHERE customer_order_2.member_id = member_1.id ORDER BY customer_order_2.placed_at DESC,
          customer_order_2.id DESC
        LIMIT $2::BIGINT)) AS array_1,
  member_1.region
FROM member AS member_1
WHERE member_1.id = $3::UUID
