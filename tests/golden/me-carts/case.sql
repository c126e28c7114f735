-- statements: 1

-- $1: 21
-- $2: 21
-- $3: UUID('00000000-0000-7000-8000-000100000001')
SELECT array((SELECT row(CAST(cart_2.id AS TEXT),
              cart_2.status,
              cart_2.created_at,
              cart_2.updated_at,
              (SELECT count(*) AS count_1
                FROM cart_item AS cart_item_3
                WHERE cart_item_3.cart_id = cart_2.id),
              array((SELECT row(CAST(cart_item_4.id AS TEXT),
                          cart_item_4.sku,
                          cart_item_4.name,
                          cart_item_4.quantity,
                          cart_item_4.unit_price,
                          cart_item_4.currency) AS row_2
                    FROM cart_item AS cart_item_4
                    WHERE cart_item_4.cart_id = cart_2.id ORDER BY cart_item_4.id ASC
                    LIMIT $1::BIGINT))) AS row_1
        FROM cart AS cart_2
        WHERE cart_2.member_id = member_1.id ORDER BY cart_2.created_at DESC,
          cart_2.id DESC
        LIMIT $2::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $3::UUID
