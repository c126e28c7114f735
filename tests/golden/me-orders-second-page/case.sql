-- statements: 1

-- $1: datetime.datetime(2026, 2, 10, 0, 0, tzinfo=datetime.timezone.utc)
-- $2: UUID('00000000-0000-7000-8000-000700000002')
-- $3: 3
-- $4: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM customer_order AS customer_order_2
    WHERE customer_order_2.member_id = member_1.id) AS anon_1,
  array((SELECT row(customer_order_3.placed_at,
              customer_order_3.id,
              customer_order_3.number) AS row_1
        FROM customer_order AS customer_order_3
        WHERE customer_order_3.member_id = member_1.id AND (customer_order_3.placed_at,
              customer_order_3.id) < ($1::TIMESTAMP WITH TIME ZONE, $2::UUID) ORDER BY customer_order_3.placed_at DESC,
          customer_order_3.id DESC
        LIMIT $3::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $4::UUID
