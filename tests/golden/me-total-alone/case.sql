-- statements: 1

-- $1: UUID('00000000-0000-7000-8000-000100000001')
SELECT (SELECT count(*) AS count_1
    FROM customer_order AS customer_order_2
    WHERE customer_order_2.member_id = member_1.id) AS anon_1,
  (SELECT count(*) AS count_2
    FROM cart AS cart_4
    WHERE cart_4.member_id = member_1.id) AS anon_2
FROM member AS member_1
WHERE member_1.id = $1::UUID
