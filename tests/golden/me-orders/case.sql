-- statements: 1

-- $1: 21
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM customer_order AS customer_order_2
    WHERE customer_order_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(customer_order_3.placed_at,
              customer_order_3.id, CAST(customer_order_3.id AS TEXT),
              customer_order_3.number,
              customer_order_3.status,
              customer_order_3.placed_at,
              customer_order_3.total,
              customer_order_3.currency,
              array((SELECT row(order_line_4.id, CAST(order_line_4.id AS TEXT),
                          order_line_4.sku,
                          order_line_4.name,
                          order_line_4.category,
                          order_line_4.quantity,
                          order_line_4.unit_price) AS row_2
                    FROM order_line AS order_line_4
                    WHERE order_line_4.order_id = customer_order_3.id ORDER BY order_line_4.id ASC
                    LIMIT $1::BIGINT))) AS row_1
        FROM customer_order AS customer_order_3
        WHERE customer_order_3.member_id = member_1.id ORDER BY customer_order_3.placed_at DESC,
          customer_order_3.id DESC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
