-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(billing_method_2.id AS TEXT),
              billing_method_2.brand,
              billing_method_2.last_four,
              billing_method_2.expiry_month,
              billing_method_2.expiry_year,
              billing_method_2.added_at) AS row_1
        FROM billing_method AS billing_method_2
        WHERE billing_method_2.member_id = member_1.id ORDER BY billing_method_2.added_at ASC,
          billing_method_2.id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
