-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(postal_address_2.id AS TEXT),
              postal_address_2.kind,
              postal_address_2.is_primary,
              postal_address_2.line1,
              postal_address_2.line2,
              postal_address_2.city,
              postal_address_2.state,
              postal_address_2.postal_code,
              postal_address_2.country,
              postal_address_2.created_at) AS row_1
        FROM postal_address AS postal_address_2
        WHERE postal_address_2.member_id = member_1.id ORDER BY postal_address_2.created_at ASC,
          postal_address_2.id ASC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
