-- statements: 1

-- $1: 21
-- $2: UUID('00000000-0000-7000-8000-00010000000e')
SELECT array((SELECT row(choice_2.direction,
              choice_2.purpose,
              partner_3.id) AS row_1
        FROM choice AS choice_2 LEFT OUTER JOIN partner AS partner_3 ON partner_3.id = choice_2.partner_id
        WHERE choice_2.member_id = member_1.id ORDER BY choice_2.requested_at DESC,
          choice_2.id DESC
        LIMIT $1::BIGINT)) AS array_1
FROM member AS member_1
WHERE member_1.id = $2::UUID
