-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-000800000002')
-- $2: 2
-- $3: 21
-- $4: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(customer_order_2.number,
              (SELECT count(*) AS count_1
                FROM order_line AS order_line_3
                WHERE order_line_3.order_id = customer_order_2.id),
              array((SELECT row(order_line_4.name) AS row_2
                    FROM order_line AS order_line_4
                    WHERE order_line_4.order_id = customer_order_2.id AND (order_line_4.id) > ($1::UUID) ORDER BY order_line_4.id ASC
                    LIMIT $2::BIGINT))) AS row_1
        FROM customer_order AS customer_order_2
        WHERE customer_order_2.member_id = member_1.id ORDER BY customer_order_2.placed_at DESC,
          customer_order_2.id DESC
        LIMIT $3::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $4::UUID
